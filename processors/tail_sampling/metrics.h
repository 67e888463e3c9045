#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "pipeline/component.h"
#include "pipeline/traces/due_reason.h"
#include "pipeline/traces/trace_pool.h"
#include "processors/tail_sampling/judge.h"

namespace sluice::tail_sampling {

/// Under the collector's names, and some of our own.
struct SamplerMetrics {
  SamplerMetrics(Metrics& metrics, std::string_view id, const Judge& judge);

  /// What a policy's votes count as: traces, spans and bytes by vote.
  struct OfPolicy {
    std::array<Counter*, 4> traces{};  ///< by Vote; none for not_asked
    std::array<Counter*, 4> spans{};
    std::array<Counter*, 4> bytes{};
    Counter* asked = nullptr;
    Counter* would_keep = nullptr;  ///< shadows alone: would have kept what was not
    Counter* would_drop = nullptr;
  };
  std::vector<OfPolicy> policies;
  TraceMetrics traces;
  Counter& kept;
  Counter& not_kept;
  Counter& dropped;
  std::array<Counter*, due_reason_words.size()> decided{};  ///< by DueReason
  Counter& too_large;
  Counter& late_kept;  ///< spans
  Counter& late_dropped;
  Counter& unreadable;  ///< spans to which no threshold could be written
  Gauge& buffer_seconds;
  Histogram& removal_age;
};

/// Counts of one shard, which go to the metrics of all once a turn.
class Tally {
 public:
  explicit Tally(const Judge& judge) : policies_(judge.policies().size()), judge_(judge) {}
  void count(const TraceFacts& facts, const Decision& decision, std::span<const Vote> votes,
             DueReason reason);
  /// Of a trace that is decided, in seconds. Those that came in one request have one.
  void age(double seconds, SamplerMetrics& metrics);
  void flush(SamplerMetrics& metrics);

 private:
  struct Sum {
    std::uint64_t traces = 0, spans = 0, bytes = 0;
  };
  struct OfPolicy {
    std::array<Sum, 4> by_vote{};
    std::uint64_t would_keep = 0, would_drop = 0;
  };
  std::vector<OfPolicy> policies_;
  const Judge& judge_;
  std::array<std::uint64_t, due_reason_words.size()> decided_{};
  std::uint64_t kept_ = 0, not_kept_ = 0, dropped_ = 0;
  double age_ = 0;
  std::uint64_t of_age_ = 0;  ///< traces
};

}  // namespace sluice::tail_sampling
