#include "processors/tail_sampling/metrics.h"

#include <string>
#include <string_view>
#include <utility>

namespace sluice::tail_sampling {
namespace {

constexpr std::array<std::string_view, 4> vote_words = {"", "not_sampled", "sampled", "dropped"};

std::string prefixed(std::string_view name) {
  return "otelcol_processor_tail_sampling_" + std::string(name);
}

Labels with(Labels labels, std::string_view vote) {
  labels.emplace_back("sampled", vote == "sampled" ? "true" : "false");
  labels.emplace_back("decision", vote);
  return labels;
}

/// The collector sets the component's own name, without its type, before the policy's.
std::string label_of(std::string_view id, const std::string& policy) {
  const std::size_t slash = id.find('/');
  if (slash == std::string_view::npos) return policy;
  return std::string(id.substr(slash + 1)) + "." + policy;
}

SamplerMetrics::OfPolicy of_policy(Metrics& metrics, const Labels& processor, std::string_view id,
                                   const NamedPolicy& policy) {
  Labels labels = processor;
  labels.emplace_back("policy", label_of(id, policy.name));
  SamplerMetrics::OfPolicy out;
  for (const Vote vote : {Vote::not_sampled, Vote::sampled, Vote::dropped}) {
    const auto number = static_cast<std::size_t>(vote);
    const Labels all = with(labels, vote_words[number]);
    out.traces[number] =
        &metrics.counter(prefixed("count_traces_sampled"),
                         "Count of traces that were sampled or not per sampling policy", all);
    out.spans[number] =
        &metrics.counter(prefixed("count_spans_sampled"),
                         "Count of spans that were sampled or not per sampling policy", all);
    out.bytes[number] =
        &metrics.counter(prefixed("count_bytes_sampled"),
                         "Count of bytes that were sampled or not per sampling policy", all);
  }
  out.asked = &metrics.counter(prefixed("sampling_policy_execution_count"),
                               "Total number of executions of a specific sampling policy", labels);
  if (!policy.is_shadow) return out;
  const auto shadow = [&](std::string_view would) -> Counter* {
    Labels all = labels;
    all.emplace_back("would", would);
    return &metrics.counter("sluice_tail_sampling_shadow_traces",
                            "Traces whose decision a shadow policy would have turned around", all);
  };
  out.would_keep = shadow("keep");
  out.would_drop = shadow("drop");
  return out;
}

Counter& global(Metrics& metrics, const Labels& processor, std::string_view vote) {
  return metrics.counter(prefixed("global_count_traces_sampled"),
                         "Global count of traces that were sampled or not by at least one policy",
                         with(processor, vote));
}

Counter& late(Metrics& metrics, const Labels& processor, std::string_view sampled) {
  Labels labels = processor;
  labels.emplace_back("sampled", sampled);
  return metrics.counter(
      prefixed("early_releases_from_cache_decision"),
      "Number of spans that were able to be immediately released due to a decision cache hit",
      labels);
}

TraceMetrics of_traces(Metrics& metrics, const Labels& processor) {
  return {
      metrics.counter(prefixed("new_trace_id_received"), "Counts the arrival of new traces",
                      processor),
      metrics.counter(prefixed("sampling_trace_dropped_too_early"),
                      "Count of traces that needed to be decided before the configured wait time",
                      processor),
      metrics.gauge(prefixed("sampling_traces_on_memory"),
                    "Tracks the number of traces current on memory", processor),
      metrics.histogram(prefixed("sampling_decision_timer_latency"),
                        "Latency (in milliseconds) of each run of the sampling decision timer",
                        {1, 2, 5, 10, 25, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1000},
                        processor)};
}

Labels processor(std::string_view id) { return {{"processor", std::string(id)}}; }

}  // namespace

SamplerMetrics::SamplerMetrics(Metrics& metrics, std::string_view id, const Judge& judge)
    : traces(of_traces(metrics, processor(id))),
      kept(global(metrics, processor(id), "sampled")),
      not_kept(global(metrics, processor(id), "not_sampled")),
      dropped(global(metrics, processor(id), "dropped")),
      too_large(metrics.counter(prefixed("traces_dropped_too_large"),
                                "Count of traces that were dropped because they were too large",
                                processor(id))),
      late_kept(late(metrics, processor(id), "true")),
      late_dropped(late(metrics, processor(id), "false")),
      unreadable(metrics.counter(prefixed("count_spans_with_unparseable_tracestate"),
                                 "Count of spans whose trace state could not be read",
                                 processor(id))),
      buffer_seconds(metrics.gauge(
          "sluice_tail_sampling_buffer_seconds",
          "Age of the trace that was decided last, in seconds: how long the buffer holds one",
          processor(id))),
      removal_age(metrics.histogram(
          prefixed("sampling_trace_removal_age"),
          "Time (in seconds) from arrival of a new trace until its removal from memory",
          {1, 2, 5, 10, 20, 30, 40, 50, 60, 90, 120, 180, 300, 600}, processor(id))) {
  for (const NamedPolicy& each : judge.policies())
    policies.push_back(of_policy(metrics, processor(id), id, each));
  for (std::size_t reason = 0; reason < due_reason_words.size(); ++reason) {
    decided[reason] = &metrics.counter(
        "sluice_tail_sampling_decisions", "Traces decided, by what made them due",
        {{"processor", std::string(id)}, {"reason", std::string(due_reason_words[reason])}});
  }
}

void Tally::count(const TraceFacts& facts, const Decision& decision, std::span<const Vote> votes,
                  DueReason reason) {
  ++decided_[static_cast<std::size_t>(reason)];
  const bool was_dropped = !decision.is_kept && decision.policy != Decision::nobody;
  ++(decision.is_kept ? kept_ : was_dropped ? dropped_ : not_kept_);
  for (std::size_t number = 0; number < votes.size(); ++number) {
    const Vote vote = votes[number];
    Sum& sum = policies_[number].by_vote[static_cast<std::size_t>(vote)];
    ++sum.traces;
    sum.spans += facts.spans;
    sum.bytes += facts.bytes;
    if (!judge_.policies()[number].is_shadow) continue;
    policies_[number].would_keep += vote == Vote::sampled && !decision.is_kept && !was_dropped;
    policies_[number].would_drop += vote == Vote::dropped && decision.is_kept;
  }
}

void Tally::age(double seconds, SamplerMetrics& metrics) {
  if (seconds != age_ && of_age_ > 0) metrics.removal_age.observe(age_, std::exchange(of_age_, 0));
  age_ = seconds;
  ++of_age_;
}

void Tally::flush(SamplerMetrics& metrics) {
  if (of_age_ == 0) return;  // nothing was decided
  metrics.removal_age.observe(age_, std::exchange(of_age_, 0));
  metrics.buffer_seconds.set(static_cast<std::int64_t>(age_));
  const auto move = [](Counter* counter, std::uint64_t& count) {
    if (count > 0) counter->add(std::exchange(count, 0));
  };
  for (std::size_t number = 0; number < policies_.size(); ++number) {
    OfPolicy& from = policies_[number];
    const SamplerMetrics::OfPolicy& to = metrics.policies[number];
    from.by_vote[static_cast<std::size_t>(Vote::not_asked)] = {};
    for (const Vote vote : {Vote::not_sampled, Vote::sampled, Vote::dropped}) {
      const auto which = static_cast<std::size_t>(vote);
      Sum& sum = from.by_vote[which];
      to.asked->add(sum.traces);
      move(to.traces[which], sum.traces);
      move(to.spans[which], sum.spans);
      move(to.bytes[which], sum.bytes);
    }
    if (to.would_keep == nullptr) continue;
    move(to.would_keep, from.would_keep);
    move(to.would_drop, from.would_drop);
  }
  for (std::size_t reason = 0; reason < decided_.size(); ++reason)
    move(metrics.decided[reason], decided_[reason]);
  move(&metrics.kept, kept_);
  move(&metrics.not_kept, not_kept_);
  move(&metrics.dropped, dropped_);
}

}  // namespace sluice::tail_sampling
