#include "pipeline/handover.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "pipeline/log.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds backoff_min{100};
constexpr milliseconds backoff_max{5000};
constexpr milliseconds delay_max =
    std::chrono::minutes(1);  ///< for a delay that downstream asks for

}  // namespace

/// Waits for the answer to one attempt. The answer may come from any thread, and after the Handover
/// has gone, which is only touched on its executor.
class Handover::Flight final : public AckTarget {
 public:
  explicit Flight(Handover& handover) : executor_(handover.executor_), handover_(&handover) {}

  void answered(Answer answer) noexcept override {
    std::unique_ptr<Flight> self(this);
    if (executor_.is_current()) return land(std::move(self), answer);
    executor_.post([flight = std::move(self), reply = std::move(answer)]() mutable {
      land(std::move(flight), reply);
    });
  }
  void handover_gone() { handover_ = nullptr; }

 private:
  static void land(std::unique_ptr<Flight> self, const Answer& answer) {
    Handover* const handover = self->handover_;
    self.reset();
    if (handover != nullptr) handover->landed(answer);
  }

  Executor& executor_;
  Handover* handover_;
};

Handover::Handover(const ProcessorContext& processor, Owner& owner)
    : id_(processor.id),
      executor_(processor.executor),
      counters_(processor.counters),
      next_(processor.next),
      owner_(owner),
      backoff_(backoff_min) {}

Handover::~Handover() {
  if (flight_ != nullptr) flight_->handover_gone();
  if (spans_ == 0) return;
  counters_.dropped.add(spans_);
  counters_.held.add(-static_cast<std::int64_t>(spans_));
}

void Handover::send(SpanBatch batch) {
  spans_ = batch.span_count();
  batch_ = std::move(batch);
  attempt();
}

std::optional<Answer> Handover::refusal() const {
  if (!retry_) return std::nullopt;
  const auto wait = std::chrono::ceil<milliseconds>(retry_at_ - executor_.now());
  return Answer{Verdict::retry_later, std::max(wait, milliseconds(1)), refusal_};
}

void Handover::attempt() {
  flight_ = new Flight(*this);  // owns itself until it is answered
  next_.consume(batch_, Ack(*flight_));
}

void Handover::landed(const Answer& answer) {
  flight_ = nullptr;
  switch (answer.verdict) {
    case Verdict::accepted: return settle(counters_.out, true);
    case Verdict::rejected:
      log::limited(
          log::Level::error, "a batch was rejected downstream, its spans are dropped",
          {{"processor", id_}, {"spans", std::to_string(spans_)}, {"reason", answer.message}});
      return settle(counters_.dropped, false);
    case Verdict::retry_later: return retry_after(answer);
  }
}

void Handover::settle(Counter& counter, bool was_taken) {
  const std::uint64_t spans = std::exchange(spans_, 0);
  counter.add(spans);
  counters_.held.add(-static_cast<std::int64_t>(spans));
  batch_ = {};
  backoff_ = backoff_min;
  owner_.settled(spans, was_taken);
}

void Handover::retry_after(const Answer& answer) {
  const milliseconds delay =
      answer.delay.count() > 0 ? std::min(answer.delay, delay_max) : backoff_;
  backoff_ = std::min(backoff_ * 2, backoff_max);
  refusal_ = answer.message;
  retry_at_ = executor_.now() + delay;
  retry_ = executor_.after(delay, [this] {
    retry_ = {};
    attempt();
  });
}

}  // namespace sluice
