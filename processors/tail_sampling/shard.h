#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/component.h"
#include "processors/tail_sampling/arrivals.h"
#include "processors/tail_sampling/decision_log.h"
#include "processors/tail_sampling/held_traces.h"
#include "processors/tail_sampling/judge.h"
#include "processors/tail_sampling/marks.h"
#include "processors/tail_sampling/metrics.h"
#include "processors/tail_sampling/options.h"
#include "processors/tail_sampling/outbox.h"
#include "processors/tail_sampling/past_decisions.h"

namespace sluice::tail_sampling {

/// What the shards of one sampler have in common.
struct Common {
  const Options& options;
  const Conditions& conditions;
  const Judge& judge;
  SamplerMetrics& metrics;
  Ledger& account;                     ///< of what is held
  std::atomic<std::uint64_t>& traces;  ///< held by all shards
  std::size_t shards;
};

/// Lists that came from another thread, and go to one with something else in them: what is always
/// freed by another thread than made it has both wait for the allocator.
class SpareLists {
 public:
  std::vector<Arrival> take() {
    if (lists_.empty()) return {};
    std::vector<Arrival> list = std::move(lists_.back());
    lists_.pop_back();
    return list;
  }
  void put(std::vector<Arrival> list) {
    if (lists_.size() == few) return;
    list.clear();
    lists_.push_back(std::move(list));
  }

 private:
  static constexpr std::size_t few = 8;
  std::vector<std::vector<Arrival>> lists_;
};

/// Holds the traces whose hash falls to it until their time has come, asks the policies, and lets
/// them go. The wait is the same for all traces, so two queues in order of arrival (of the first
/// span, of the root) are all the timer wheel that is needed. Lives on one executor; whoever is on
/// another posts to it.
class Shard {
 public:
  Shard(const ProcessorContext& processor, const Common& common);

  /// Spans that have been accepted. Own thread only.
  void take(SpanBatch batch, std::vector<Arrival>& arrivals);
  /// Decides all that is left and hands it on; `done` when it was taken.
  void stop(Task done);

  /// The last decisions, as DecisionLog has it. Own thread only.
  std::string describe(const std::optional<TraceId>& trace, std::size_t limit) const {
    return log_.describe(trace, limit);
  }

  Executor& executor() const { return executor_; }
  /// Arrivals that were posted to it and have not come.
  std::atomic<std::uint32_t> in_transit{0};
  /// Own thread only.
  SpareLists spare;
  /// What newcomers are told while it cannot get rid of what it keeps. Any thread.
  bool is_shut() const { return is_shut_.load(std::memory_order_relaxed); }

 private:
  using Handle = TraceHandle;
  using TimePoint = Executor::TimePoint;
  struct Due {
    Handle trace;
    std::uint64_t hash;
    TimePoint at;
  };

  void sort_out_late(const SpanBatch& batch, std::vector<Arrival>& arrivals);
  void await(const Arrival& arrival, TimePoint now);
  void judge_part(const Arrival& arrival, TimePoint now);
  void check_size(Handle trace, TimePoint now);
  void make_room(TimePoint now);
  std::optional<Reason> overflow() const;

  Case case_of(Handle trace, const TraceFacts& facts, TimePoint now);
  void decide(Handle trace, Reason reason, TimePoint now);
  Marks marks_of(const TraceFacts& facts, const Decision& decision) const;
  void conclude(Handle trace, const Decision& decision, Reason reason, TimePoint now);

  void decide_due();
  std::optional<std::pair<Handle, Reason>> next_due(TimePoint now);
  const Due* front(std::deque<Due>& queue) const;
  void tidy(std::deque<Due>& queue) const;
  void prefetch(const std::deque<Due>& queue) const;
  void say_too_early(Handle trace, Reason reason, TimePoint now);
  void arm();
  void end_turn();
  void finish_if_empty();

  const Common common_;
  Executor& executor_;
  SpanCounters& counters_;
  HeldTraces traces_;
  PastDecisions past_;
  Outbox outbox_;
  Tally tally_;
  DecisionLog log_;
  std::deque<Due> by_first_span_;
  std::deque<Due> by_root_;
  Timer timer_;
  TimePoint timer_at_;
  TimePoint quiet_until_;     ///< no warning before
  bool is_deciding_ = false;  ///< a turn that goes on is posted
  std::atomic<bool> is_shut_{false};
  Task stopped_;
  std::uint64_t traces_told_ = 0;  ///< to all shards, and to the gauge

  // Of this turn.
  std::optional<std::chrono::system_clock::time_point> turn_time_;
  std::uint64_t dropped_ = 0;  ///< spans, not told to the counters yet

  // Room for the work of one call.
  Said said_;
  std::vector<std::uint32_t> late_;
};

}  // namespace sluice::tail_sampling
