#include <atomic>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/export/batcher.h"
#include "pipeline/export/counters.h"
#include "pipeline/export/delivery.h"
#include "pipeline/export/queue.h"
#include "pipeline/export/sender.h"

/// How spans go through an exporter:
///
///   any worker   consume: into the RequestQueue; wake, unless the executor is awake
///   executor     pump: take from the queue, Batcher, a Delivery each for at most num_consumers,
///   send sender       tries; done, on any thread: back to the executor executor     the Delivery's
///   next step: again later, in halves, or finished: settle with the queue
///                (Ack, room), pump
///
/// A destination that is given up (`redirect`) gets nothing more: the same path then leads through
/// another sender, which hands over to the queues of others.
///
/// While a delivery waits for its next attempt it keeps its place among the consumers, so the queue
/// fills and back-pressure begins.
namespace sluice {
namespace {

constexpr std::size_t taken_at_once = 32;

/// Everything behind the queue. Callbacks hold it weakly, so that a late one finds nothing; what
/// the executor's thread does and the end of the exporter (which may come on another) exclude each
/// other by `gate_`, taken once per callback.
class Core : public std::enable_shared_from_this<Core> {
 public:
  Core(const ExporterContext& context, const ExportOptions& options, std::unique_ptr<Sender> sender)
      : counters_(context, options.queue.waits_for_result()),
        shared_{context.id, options, context.executor,
                counters_,  {},      std::minstd_rand(seed(options.retry))},
        batcher_(options.queue.batch),
        queue_(make_memory_queue(options.queue, counters_, [this] { wake(); })),
        busy_max_(options.queue.num_consumers),
        sender_(std::move(sender)) {}

  RequestQueue& queue() { return *queue_; }
  bool start(std::string& error) { return sender_->start(error); }
  void redirect(std::unique_ptr<Sender> elsewhere);
  void stop(Task done);
  std::uint64_t held() const { return counters_.held(); }
  /// Lets go of everything. Nothing happens afterwards.
  void close();
  bool stopped() const { return stopped_; }

 private:
  struct Consumer {
    explicit Consumer(DeliveryShared& shared) : delivery(shared) {}
    Delivery delivery;
    Timer timer;
    std::uint64_t attempt = 0;  ///< tells a late or second answer from the one that is waited for
    const Sender* sender = nullptr;  ///< of the last attempt
  };

  static unsigned seed(const RetryOptions& retry) {
    return retry.jitter_seed != 0 ? static_cast<unsigned>(retry.jitter_seed)
                                  : std::random_device()();
  }
  void wake();
  template <typename Action>
  void enter(Action action);
  void pump();
  std::optional<Outgoing> next_outgoing();
  void arm_flush_timer();
  std::size_t idle_consumer();
  void follow(std::size_t index, Delivery::Step step);
  void send(std::size_t index);
  void wait(std::size_t index);
  void finished(std::size_t index);
  void hurry();
  Task take_done();

