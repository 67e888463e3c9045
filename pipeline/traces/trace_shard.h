#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "pipeline/component.h"
#include "pipeline/traces/arrivals.h"
#include "pipeline/traces/due_reason.h"
#include "pipeline/traces/held_traces.h"
#include "pipeline/traces/outbox.h"
#include "pipeline/traces/trace_pool.h"

namespace sluice {

/// Holds the traces whose hash falls to it until their time has come; what becomes of them then is
/// for the component to say. The wait is the same for all traces, so two queues in order of arrival
/// (of the first span, of the root) are all the timer wheel that is needed. Lives on one executor;
/// whoever is on another posts to it.
class TraceShard {
 public:
  /// The references outlive this. `growth` may be null.
  TraceShard(const ProcessorContext& processor, TracePool& pool,
             const GrowthQuestions* growth = nullptr);
  virtual ~TraceShard() = default;
  TraceShard(const TraceShard&) = delete;
  TraceShard& operator=(const TraceShard&) = delete;

  /// Spans that have been accepted. Own thread only.
  void take(SpanBatch batch, std::vector<Arrival> arrivals);
  /// The same from other threads.
  void post(SpanBatch batch, std::vector<Arrival> arrivals);
  /// Lets go of all that is left; `done` when it was taken.
  void stop(Task done);

  Executor& executor() const { return executor_; }
  /// Newcomers are refused while it cannot get rid of what is to leave. Any thread.
  bool is_shut() const { return is_shut_.load(std::memory_order_relaxed); }
  /// What came until then has gone, where it had to (TracePool::go_back_to). Any thread.
  Executor::TimePoint reached() const { return reached_.load(); }

 protected:
  using TimePoint = Executor::TimePoint;

  /// The time of a trace has come: it is to be taken out, or dropped.
  virtual void let_go(TraceHandle trace, DueReason reason, TimePoint now) = 0;
  /// Before what has come is filed, those that are held already with their `trace`. What it erases
  /// is not, and its to account for.
  virtual void sort_out(const SpanBatch&, std::vector<Arrival>&) {}
  /// After that. It may let go some.
  virtual void look_at(std::span<const Arrival>, TimePoint) {}
  /// A trace with this hash will be let go soon: what that reads is long out of the cache.
  virtual void prefetch_more(std::uint64_t) const {}
  /// Once for many traces.
  virtual void tell() {}

  const HeldTraces& traces() const { return traces_; }
  Outbox& outbox() { return outbox_; }
  /// All spans of the trace, which is not held any more.
  SpanBatch take_out(TraceHandle trace) { return traces_.take(trace); }
  void drop(TraceHandle trace);
  /// By decision, of what had been accepted.
  void count_dropped(std::uint64_t spans) { dropped_ += spans; }

 private:
  struct Due {
    TraceHandle trace;
    std::uint64_t hash;
    TimePoint at;
  };

  void await(const Arrival& arrival, TimePoint now);
  void check_size(TraceHandle trace, TimePoint now);
  void make_room(TimePoint now);
  bool let_go_oldest(std::size_t bytes, TimePoint now);
  void follow(TimePoint now);
  void call();
  void let_go_early(TraceHandle trace, DueReason reason, TimePoint now);
  bool is_above_num_traces() const;
  std::size_t excess() const;
  void say_too_early(TraceHandle trace, DueReason reason, TimePoint now);

  void let_go_due();
  std::optional<std::pair<TraceHandle, DueReason>> next_due(TimePoint now);
  const Due* front(std::deque<Due>& queue) const;
  void tidy(std::deque<Due>& queue) const;
  void prefetch(const std::deque<Due>& queue) const;
  void arm();
  void end_turn();
  void finish_if_empty();

  TracePool& pool_;
  Executor& executor_;
  SpanCounters& counters_;
  HeldTraces traces_;
  Outbox outbox_;
  SpareLists& spare_;
  std::deque<Due> by_first_span_;
  std::deque<Due> by_root_;
  Timer timer_;
  TimePoint timer_at_;
  TimePoint quiet_until_;  ///< no warning before
  bool goes_on_ = false;   ///< a turn that goes on is posted
  std::atomic<bool> is_shut_{false};
  std::atomic<TimePoint> reached_{TimePoint::min()};
  std::atomic<bool> is_called_{false};
  std::atomic<std::uint32_t> in_transit_{0};  ///< what was posted and has not come
  Task stopped_;
  std::uint64_t traces_told_ = 0;  ///< to all shards, and to the gauge
  std::uint64_t dropped_ = 0;      ///< spans, not told yet
};

}  // namespace sluice
