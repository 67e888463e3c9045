#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "pipeline/executor.h"
#include "pipeline/ledger.h"
#include "pipeline/model/span_batch.h"
#include "pipeline/traces/arrivals.h"
#include "pipeline/traces/chunks.h"
#include "pipeline/traces/trace_facts.h"

namespace sluice {

/// The traces that wait for their time: their facts, and their spans as slices of the requests
/// that brought them. What a span costs beside its bytes is its place in an index (16 bytes), a
/// bit, and its share of a run of neighbours and of its trace.
class HeldTraces {
 public:
  using Handle = TraceHandle;

  /// What is held is charged to `account`, what leaves to `in_flight`. All outlive this. `shards`:
  /// how many of these divide each request between them. `growth` may be null.
  HeldTraces(Ledger& account, Ledger& in_flight, std::size_t shards = 1,
             const GrowthQuestions* growth = nullptr)
      : account_(account), in_flight_(in_flight), shards_(shards), growth_(growth) {}
  ~HeldTraces();
  HeldTraces(const HeldTraces&) = delete;
  HeldTraces& operator=(const HeldTraces&) = delete;

  /// Finds the traces of these arrivals, of those that are held.
  void find(std::span<Arrival> arrivals) const;
  Handle find(const TraceId& id, std::uint64_t hash) const;
  /// Files these arrivals of the batch, after `find`, and says where. Their places in the batch are
  /// not valid any more.
  void add(SpanBatch batch, std::span<Arrival> arrivals, Executor::TimePoint now);
  bool holds(Handle trace) const {
    return traces_[trace.number].generation == trace.generation && traces_[trace.number].is_held;
  }
  /// Its time comes soon.
  void prefetch(Handle trace, std::uint64_t hash) const {
    __builtin_prefetch(&buckets_[hash & (buckets_.size() - 1)], 1);
    prefetch(trace.number);
  }
  const TraceFacts& facts(Handle trace) const { return traces_[trace.number].facts; }
  std::uint64_t hash(Handle trace) const { return traces_[trace.number].hash; }
  Executor::TimePoint first_seen(Handle trace) const { return traces_[trace.number].first_seen; }

  /// Each of the trace's spans, in order of arrival: `visit(batch, entry)`.
  template <typename Visit>
  void each_span(Handle trace, const Visit& visit) const {
    const Runs& runs = traces_[trace.number].runs;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const Segment& segment = segments_[runs[i].segment];
      const std::uint32_t first = place(segment, runs[i].first);
      for (const SpanEntry& entry : segment.batch.spans().subspan(first, runs[i].count))
        visit(segment.batch, entry);
    }
  }
  /// All spans of the trace in one batch, in order of arrival; it is not held any more.
  SpanBatch take(Handle trace);
  void drop(Handle trace);
  /// Copies out what is left of requests most of which has gone. Apart from `drop`, since traces
  /// that came together go together: what one leaves, the next may take.
  void compact();

  std::size_t size() const { return traces_.size() - free_traces_.size(); }
  std::uint64_t spans() const { return spans_; }

 private:
  using Number = std::uint32_t;
  static constexpr Number none = UINT32_MAX;

  /// Spans that came in one request, and which of them are still held.
  struct Segment {
    SpanBatch batch;
    std::vector<bool> is_held;
    std::vector<std::uint32_t> left;  ///< once it was copied out: the spans that are in `batch`
    std::uint32_t held = 0;           ///< spans, here: other shards may hold more of them
    std::size_t bytes = 0;            ///< of all spans that it had when it was copied last
    std::size_t held_bytes = 0;
    bool is_shared = false;    ///< other shards hold the rest of the request
    bool is_wasteful = false;  ///< waits to be copied out

    std::size_t memory() const {
      return is_held.capacity() / 8 + left.capacity() * sizeof(std::uint32_t);
    }
  };
  /// Neighbours in a segment.
  struct Run {
    Number segment = 0;
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    std::uint32_t bytes = 0;
  };
  /// In order of arrival. Those of most traces are few, and then need no memory of their own.
  class Runs {
   public:
    std::size_t size() const { return size_; }
    std::size_t memory() const { return many_.capacity() * sizeof(Run); }
    Run& operator[](std::size_t number) {
      return number < few_.size() ? few_[number] : many_[number - few_.size()];
    }
    const Run& operator[](std::size_t number) const {
      return number < few_.size() ? few_[number] : many_[number - few_.size()];
    }
    void add(const Run& run) {
      if (size_ < few_.size())
        few_[size_] = run;
      else
        add_to_many(run);
      ++size_;
    }
    void clear() {
      size_ = 0;
      many_ = {};
    }

   private:
    /// As many again at first, which is one allocation for most traces that need any.
    void add_to_many(const Run& run) {
      if (many_.empty()) many_.reserve(few_.size());
      many_.push_back(run);
    }

    std::array<Run, 4> few_;
    std::vector<Run> many_;
    std::size_t size_ = 0;
  };
  /// Aligned, so that it takes four cache lines and no fifth.
  struct alignas(64) Trace {
    TraceFacts facts;
    std::uint64_t hash = 0;
    Executor::TimePoint first_seen;
    Runs runs;
    Number in_bucket = none;
    std::uint32_t generation = 0;
    bool is_held = false;
  };

  Number new_segment(SpanBatch batch, std::span<const Arrival> arrivals);
  Number new_trace(const Arrival& arrival, Executor::TimePoint now);
  void prefetch(Number trace) const {
    const char* memory = reinterpret_cast<const char*>(&traces_[trace]);
    for (std::size_t line = 0; line < sizeof(Trace); line += 64)
      __builtin_prefetch(memory + line, 1);
  }
  static void mark(Segment& segment, std::uint32_t first, std::uint64_t count, bool is_held) {
    std::fill_n(segment.is_held.begin() + first, count, is_held);
  }
  void release(const Run& run);
  void let_go(Number segment);
  void no_longer_pay(const Segment& segment);
  SpanBatch part_of(SpanBatch batch, std::span<Arrival> arrivals) const;
  void compact(Segment& segment);
  void grow();
  void charge_tables();
  Number& bucket_of(std::uint64_t hash) { return buckets_[hash & (buckets_.size() - 1)]; }
  static std::uint32_t place(const Segment& segment, std::uint32_t span) {
    if (segment.left.empty()) return span;
    return static_cast<std::uint32_t>(std::ranges::lower_bound(segment.left, span) -
                                      segment.left.begin());
  }

  Ledger& account_;
  Ledger& in_flight_;
  std::size_t shards_;
  const GrowthQuestions* growth_;
  Chunks<Segment> segments_;
  std::vector<Number> free_segments_;
  std::vector<Number> wasteful_;
  Chunks<Trace> traces_;
  std::vector<Number> free_traces_;
  std::vector<Number> buckets_;  ///< a power of two, twice as many as traces at least
  std::uint64_t spans_ = 0;
  std::size_t segments_bytes_ = 0;  ///< what they have beside their batches
  std::size_t runs_bytes_ = 0;      ///< of those that have memory of their own
  std::size_t tables_charged_ = 0;
};

}  // namespace sluice
