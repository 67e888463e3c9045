#pragma once

#include <cstdint>
#include <deque>

#include "pipeline/handover.h"
#include "pipeline/ledger.h"
#include "pipeline/model/span_batch.h"
#include "pipeline/unique_function.h"

namespace sluice {

/// Spans that are to leave: traces, each whole in one batch, several in a batch while
/// downstream is busy. Copied out of the requests that others still lie in, so that what is
/// downstream pins nothing here and is charged as in flight.
class Outbox final : private Handover::Owner {
 public:
  /// `others_hold`: parts of the same requests, so that none may leave with its spans. `changed` is
  /// called whenever a batch was settled. The references outlive this.
  Outbox(const ProcessorContext& processor, bool others_hold, Task changed);
  ~Outbox();

  void add(SpanBatch trace);
  /// For a trace that is to be a batch of its own.
  void add_alone(SpanBatch trace);
  /// For a trace that would be too large a batch: in pieces.
  void add_in_pieces(const SpanBatch& trace);
  /// Hands over what downstream takes.
  void flush();
  bool is_empty() const { return spans_ == 0; }
  /// While more is waiting than should be: what newcomers are told.
  std::optional<Answer> refusal() const;

 private:
  void settled(std::uint64_t spans, bool was_taken) override;
  void seal();

  const bool others_hold_;
  SpanCounters& counters_;
  Ledger& in_flight_;
  Task changed_;
  BatchMerger open_;
  std::deque<SpanBatch> sealed_;
  std::uint64_t spans_ = 0;  ///< all that has not been settled
  bool is_flushing_ = false;
  Handover handover_;
};

}  // namespace sluice
