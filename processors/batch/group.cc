#include "processors/batch/group.h"

#include <algorithm>
#include <memory>

#include "pipeline/log.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds backoff_min{100};
constexpr milliseconds backoff_max{5000};
constexpr milliseconds delay_max =
    std::chrono::minutes(1);  ///< for a delay that downstream asks for

/// Requests are held until the batch is full: one whose spans are a small share of the memory that
/// they pin (a selection of a large request) is copied out.
constexpr double share_min = 0.25;

SpanBatch unpinned(SpanBatch batch) {
  if (batch.wire_size() >= batch.pinned() / 4) return batch;
  return batch.compacted(share_min);
}

Histogram& send_size_histogram(const ProcessorContext& context) {
  return context.metrics.histogram(
      "otelcol_processor_batch_batch_send_size", "Number of units in the batch",
      {10,   25,   50,   75,   100,  250,  500,   750,   1000,  2000,  3000,
       4000, 5000, 6000, 7000, 8000, 9000, 10000, 20000, 30000, 50000, 100000},
      {{"processor", context.id}});
}

}  // namespace

BatchMetrics::BatchMetrics(const ProcessorContext& context)
    : spans(context.counters),
      overload(context.counters.refused("overload")),
      cardinality(context.counters.refused("cardinality")),
      send_size(send_size_histogram(context)),
      size_trigger(context.metrics.counter(
          "otelcol_processor_batch_batch_size_trigger_send",
          "Number of times the batch was sent due to a size trigger", {{"processor", context.id}})),
      timeout_trigger(
          context.metrics.counter("otelcol_processor_batch_timeout_trigger_send",
                                  "Number of times the batch was sent due to a timeout trigger",
                                  {{"processor", context.id}})),
      metadata_cardinality(
          context.metrics.gauge("otelcol_processor_batch_metadata_cardinality",
                                "Number of distinct metadata value combinations being processed",
                                {{"processor", context.id}})) {}

/// Waits for the answer to one hand-over. The answer may come from any thread, and after the group
/// has gone; the group is only touched on its executor.
class BatchGroup::Flight final : public AckTarget {
 public:
  explicit Flight(BatchGroup& group) : executor_(group.executor_), group_(&group) {}

  void answered(Answer answer) noexcept override {
    std::unique_ptr<Flight> self(this);
    if (executor_.is_current()) return land(std::move(self), std::move(answer));
    executor_.post([flight = std::move(self), reply = std::move(answer)]() mutable {
      land(std::move(flight), std::move(reply));
    });
  }
  void group_gone() { group_ = nullptr; }

 private:
  static void land(std::unique_ptr<Flight> self, Answer answer) {
    BatchGroup* const group = self->group_;
    self.reset();
    if (group != nullptr) group->landed(std::move(answer));
  }

  Executor& executor_;
  BatchGroup* group_;
};

BatchGroup::BatchGroup(const BatchOptions& options, BatchMetrics& metrics,
                       const ProcessorContext& processor, std::string key,
                       RequestContextRef context, Owner& owner)
    : options_(options),
      metrics_(metrics),
      executor_(processor.executor),
      next_(processor.next),
      id_(processor.id),
      key_(std::move(key)),
      context_(std::move(context)),
      owner_(owner),
      backoff_(backoff_min) {}

/// What is still held is given up: the deadline of the stop has passed.
BatchGroup::~BatchGroup() {
  if (flight_ != nullptr) flight_->group_gone();
  const std::uint64_t lost = collected_spans_ + (outgoing_ ? outgoing_->batch.span_count() : 0);
  if (lost == 0) return;
  metrics_.spans.dropped.add(lost);
  metrics_.spans.held.add(-static_cast<std::int64_t>(lost));
}

std::uint64_t BatchGroup::spans_max(const BatchOptions& options) {
  constexpr std::uint32_t least = 8192;
  return 4ULL * std::max({options.send_batch_size, options.send_batch_max_size, least});
}

std::optional<Answer> BatchGroup::refusal(std::uint64_t spans) const {
  if (retry_) {
    const auto wait = std::chrono::ceil<milliseconds>(retry_at_ - executor_.now());
    return Answer{Verdict::retry_later, std::max(wait, milliseconds(1)), refusal_};
  }
  if (!outgoing_ || collected_spans_ + spans <= spans_max(options_)) return std::nullopt;
  return Answer{Verdict::retry_later, {}, "the batch before has not been taken yet"};
}