  ExportCounters counters_;
  DeliveryShared shared_;
  Batcher batcher_;
  std::unique_ptr<RequestQueue> queue_;
  std::vector<QueuedRequest> taken_;
  std::vector<std::unique_ptr<Consumer>> consumers_;
  std::vector<std::size_t> idle_;
  std::size_t busy_ = 0;
  std::size_t busy_max_;
  Timer flush_timer_;
  std::optional<Executor::TimePoint> flush_at_;
  Task done_;
  std::mutex gate_;
  bool closed_ = false;
  std::atomic<bool> stopped_{false};
  std::unique_ptr<Sender> given_up_;  ///< ahead of `sender_`, while answers may come
  std::unique_ptr<Sender> sender_;    ///< goes first: what it calls in its end finds the rest alive
};

void Core::wake() {
  shared_.executor.post([weak = weak_from_this()] {
    if (const auto core = weak.lock()) core->enter([] {});
  });
}

template <typename Action>
void Core::enter(Action action) {
  Task done;
  {
    const std::lock_guard lock(gate_);
    if (closed_) return;
    action();
    pump();
    done = take_done();
  }
  if (done) done();
}

/// Those that wait for the answer of the destination keep their places until it comes; as many as
/// there are stand in for them, so that what waits in the queue need not.
void Core::redirect(std::unique_ptr<Sender> elsewhere) {
  enter([&] {
    given_up_ = std::exchange(sender_, std::move(elsewhere));
    busy_max_ += busy_;
    for (std::size_t index = 0; index < consumers_.size(); ++index) {
      Consumer& consumer = *consumers_[index];
      if (!consumer.delivery.waiting()) continue;
      consumer.timer.cancel();
      follow(index, consumer.delivery.start_over());
    }
  });
}

void Core::stop(Task done) {
  shared_.executor.post([weak = weak_from_this(), done = std::move(done)]() mutable {
    const auto core = weak.lock();
    if (!core) return;
    core->enter([&] {
      core->done_ = std::move(done);
      core->shared_.stopping = true;
      core->hurry();
    });
  });
}

void Core::close() {
  const std::lock_guard lock(gate_);
  closed_ = true;
  counters_.in_flight_requests.add(-static_cast<std::int64_t>(busy_));
  taken_.clear();
  batcher_.clear();
  for (const auto& consumer : consumers_) consumer->delivery.clear();
  queue_->abandon();
  if (const std::uint64_t left = counters_.held(); left > 0) counters_.abandoned(left);
}

/// Starts as many deliveries as there are batches and idle consumers. Requests are taken from the
/// queue only when one could be sent, so what waits is in the queue.
void Core::pump() {
  while (busy_ < busy_max_) {
    std::optional<Outgoing> outgoing = next_outgoing();
    if (!outgoing) return arm_flush_timer();
    const std::size_t index = idle_consumer();
    ++busy_;
    counters_.in_flight_requests.add(1);
    follow(index, consumers_[index]->delivery.begin(std::move(*outgoing)));
  }
}

std::optional<Outgoing> Core::next_outgoing() {
  for (;;) {
    const auto now = shared_.executor.now();
    if (auto outgoing = batcher_.next(now, false)) return outgoing;
    queue_->take(taken_, taken_at_once);
    const bool flush = shared_.stopping || given_up_ != nullptr;
    if (taken_.empty()) return flush ? batcher_.next(now, true) : std::nullopt;
    for (QueuedRequest& request : taken_) batcher_.add(std::move(request), now);
    taken_.clear();
  }
}

void Core::arm_flush_timer() {
  const auto deadline = batcher_.deadline();
  if (deadline == flush_at_) return;
  flush_at_ = deadline;
  if (!deadline) return flush_timer_.cancel();
  flush_timer_ =
      shared_.executor.after(*deadline - shared_.executor.now(), [weak = weak_from_this()] {
        if (const auto core = weak.lock()) core->enter([&] { core->flush_at_.reset(); });
      });
}

std::size_t Core::idle_consumer() {
  if (idle_.empty()) {
    consumers_.push_back(std::make_unique<Consumer>(shared_));
    return consumers_.size() - 1;
  }
  const std::size_t index = idle_.back();
  idle_.pop_back();
  return index;
}

void Core::follow(std::size_t index, Delivery::Step step) {
  switch (step) {
    case Delivery::Step::send: return send(index);
    case Delivery::Step::wait: return wait(index);
    case Delivery::Step::finished: return finished(index);
  }
}

void Core::send(std::size_t index) {
  Consumer& consumer = *consumers_[index];
  const std::uint64_t attempt = ++consumer.attempt;
  consumer.sender = sender_.get();
  // The answer may come on any thread, within `send` even: it always takes the way over the
  // executor.
  sender_->send(
      consumer.delivery.piece(), shared_.options.timeout,
      [weak = weak_from_this(), &executor = shared_.executor, index, attempt](SendResult result) {
        if (weak.expired()) return;
        executor.post([weak, index, attempt, result = std::move(result)]() mutable {
          const auto core = weak.lock();
          if (!core) return;
          core->enter([&] {
            Consumer& waiting = *core->consumers_[index];
            if (waiting.attempt != attempt) return;
            ++waiting.attempt;
            const bool given_up = waiting.sender != core->sender_.get();
            const bool elsewhere = given_up && result.kind == SendResult::Kind::retry;
            core->follow(index, elsewhere ? waiting.delivery.start_over()
                                          : waiting.delivery.result(std::move(result)));
          });
        });
      });
}

void Core::wait(std::size_t index) {
  Consumer& consumer = *consumers_[index];
  consumer.timer =
      shared_.executor.after(consumer.delivery.wait(), [weak = weak_from_this(), index] {
        const auto core = weak.lock();
        if (!core) return;
        core->enter([&] {
          Consumer& waiting = *core->consumers_[index];
          if (waiting.delivery.waiting()) core->follow(index, waiting.delivery.retry());
        });
      });
}

void Core::finished(std::size_t index) {
  Delivery& delivery = consumers_[index]->delivery;
  consumers_[index]->timer.cancel();
  counters_.in_flight_requests.add(-1);
  queue_->settle(delivery.parts(), delivery.outcome());
  delivery.clear();
  idle_.push_back(index);
  --busy_;
}

/// The process ends soon: what waits for its next attempt gets it now.
void Core::hurry() {
  for (std::size_t index = 0; index < consumers_.size(); ++index) {
    Consumer& consumer = *consumers_[index];
    if (!consumer.delivery.waiting()) continue;
    consumer.timer.cancel();
    follow(index, consumer.delivery.retry());
  }
}

Task Core::take_done() {
  if (!done_ || busy_ > 0 || queue_->request_count() > 0) return {};
  if (given_up_) given_up_->stop();
  sender_->stop();
  stopped_ = true;
  return std::move(done_);
}

class MadeExporter final : public QueuedExporter {
 public:
  MadeExporter(const ExporterContext& context, const ExportOptions& options,
               std::unique_ptr<Sender> sender)
      : executor_(context.executor),
        core_(std::make_shared<Core>(context, options, std::move(sender))) {}

