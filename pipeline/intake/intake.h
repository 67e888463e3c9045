#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/component.h"
#include "pipeline/intake/gate.h"
#include "pipeline/recycled.h"

namespace sluice {

/// Why a request was refused as a whole; the label of a counter.
enum class Reason : std::uint8_t {
  malformed,
  busy,
  stopping,
  overload,
  rejected,
  too_large,
  bad_encoding,
  unknown_encoding,
  bad_framing,
  timeout,
  wrong_request,  ///< method, path or content type that is not this protocol's
  other_signal
};
inline constexpr std::size_t reason_count = 12;

/// The way of every receiver's spans into the pipeline, for one of its transports: hands a batch
/// over, counts what became of it, and gives the answer back. Called on every worker. What was
/// handed over keeps it alive until it is answered, since the pipeline may answer later than the
/// receiver lives.
class Intake : public std::enable_shared_from_this<Intake> {
 public:
  /// `transport` is a label: "grpc", "http".
  Intake(const ReceiverContext& context, const std::string& transport, std::shared_ptr<Gate> gate);

  /// Gives a batch that is not empty to the pipeline of `worker`. `respond(Answer)` runs once, in
  /// this call or later and on any thread, when everything is counted. No allocation where the
  /// thread has spare blocks.
  template <typename Respond>
  void hand_over(SpanBatch batch, std::size_t worker, Respond respond);

  /// Of spans that the door left out of an accepted request, by reason: "invalid_id".
  void count_invalid_ids(std::uint64_t spans);
  /// For a request that had no span to hand over.
  void count_accepted() { accepted_requests_.add(1); }
  /// For what never got as far as `hand_over`.
  void count_refused(Reason reason) { refused_requests_[static_cast<std::size_t>(reason)]->add(1); }

  /// The most that one body may have: `configured`, but never more than half of what the ledger
  /// gives.
  std::size_t body_bytes_max(std::size_t configured) const;
  Ledger& ledger() { return ledger_; }

 private:
  template <typename Respond>
  class Pending;
  void count(std::uint64_t spans, Verdict verdict);
  void count_late(std::uint64_t spans);
  void refuse_spans(std::uint64_t count, Counter& why);

  Ledger& ledger_;
  const std::vector<Consumer*> next_;
  const std::shared_ptr<Gate> gate_;
  Counter& in_;
  Counter& out_;
  Counter& overload_;
  Counter& invalid_;
  Counter& invalid_id_;
  Counter& accepted_spans_;
  Counter& refused_spans_;
  Counter& accepted_requests_;
  std::array<Counter*, reason_count> refused_requests_{};
};

/// A batch that is on its way. Owns itself from the hand-over until the answer.
template <typename Respond>
class Intake::Pending final : public AckTarget, public Recycled<Intake::Pending<Respond>> {
 public:
  Pending(std::shared_ptr<Intake> intake, std::uint64_t spans, Respond respond)
      : intake_(std::move(intake)), spans_(spans), respond_(std::move(respond)) {}

  void answered(Answer given) noexcept override {
    const std::shared_ptr<Intake> intake = std::move(intake_);
    intake->count(spans_, given.verdict);
    respond_(std::move(given));
    delete this;
    intake->gate_->leave();
  }

 private:
  ~Pending() = default;
  std::shared_ptr<Intake> intake_;
  const std::uint64_t spans_;
  Respond respond_;
};

template <typename Respond>
void Intake::hand_over(SpanBatch batch, std::size_t worker, Respond respond) {
  if (!gate_->enter()) {
    count_late(batch.span_count());
    return respond({Verdict::retry_later, {}, "shutting down"});
  }
  auto* const pending =
      new Pending<Respond>(shared_from_this(), batch.span_count(), std::move(respond));
  next_[worker]->consume(std::move(batch), Ack(*pending));
}

}  // namespace sluice
