#include "pipeline/component.h"

#include "pipeline/recycled.h"

namespace sluice {

Ack& Ack::operator=(Ack&& other) noexcept {
  if (this == &other) return *this;
  const Ack replaced = std::move(*this);  // answers when it goes
  target_ = std::exchange(other.target_, nullptr);
  return *this;
}

Ack::~Ack() {
  if (target_ != nullptr) retry_later("the request was given up inside the pipeline");
}

void Ack::resolve(Answer answer) {
  if (AckTarget* target = std::exchange(target_, nullptr)) target->answered(std::move(answer));
}

/// A batch that went downstream and was not answered for yet: counts by the answer, then passes it
/// on. It may be answered, and so retired, on another thread than made it.
class Passage::Pending final : public AckTarget, public Recycled<Passage::Pending> {
 public:
  Pending(const Passage& passage, std::uint64_t spans, Ack ack)
      : out_(passage.out_),
        held_(passage.held_),
        overload_(passage.overload_),
        invalid_(passage.invalid_),
        spans_(spans),
        ack_(std::move(ack)) {
    held_.add(static_cast<std::int64_t>(spans_));
  }

  void answered(Answer answer) noexcept override {
    switch (answer.verdict) {
      case Verdict::accepted: out_.add(spans_); break;
      case Verdict::retry_later: overload_.add(spans_); break;
      case Verdict::rejected: invalid_.add(spans_); break;
    }
    held_.add(-static_cast<std::int64_t>(spans_));
    Ack ack = std::move(ack_);
    delete this;
    ack.resolve(std::move(answer));
  }

 private:
  ~Pending() = default;

  Counter& out_;
  Gauge& held_;
  Counter& overload_;
  Counter& invalid_;
  const std::uint64_t spans_;
  Ack ack_;
};

Passage::Passage(SpanCounters& counters)
    : out_(counters.out),
      held_(counters.held),
      overload_(counters.refused("overload")),
      invalid_(counters.refused("invalid")) {}

Ack Passage::follow(std::uint64_t spans, Ack ack) const {
  return Ack(*new Pending(*this, spans, std::move(ack)));
}

Transform::Transform(const ProcessorContext& context)
    : next_(context.next), counters_(context.counters), passage_(context.counters) {
  const auto expose = [&context](std::string_view name, std::string_view help,
                                 const Counter& counter) {
    context.metrics.counter_callback(name, help,
                                     {{"processor", context.id}, {"otel_signal", "traces"}},
                                     [&counter] { return static_cast<double>(counter.value()); });
  };
  expose("otelcol_processor_incoming_items", "Number of items passed to the processor.",
         counters_.in);
  expose("otelcol_processor_outgoing_items", "Number of items emitted from the processor.",
         counters_.out);
}

std::optional<SpanBatch> Transform::count_and_process(SpanBatch batch) {
  const std::uint64_t before = batch.span_count();
  counters_.in.add(before);
  SpanBatch result = process(std::move(batch));
  if (rejection_) {
    passage_.reject(before);
    return std::nullopt;
  }
  const std::uint64_t dropped = before - result.span_count();
  if (dropped > 0) counters_.dropped.add(dropped);
  return result;
}

std::string Transform::take_rejection() { return *std::exchange(rejection_, std::nullopt); }

std::optional<Answer> Transform::refusal(std::uint64_t) { return std::nullopt; }

std::optional<Answer> Transform::reserve(const Load& load) {
  if (std::optional<Answer> answer = refusal(load.spans)) return answer;
  return next_.reserve(load);
}

void Transform::consume(SpanBatch batch, Ack ack) {
  if (std::optional<Answer> answer = refusal(batch.span_count())) {
    counters_.in.add(batch.span_count());
    passage_.refuse(batch.span_count());
    return ack.resolve(std::move(*answer));
  }
  std::optional<SpanBatch> result = count_and_process(std::move(batch));
  if (!result) return ack.rejected(take_rejection());
  if (result->empty()) return ack.accepted();
  Ack followed = passage_.follow(result->span_count(), std::move(ack));
  next_.consume(std::move(*result), std::move(followed));
}

void Transform::commit(SpanBatch batch, const Load& reserved, Ack ack) {
  std::optional<SpanBatch> result = count_and_process(std::move(batch));
  if (!result || result->empty()) {
    next_.cancel(reserved);
    return result ? ack.accepted() : ack.rejected(take_rejection());
  }
  Ack followed = passage_.follow(result->span_count(), std::move(ack));
  next_.commit(std::move(*result), reserved, std::move(followed));
}

}  // namespace sluice