  ~MadeExporter() override {
    core_->close();
    // Timers and the sender belong to the executor. After an orderly stop nothing is left of
    // either.
    if (executor_.is_current() || core_->stopped()) return;
    executor_.post([core = std::move(core_)] {});
  }

  void consume(SpanBatch batch, Ack ack) override {
    core_->queue().consume(std::move(batch), std::move(ack));
  }
  std::optional<Answer> reserve(const Load& load) override { return core_->queue().reserve(load); }
  void commit(SpanBatch batch, const Load& reserved, Ack ack) override {
    core_->queue().commit(std::move(batch), reserved, std::move(ack));
  }
  void cancel(const Load& reserved) override { core_->queue().cancel(reserved); }

  void take_over(SpanBatch batch, Ack ack) override {
    core_->queue().take_over(std::move(batch), std::move(ack));
  }
  void redirect(std::unique_ptr<Sender> elsewhere) override {
    core_->redirect(std::move(elsewhere));
  }

  bool start(std::string& error) override { return core_->start(error); }
  void stop(Task done) override { core_->stop(std::move(done)); }
  std::uint64_t held() const override { return core_->held(); }

 private:
  Executor& executor_;
  std::shared_ptr<Core> core_;
};

}  // namespace

std::unique_ptr<QueuedExporter> make_exporter(const ExporterContext& context,
                                              const ExportOptions& options,
                                              std::unique_ptr<Sender> sender) {
  return std::make_unique<MadeExporter>(context, options, std::move(sender));
}

}  // namespace sluice
