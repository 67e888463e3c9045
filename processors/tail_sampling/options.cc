#include "processors/tail_sampling/options.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::tail_sampling {
namespace {

constexpr std::uint32_t shards_max = 256;
constexpr std::size_t policies_max = 256;

void decode_times(const config::Node& node, Options& options) {
  TraceBounds& bounds = options.bounds;
  node.optional("decision_wait", bounds.wait);
  node.expect(bounds.wait.count() > 0, "decision_wait", "must be more than zero");
  node.optional("decision_wait_after_root_received", bounds.wait_after_root);
  node.expect(bounds.wait_after_root.count() >= 0, "decision_wait_after_root_received",
              "must not be negative");
}

/// What was decided is remembered for as many traces as may be held at least, as in the collector,
/// where a decided trace keeps its place among them.
void decode_decision_cache(const config::Node& node, Options& options) {
  const config::Node cache = node.child("decision_cache");
  cache.optional("sampled_cache_size", options.kept_ids_max);
  cache.optional("non_sampled_cache_size", options.dropped_ids_max);
  cache.no_other_keys();
  options.kept_ids_max = std::max(options.kept_ids_max, options.bounds.num_traces);
  options.dropped_ids_max = std::max(options.dropped_ids_max, options.bounds.num_traces);
}

void decode_limits(const config::Node& node, Options& options) {
  decode_trace_bounds(node, options.bounds);
  node.optional("block_on_overflow", options.bounds.refuse_newcomers);
  node.optional("maximum_trace_size_bytes", options.maximum_trace_size_bytes);
}

void decode_shards(const config::Node& node, Options& options) {
  node.optional("num_shards", options.num_shards);
  node.expect(options.num_shards <= shards_max, "num_shards", "must be at most 256");
}

void decode_strategy(const config::Node& node, Options& options,
                     const std::vector<NamedPolicy>& policies) {
  node.one_of("sampling_strategy", options.judge_on_arrival,
              {{"trace-complete", false}, {"span-ingest", true}});
  if (!options.judge_on_arrival) return;
  for (const NamedPolicy& each : policies) {
    if (each.policy != nullptr && each.policy->needs_whole_trace())
      node.error("sampling_strategy", "span-ingest judges a trace by its parts, which policy \"" +
                                          each.name + "\" cannot");
  }
}

/// A threshold that is written down is right only where nothing else could have kept the trace.
void warn_of_wrong_thresholds(const config::Node& node, const Options& options,
                              const std::vector<NamedPolicy>& policies) {
  const auto written = std::ranges::find_if(policies, [](const NamedPolicy& each) {
    return !each.is_shadow && each.policy->chance() == Chance::threshold;
  });
  if (written == policies.end()) return;
  const auto warn = [&](const NamedPolicy& because, const std::string& why) {
    node.warning("policies", "counts by the thresholds that policy \"" + written->name +
                                 "\" writes will be wrong: policy \"" + because.name + "\" " + why);
  };
  for (const NamedPolicy& each : policies) {
    if (!each.is_shadow && each.policy->chance() == Chance::own)
      warn(each, "samples by another kind of chance");
  }
  if (!options.sample_on_first_match) return;
  const auto later = std::find_if(written + 1, policies.end(), [](const NamedPolicy& each) {
    return !each.is_shadow && each.type != "drop";
  });
  if (later != policies.end())
    warn(*later,
         "comes behind it, and with sample_on_first_match is not asked about what it samples");
}

/// A trace takes half a kilobyte at least, with its one span.
void warn_of_a_small_budget(const config::Node& node, const Options& options) {
  const double wait = std::chrono::duration<double>(options.bounds.wait).count();
  const double traces = static_cast<double>(options.expected_new_traces_per_sec) * wait;
  if (traces > static_cast<double>(options.bounds.num_traces)) {
    node.warning("num_traces", "expected_new_traces_per_sec and decision_wait together are " +
                                   std::to_string(static_cast<std::uint64_t>(traces)) +
                                   " traces: those above num_traces are decided before their time");
  }
  if (traces * 512 > static_cast<double>(options.bounds.max_bytes)) {
    node.warning("max_bytes", "expected_new_traces_per_sec and decision_wait together are " +
                                  std::to_string(static_cast<std::uint64_t>(traces)) +
                                  " traces, which do not fit into max_bytes, however small: some "
                                  "are decided before their time");
  }
}

}  // namespace

DecodedOptions decode_options(const config::Node& node) {
  DecodedOptions out;
  Options& options = out.options;
  const auto conditions = std::make_shared<Conditions>();
  out.policies = decode_policies(node, "policies", Place::top, *conditions);
  node.expect(out.policies.size() <= policies_max, "policies", "must be at most 256");
  node.expect(conditions->size() <= conditions_max, "policies",
              "must ask at most 256 things of spans between them");
  out.conditions = conditions;
  decode_times(node, options);
  decode_limits(node, options);
  decode_decision_cache(node, options);
  decode_shards(node, options);
  decode_strategy(node, options, out.policies);
  node.optional("sample_on_first_match", options.sample_on_first_match);
  node.optional("record_policy", options.record_policy);
  node.optional("decision_log_size", options.decision_log_size);
  node.expect(options.decision_log_size <= 10'000'000, "decision_log_size",
              "must be at most 10000000");
  node.optional("drop_pending_traces_on_shutdown", options.drop_pending_traces_on_shutdown);
  node.optional("expected_new_traces_per_sec", options.expected_new_traces_per_sec);
  if (node.has("tail_storage"))
    node.error("tail_storage", "is not supported: traces are held in memory");
  node.no_other_keys();
  if (!node.has_errors()) {
    warn_of_a_small_budget(node, options);
    warn_of_wrong_thresholds(node, options, out.policies);
  }
  return out;
}

}  // namespace sluice::tail_sampling
