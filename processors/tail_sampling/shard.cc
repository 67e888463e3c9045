#include "processors/tail_sampling/shard.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace sluice::tail_sampling {
namespace {

/// For one of the shards, rounded up.
std::size_t share(std::uint64_t of_all, std::size_t shards) {
  return static_cast<std::size_t>((of_all + shards - 1) / shards);
}

}  // namespace

Shard::Shard(const ProcessorContext& processor, const Common& common)
    : TraceShard(processor, common.pool, common.conditions.growth()),
      common_(common),
      executor_(processor.executor),
      past_(share(common.options.kept_ids_max, common.pool.shards.size()),
            share(common.options.dropped_ids_max, common.pool.shards.size()),
            common.judge.has_thresholds()),
      tally_(common.judge),
      log_(common.judge, share(common.options.decision_log_size, common.pool.shards.size())),
      said_(common.judge.nothing_said()) {}

/// Spans of traces that were decided follow the decision; their arrivals leave the list.
void Shard::sort_out(const SpanBatch& batch, std::vector<Arrival>& arrivals) {
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
      outbox().add(marked(batch.slice(each.first, static_cast<std::uint32_t>(each.facts.spans)),
                          {.threshold = threshold, .randomness = each.facts.randomness()},
                          common_.metrics.unreadable));
      return true;
    }
    for (std::uint32_t i = 0; i < each.facts.spans; ++i) late_.push_back(each.first + i);
    return true;
  });
  if (dropped > 0) {
    count_dropped(dropped);
    common_.metrics.late_dropped.add(dropped);
  }
  if (late_.empty()) return;
  common_.metrics.late_kept.add(late_.size());
  outbox().add(batch.select(late_));
}

void Shard::look_at(std::span<const Arrival> arrivals, TimePoint now) {
  if (common_.options.judge_on_arrival) {
    for (const Arrival& each : arrivals) judge_part(each, now);
  }
  if (common_.options.maximum_trace_size_bytes == 0) return;
  for (const Arrival& each : arrivals) check_size(each.trace, now);
}

/// With span-ingest: what the spans of a request say by themselves, and the trace's size with them.
void Shard::judge_part(const Arrival& arrival, TimePoint now) {
  if (!traces().holds(arrival.trace)) return;
  TraceFacts part = arrival.facts;
  part.spans = traces().facts(arrival.trace).spans;
  part.bytes = traces().facts(arrival.trace).bytes;
  const Decision decision =
      common_.judge.decide_part(case_of(arrival.trace, part, now), said_.votes);
  if (decision.policy != Decision::nobody)
    conclude(arrival.trace, decision, DueReason::arrived, now);
}

void Shard::check_size(Handle trace, TimePoint now) {
  if (!traces().holds(trace)) return;
  if (traces().facts(trace).bytes <= common_.options.maximum_trace_size_bytes) return;
  common_.metrics.too_large.add(1);
  conclude_undecided(trace, DueReason::too_large, now);
}

Case Shard::case_of(Handle trace, const TraceFacts& facts, TimePoint now) {
  return {facts, now, said_.notes, &traces(), trace};
}

/// With span-ingest the end of the wait is the end of the trace: no policy has sampled it.
bool Shard::is_past_deciding(DueReason reason) const {
  switch (reason) {
    case DueReason::waited:
    case DueReason::root: return common_.options.judge_on_arrival;
    case DueReason::stopped:
      return common_.options.judge_on_arrival || common_.options.drop_pending_traces_on_shutdown;
    default: return false;
  }
}

void Shard::let_go(Handle trace, DueReason reason, TimePoint now) {
  if (is_past_deciding(reason)) return conclude_undecided(trace, reason, now);
  const Case whole = case_of(trace, traces().facts(trace), now);
  conclude(trace, common_.judge.decide(whole, said_.votes), reason, now);
}

/// It is dropped, and no policy is asked.
void Shard::conclude_undecided(Handle trace, DueReason reason, TimePoint now) {
  std::ranges::fill(said_.votes, Vote::not_asked);
  conclude(trace, {}, reason, now);
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

void Shard::conclude(Handle trace, const Decision& decision, DueReason reason, TimePoint now) {
  const TraceFacts& facts = traces().facts(trace);
  tally_.count(facts, decision, said_.votes, reason);
  if (!turn_time_) turn_time_ = executor_.wall_time();
  log_.add(facts, decision, said_, reason, *turn_time_);
  const std::chrono::duration<double> age = now - traces().first_seen(trace);
  tally_.age(age.count(), common_.metrics);
  if (decision.is_kept) {
    past_.keep(facts.trace_id, traces().hash(trace), decision.threshold);
    const bool is_giant = facts.bytes >= common_.options.bounds.trace_max_bytes;
    const Marks marks = marks_of(facts, decision);
    SpanBatch whole = take_out(trace);
    if (!marks.empty()) whole = marked(whole, marks, common_.metrics.unreadable);
    if (is_giant)
      outbox().add_in_pieces(whole);
    else
      outbox().add(std::move(whole));
    return;
  }
  past_.drop(traces().hash(trace));
  drop(trace);
}

}  // namespace sluice::tail_sampling
