#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/traces/trace_shard.h"
#include "processors/tail_sampling/decision_log.h"
#include "processors/tail_sampling/judge.h"
#include "processors/tail_sampling/marks.h"
#include "processors/tail_sampling/metrics.h"
#include "processors/tail_sampling/options.h"
#include "processors/tail_sampling/past_decisions.h"

namespace sluice::tail_sampling {

/// What the shards of one sampler have in common.
struct Common {
  TracePool& pool;
  const Options& options;
  const Conditions& conditions;
  const Judge& judge;
  SamplerMetrics& metrics;
};

/// Asks the policies when the time of a trace has come, and sends on or drops it; spans that come
/// later follow.
class Shard final : public TraceShard {
 public:
  Shard(const ProcessorContext& processor, const Common& common);

  /// The last decisions, as DecisionLog has it. Own thread only.
  std::string describe(const std::optional<TraceId>& trace, std::size_t limit) const {
    return log_.describe(trace, limit);
  }

 private:
  using Handle = TraceHandle;

  void let_go(Handle trace, DueReason reason, TimePoint now) override;
  void sort_out(const SpanBatch& batch, std::vector<Arrival>& arrivals) override;
  void look_at(std::span<const Arrival> arrivals, TimePoint now) override;
  void prefetch_more(std::uint64_t hash) const override { past_.prefetch(hash); }
  void tell() override {
    turn_time_.reset();
    tally_.flush(common_.metrics);
  }

  void judge_part(const Arrival& arrival, TimePoint now);
  void check_size(Handle trace, TimePoint now);
  Case case_of(Handle trace, const TraceFacts& facts, TimePoint now);
  bool is_past_deciding(DueReason reason) const;
  Marks marks_of(const TraceFacts& facts, const Decision& decision) const;
  void conclude_undecided(Handle trace, DueReason reason, TimePoint now);
  void conclude(Handle trace, const Decision& decision, DueReason reason, TimePoint now);

  const Common common_;
  Executor& executor_;
  PastDecisions past_;
  Tally tally_;
  DecisionLog log_;
  std::optional<DecisionLog::WallTime> turn_time_;  ///< of the decisions of this turn

  // Room for the work of one call.
  Said said_;
  std::vector<std::uint32_t> late_;
};

}  // namespace sluice::tail_sampling