/// Merged as it comes: to return to the indexes of hundreds of small requests when they are long
/// out of the cache takes a tenth of all CPU time at ten spans a request.
void BatchGroup::add(SpanBatch batch) {
  collected_spans_ += batch.span_count();
  merger_.add(unpinned(std::move(batch)));
  if (merger_.span_count() >= options_.send_batch_size) close_collection();
  advance();
}

void BatchGroup::flush() {
  due_ = true;
  advance();
}

/// Nothing may be touched after this call: the group may be gone.
void BatchGroup::advance() {
  advancing_ = true;
  send_what_is_due();
  advancing_ = false;
  if (collected_spans_ == 0) {
    due_ = false;
    timeout_.cancel();
  } else if (!due_ && !timeout_) {
    timeout_ = executor_.after(options_.timeout, [this] {
      timeout_ = {};
      flush();
    });
  }
  if (idle()) owner_.went_idle(*this);
}

void BatchGroup::send_what_is_due() {
  for (;;) {
    if (!outgoing_) {
      if (collected_spans_ == 0 || !(due_ || full())) return;
      const bool by_size = full();
      outgoing_ = Outgoing{cut(), by_size};
      timeout_.cancel();  // what is left waits for its own time
    } else if (flight_ != nullptr || retry_) {
      return;
    }
    hand_over();
  }
}

bool BatchGroup::full() const {
  const bool at_once = options_.timeout.count() == 0 || options_.send_batch_size == 0;
  return at_once || collected_spans_ >= options_.send_batch_size;
}

void BatchGroup::close_collection() {
  if (merger_.span_count() > 0) collected_.push_back(merger_.finish());
}

/// Takes from the front: all, or send_batch_max_size spans exactly.
SpanBatch BatchGroup::cut() {
  std::uint64_t wanted = collected_spans_;
  if (options_.send_batch_max_size > 0)
    wanted = std::min<std::uint64_t>(wanted, options_.send_batch_max_size);
  collected_spans_ -= wanted;
  close_collection();
  std::vector<SpanBatch> parts;
  auto first = collected_.begin();
  while (wanted > 0) {
    const std::uint32_t left = first->span_count() - front_taken_;
    const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(left, wanted));
    const bool whole = count == first->span_count();
    parts.push_back(whole ? std::move(*first) : first->slice(front_taken_, count));
    wanted -= count;
    front_taken_ = count == left ? 0 : front_taken_ + count;
    if (count == left) ++first;
  }
  collected_.erase(collected_.begin(), first);
  SpanBatch result = SpanBatch::concat(parts);
  result.set_context(context_);
  return result;
}

void BatchGroup::hand_over() {
  flight_ = new Flight(*this);  // owns itself until it is answered
  next_.consume(outgoing_->batch, Ack(*flight_));
}

void BatchGroup::landed(Answer answer) {
  flight_ = nullptr;
  const std::uint64_t spans = outgoing_->batch.span_count();
  switch (answer.verdict) {
    case Verdict::accepted:
      metrics_.send_size.observe(static_cast<double>(spans));
      (outgoing_->by_size ? metrics_.size_trigger : metrics_.timeout_trigger).add(1);
      settle(metrics_.spans.out);
      break;
    case Verdict::rejected:
      log::limited(
          log::Level::error, "a batch was rejected downstream, its spans are dropped",
          {{"processor", id_}, {"spans", std::to_string(spans)}, {"reason", answer.message}});
      settle(metrics_.spans.dropped);
      break;
    case Verdict::retry_later: retry_after(answer); break;
  }
  if (!advancing_) advance();
}

void BatchGroup::settle(Counter& counter) {
  const std::uint64_t spans = outgoing_->batch.span_count();
  counter.add(spans);
  metrics_.spans.held.add(-static_cast<std::int64_t>(spans));
  outgoing_.reset();
  backoff_ = backoff_min;
}

void BatchGroup::retry_after(const Answer& answer) {
  const milliseconds delay =
      answer.delay.count() > 0 ? std::min(answer.delay, delay_max) : backoff_;
  backoff_ = std::min(backoff_ * 2, backoff_max);
  refusal_ = answer.message;
  retry_at_ = executor_.now() + delay;
  retry_ = executor_.after(delay, [this] {
    retry_ = {};
    advance();
  });
}

}  // namespace sluice
