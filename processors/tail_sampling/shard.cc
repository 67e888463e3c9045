#include "processors/tail_sampling/shard.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "pipeline/log.h"

namespace sluice::tail_sampling {
namespace {

using std::chrono::milliseconds;

/// Moments of decision are this far apart at most, so that a timer stands for many traces.
constexpr milliseconds tick_max{100};

/// After so many decisions a turn gives way to what else waits on the loop: about a millisecond. Or
/// after so many spans, each of which takes up to a microsecond where it is kept and came alone.
constexpr int decisions_a_turn = 1000;
constexpr std::uint64_t spans_a_turn = 20'000;

/// For one of the shards, rounded up.
std::size_t share(std::uint64_t of_all, std::size_t shards) {
  return static_cast<std::size_t>((of_all + shards - 1) / shards);
}

/// Moments of decision are rounded up to the ticks of the clock.
Executor::TimePoint due_after(Executor::TimePoint now, std::chrono::nanoseconds wait) {
  const auto tick = std::clamp<std::chrono::nanoseconds>(wait / 20, milliseconds(1), tick_max);
  const auto due = (now + wait).time_since_epoch();
  return Executor::TimePoint((due + tick - std::chrono::nanoseconds(1)) / tick * tick);
}

}  // namespace

Shard::Shard(const ProcessorContext& processor, const Common& common)
    : common_(common),
      executor_(processor.executor),
      counters_(processor.counters),
      traces_(common.conditions, common.account, processor.ledger, common.shards),
      past_(share(common.options.kept_ids_max, common.shards),
            share(common.options.dropped_ids_max, common.shards), common.judge.has_thresholds()),
      outbox_(processor, [this] { end_turn(); }),
      tally_(common.judge),
      log_(common.judge, share(common.options.decision_log_size, common.shards)),
      said_(common.judge.nothing_said()) {}

void Shard::take(SpanBatch batch, std::vector<Arrival>& arrivals) {
  const TimePoint now = executor_.now();
  traces_.find(arrivals);
  sort_out_late(batch, arrivals);
  traces_.add(std::move(batch), arrivals, now);
  std::uint64_t fresh = 0;
  for (const Arrival& each : arrivals) {
    await(each, now);
    fresh += each.is_new;
  }
  common_.metrics.new_traces.add(fresh);
  if (common_.options.judge_on_arrival) {
    for (const Arrival& each : arrivals) judge_part(each, now);
  }
  for (const Arrival& each : arrivals) check_size(each.trace, now);
  make_room(now);
  tidy(by_first_span_);
  tidy(by_root_);
  arm();
  end_turn();
}

/// Spans of traces that were decided follow the decision; their arrivals leave the list.
void Shard::sort_out_late(const SpanBatch& batch, std::vector<Arrival>& arrivals) {
  late_.clear();
  std::uint64_t dropped = 0;
  for (const Arrival& each : arrivals) {
    if (!each.trace) past_.prefetch(each.hash);
  }
  std::erase_if(arrivals, [&](const Arrival& each) {
    if (each.trace) return false;
    const auto [fate, threshold] = past_.find(each.facts.trace_id, each.hash);
    switch (fate) {
      case PastDecisions::Fate::unknown: return false;
      case PastDecisions::Fate::dropped: dropped += each.facts.spans; return true;
      case PastDecisions::Fate::kept: break;
    }
    if (threshold != Opinion::unknown) {
      common_.metrics.late_kept.add(each.facts.spans);
      outbox_.add(marked(batch.slice(each.first, static_cast<std::uint32_t>(each.facts.spans)),
                         {.threshold = threshold, .randomness = each.facts.randomness()},
                         common_.metrics.unreadable));
      return true;
    }
    for (std::uint32_t i = 0; i < each.facts.spans; ++i) late_.push_back(each.first + i);
    return true;
  });
  if (dropped > 0) common_.metrics.late_dropped.add(dropped);
  dropped_ += dropped;
  if (late_.empty()) return;
  common_.metrics.late_kept.add(late_.size());
  outbox_.add(batch.select(late_));
}

void Shard::await(const Arrival& arrival, TimePoint now) {
  if (arrival.is_new)
    by_first_span_.push_back(
        {arrival.trace, arrival.hash, due_after(now, common_.options.decision_wait)});
  const auto after_root = common_.options.decision_wait_after_root_received;
  if (arrival.is_first_root && after_root.count() > 0)
    by_root_.push_back({arrival.trace, arrival.hash, due_after(now, after_root)});
}

/// With span-ingest: what the spans of a request say by themselves, and the trace's size with them.
void Shard::judge_part(const Arrival& arrival, TimePoint now) {
  if (!traces_.holds(arrival.trace)) return;
  TraceFacts part = arrival.facts;
  part.spans = traces_.facts(arrival.trace).spans;
  part.bytes = traces_.facts(arrival.trace).bytes;
  const Decision decision =
      common_.judge.decide_part(case_of(arrival.trace, part, now), said_.votes);
  if (decision.policy != Decision::nobody) conclude(arrival.trace, decision, Reason::arrived, now);
}

void Shard::check_size(Handle trace, TimePoint now) {
  if (!traces_.holds(trace)) return;
  const std::uint64_t bytes = traces_.facts(trace).bytes;
  const Options& options = common_.options;
  if (options.maximum_trace_size_bytes > 0 && bytes > options.maximum_trace_size_bytes) {
    common_.metrics.too_large.add(1);
    std::ranges::fill(said_.votes, Vote::not_asked);
    return conclude(trace, {}, Reason::too_large, now);
  }
  if (bytes >= options.trace_max_bytes) decide(trace, Reason::too_large, now);
}

/// At the limits the oldest traces are decided now, on what has come of them. As much as is too
/// much goes before what is left of its requests is copied together, so that this is done once.
void Shard::make_room(TimePoint now) {
  if (common_.options.block_on_overflow) return;
  while (const std::optional<Reason> reason = overflow()) {
    const std::size_t used = common_.account.used();
    const std::size_t excess = used - std::min<std::size_t>(used, common_.options.max_bytes);
    std::size_t gone = 0;
    do {
      const Due* oldest = front(by_first_span_);
      if (oldest == nullptr) return traces_.compact();
      const Handle trace = oldest->trace;
      say_too_early(trace, *reason, now);
      gone += traces_.facts(trace).bytes;
      common_.metrics.too_early.add(1);
      decide(trace, *reason, now);
    } while (gone < excess);
    if (excess > 0) traces_.compact();
  }
}

/// Once in a while, since it makes text.
void Shard::say_too_early(Handle trace, Reason reason, TimePoint now) {
  if (now < quiet_until_) return;
  quiet_until_ = now + std::chrono::seconds(10);
  const auto seconds = [](Executor::Duration duration) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count());
  };
  log::limited(log::Level::warn, "traces are decided before their time: the buffer is full",
               {{"reason", std::string(reason_words[static_cast<std::size_t>(reason)])},
                {"seconds_held", seconds(now - traces_.first_seen(trace))},
                {"decision_wait_seconds", seconds(common_.options.decision_wait)}});
}

