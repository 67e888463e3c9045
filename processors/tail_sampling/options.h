#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "config/node.h"
#include "pipeline/traces/bounds.h"
#include "processors/tail_sampling/condition.h"
#include "processors/tail_sampling/policy.h"

namespace sluice::tail_sampling {

/// Numbers are of all shards together.
struct Options {
  TraceBounds bounds{.wait = std::chrono::seconds(30), .num_traces = 50'000};
  std::uint64_t maximum_trace_size_bytes = 0;  ///< 0: no limit
  std::uint64_t expected_new_traces_per_sec = 0;
  std::uint64_t kept_ids_max = 0;
  std::uint64_t dropped_ids_max = 0;
  std::uint64_t decision_log_size = 100'000;  ///< ours
  std::uint32_t num_shards = 0;               ///< 0: one a worker
  bool record_policy = false;                 ///< ours
  bool sample_on_first_match = false;
  bool drop_pending_traces_on_shutdown = false;
  bool judge_on_arrival = false;  ///< sampling_strategy: span-ingest
};

struct DecodedOptions {
  Options options;
  std::shared_ptr<const Conditions> conditions;
  std::vector<NamedPolicy> policies;
};

/// Mistakes go to the node.
DecodedOptions decode_options(const config::Node& node);

}  // namespace sluice::tail_sampling
