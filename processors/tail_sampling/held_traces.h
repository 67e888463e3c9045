#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "pipeline/model/span_batch.h"
#include "processors/tail_sampling/condition.h"
#include "processors/tail_sampling/facts.h"

namespace sluice::tail_sampling {

/// The traces that wait for their decision: their facts, and their spans as slices of the requests
/// that brought them. What a span costs beside its bytes is its place in an index (16 bytes), a
/// bit, and its share of a run of neighbours and of its trace.
class HeldTraces {
 public:
  /// Names a trace while it is held.
  using Handle = std::uint32_t;
  static constexpr Handle none = UINT32_MAX;

  /// `conditions` outlives this. `key` makes hashes that senders cannot foresee.
  HeldTraces(const Conditions& conditions, std::uint64_t key)
      : conditions_(conditions), key_(key) {}

  /// Files every span of the batch under its trace. Those that are new are appended to `fresh`.
  void add(SpanBatch batch, std::vector<Handle>& fresh);
  /// Files some spans, all of one batch.
  void add(SpanBatch batch, std::span<const std::uint32_t> indexes, std::vector<Handle>& fresh);

  Handle find(std::string_view trace_id) const;
  const TraceFacts& facts(Handle trace) const { return traces_[trace].facts; }
  /// All spans of the trace in one batch, in order of arrival; it is not held any more.
  SpanBatch take(Handle trace);
  void drop(Handle trace);

  std::size_t size() const { return traces_.size() - free_traces_.size(); }
  std::uint64_t spans() const { return spans_; }
  /// Memory that is pinned by what is held, by estimate: requests, indexes and what is kept here.
  std::size_t bytes() const { return request_bytes_ + spans_ + traces_.capacity() * sizeof(Trace); }
  std::uint64_t hash(std::string_view trace_id) const;

 private:
  /// Spans that came in one request, and which of them are still held.
  struct Segment {
    SpanBatch batch;
    std::vector<bool> is_held;
    std::vector<std::uint32_t> moved;  ///< where each span is now, once some were let go
    std::uint32_t held = 0;
    std::size_t bytes = 0;
  };
  /// Neighbours in a segment.
  struct Run {
    std::uint32_t segment = 0;
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };
  struct Trace {
    TraceFacts facts;
    std::vector<Run> runs;
    Handle in_bucket = none;
  };

  std::uint32_t new_segment(SpanBatch batch);
  Handle trace_of(std::string_view id, std::vector<Handle>& fresh);
  void file(std::uint32_t segment, std::uint32_t index, std::vector<Handle>& fresh);
  void release(std::uint32_t segment, const Run& run);
  void let_go(std::uint32_t segment);
  void compact(Segment& segment);
  void grow();
  Handle& bucket_of(std::string_view id) { return buckets_[hash(id) & (buckets_.size() - 1)]; }

  const Conditions& conditions_;
  std::uint64_t key_;
  std::vector<Segment> segments_;
  std::vector<std::uint32_t> free_segments_;
  std::vector<Trace> traces_;
  std::vector<Handle> free_traces_;
  std::vector<Handle> buckets_;  ///< a power of two, as many as traces at least
  std::uint64_t spans_ = 0;
  std::size_t request_bytes_ = 0;
};

}  // namespace sluice::tail_sampling