std::optional<Reason> Shard::overflow() const {
  if (common_.account.used() > common_.options.max_bytes) return Reason::over_bytes;
  // What others hold may be out of date by a turn.
  const std::uint64_t others = common_.traces.load(std::memory_order_relaxed) - traces_told_;
  if (others + traces_.size() > common_.options.num_traces) return Reason::over_traces;
  return std::nullopt;
}

Case Shard::case_of(Handle trace, const TraceFacts& facts, TimePoint now) {
  return {facts, now, said_.notes, &traces_, trace};
}

void Shard::decide(Handle trace, Reason reason, TimePoint now) {
  const Case whole = case_of(trace, traces_.facts(trace), now);
  conclude(trace, common_.judge.decide(whole, said_.votes), reason, now);
}

/// What a trace that is kept carries on.
Marks Shard::marks_of(const TraceFacts& facts, const Decision& decision) const {
  Marks marks;
  if (common_.options.record_policy && decision.policy != Decision::nobody)
    marks.policy = common_.judge.policies()[decision.policy].name;
  if (common_.judge.has_thresholds()) marks.threshold = decision.threshold;
  marks.randomness = facts.randomness();
  return marks;
}

void Shard::conclude(Handle trace, const Decision& decision, Reason reason, TimePoint now) {
  const TraceFacts& facts = traces_.facts(trace);
  tally_.count(facts, decision, said_.votes, reason);
  if (!turn_time_) turn_time_ = executor_.wall_time();
  log_.add(facts, decision, said_, reason, *turn_time_);
  const std::chrono::duration<double> age = now - traces_.first_seen(trace);
  tally_.age(age.count(), common_.metrics);
  if (decision.is_kept) {
    past_.keep(facts.trace_id, traces_.hash(trace), decision.threshold);
    const bool is_giant = facts.bytes >= common_.options.trace_max_bytes;
    const Marks marks = marks_of(facts, decision);
    SpanBatch whole = traces_.take(trace);
    if (!marks.empty()) whole = marked(whole, marks, common_.metrics.unreadable);
    if (is_giant)
      outbox_.add_in_pieces(whole);
    else
      outbox_.add(std::move(whole));
    return;
  }
  past_.drop(traces_.hash(trace));
  dropped_ += facts.spans;
  traces_.drop(trace);
}

/// The first that still waits; those before it were decided by other reasons.
const Shard::Due* Shard::front(std::deque<Due>& queue) const {
  while (!queue.empty() && !traces_.holds(queue.front().trace)) queue.pop_front();
  return queue.empty() ? nullptr : &queue.front();
}

/// Those that were decided for other reasons must not pile up behind one that waits. What this
/// costs is shared by as many traces that came since the last time.
void Shard::tidy(std::deque<Due>& queue) const {
  constexpr std::size_t few = 1000;
  if (queue.size() <= 2 * traces_.size() + few) return;
  std::erase_if(queue, [this](const Due& due) { return !traces_.holds(due.trace); });
}

/// What is decided in a moment is long out of the cache.
void Shard::prefetch(const std::deque<Due>& queue) const {
  constexpr std::size_t ahead = 8;
  if (queue.size() <= ahead) return;
  const Due& later = queue[ahead];
  traces_.prefetch(later.trace, later.hash);
  past_.prefetch(later.hash);
}

void Shard::arm() {
  if (is_deciding_ || stopped_) return;
  const Due* first = front(by_first_span_);
  if (const Due* root = front(by_root_); root != nullptr && (!first || root->at < first->at))
    first = root;
  if (first == nullptr) return timer_.cancel();
  if (timer_ && timer_at_ <= first->at) return;
  timer_at_ = first->at;
  timer_ =
      executor_.after(std::max(first->at - executor_.now(), Executor::Duration::zero()), [this] {
        timer_ = {};
        decide_due();
      });
}

std::optional<std::pair<Shard::Handle, Reason>> Shard::next_due(TimePoint now) {
  if (stopped_) {
    const Due* any = front(by_first_span_);
    if (any == nullptr) return std::nullopt;
    return std::pair(any->trace, Reason::stopped);
  }
  if (const Due* root = front(by_root_); root != nullptr && root->at <= now)
    return std::pair(root->trace, Reason::root);
  if (const Due* first = front(by_first_span_); first != nullptr && first->at <= now)
    return std::pair(first->trace, Reason::waited);
  return std::nullopt;
}

void Shard::decide_due() {
  const TimePoint begin = executor_.now();
  is_deciding_ = false;
  std::uint64_t spans = 0;
  for (int count = 0; count < decisions_a_turn && spans < spans_a_turn; ++count) {
    const auto due = next_due(begin);
    if (!due) break;
    const auto& [trace, reason] = *due;
    spans += traces_.facts(trace).spans;
    prefetch(reason == Reason::root ? by_root_ : by_first_span_);
    const bool is_too_late = stopped_ && common_.options.drop_pending_traces_on_shutdown;
    // With span-ingest the end of the wait is the end of the trace: no policy has sampled it.
    if (is_too_late || common_.options.judge_on_arrival) {
      std::ranges::fill(said_.votes, Vote::not_asked);
      conclude(trace, {}, reason, begin);
    } else {
      decide(trace, reason, begin);
    }
  }
  const std::chrono::duration<double, std::milli> took = executor_.now() - begin;
  common_.metrics.tick_ms.observe(took.count());
  if (next_due(begin)) {
    is_deciding_ = true;
    executor_.post([this] { decide_due(); });
  } else {
    arm();
    traces_.compact();
  }
  end_turn();
}

/// Hands on what was kept and says how things stand.
void Shard::end_turn() {
  outbox_.flush();
  is_shut_.store(outbox_.refusal().has_value(), std::memory_order_relaxed);
  tally_.flush(common_.metrics);
  turn_time_.reset();
  // Not with each trace: all shards write to these.
  if (dropped_ > 0) {
    counters_.dropped.add(dropped_);
    counters_.held.add(-static_cast<std::int64_t>(std::exchange(dropped_, 0)));
  }
  const std::uint64_t change = traces_.size() - std::exchange(traces_told_, traces_.size());
  if (change != 0) {
    common_.traces.fetch_add(change, std::memory_order_relaxed);
    common_.metrics.held_traces.add(static_cast<std::int64_t>(change));
  }
  finish_if_empty();
}

void Shard::stop(Task done) {
  // What other workers have posted comes first.
  if (in_transit.load(std::memory_order_acquire) > 0) {
    executor_.post([this, later = std::move(done)]() mutable { stop(std::move(later)); });
    return;
  }
  stopped_ = std::move(done);
  timer_.cancel();
  if (!is_deciding_) decide_due();
}

void Shard::finish_if_empty() {
  if (!stopped_ || is_deciding_ || traces_.size() > 0 || !outbox_.is_empty()) return;
  std::exchange(stopped_, nullptr)();
}

}  // namespace sluice::tail_sampling
