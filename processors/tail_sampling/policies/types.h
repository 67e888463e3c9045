#pragma once

#include <memory>

#include "config/node.h"
#include "processors/tail_sampling/policy.h"

/// One function a type of policy, each in a file of its name: reads the options of the type from
/// its own block. A new type is a line here, a line in the table of policy.cc, a file and a test.
namespace sluice::tail_sampling {

std::unique_ptr<Policy> decode_adaptive_percentage(const config::Node& options,
                                                   Conditions& conditions);
std::unique_ptr<Policy> decode_adaptive_throughput(const config::Node& options,
                                                   Conditions& conditions);
std::unique_ptr<Policy> decode_always_sample(const config::Node& options, Conditions& conditions);
std::unique_ptr<Policy> decode_and(const config::Node& options, Conditions& conditions);
std::unique_ptr<Policy> decode_boolean_attribute(const config::Node& options,
                                                 Conditions& conditions);
std::unique_ptr<Policy> decode_bytes_limiting(const config::Node& options, Conditions& conditions);
std::unique_ptr<Policy> decode_composite(const config::Node& options, Conditions& conditions);
std::unique_ptr<Policy> decode_drop(const config::Node& options, Conditions& conditions);
std::unique_ptr<Policy> decode_latency(const config::Node& options, Conditions& conditions);
std::unique_ptr<Policy> decode_not(const config::Node& options, Conditions& conditions);
std::unique_ptr<Policy> decode_numeric_attribute(const config::Node& options,
                                                 Conditions& conditions);
std::unique_ptr<Policy> decode_ottl_condition(const config::Node& options, Conditions& conditions);
std::unique_ptr<Policy> decode_probabilistic(const config::Node& options, Conditions& conditions);
std::unique_ptr<Policy> decode_rate_limiting(const config::Node& options, Conditions& conditions);
std::unique_ptr<Policy> decode_span_count(const config::Node& options, Conditions& conditions);
std::unique_ptr<Policy> decode_status_code(const config::Node& options, Conditions& conditions);
std::unique_ptr<Policy> decode_string_attribute(const config::Node& options,
                                                Conditions& conditions);
std::unique_ptr<Policy> decode_trace_flags(const config::Node& options, Conditions& conditions);
std::unique_ptr<Policy> decode_trace_state(const config::Node& options, Conditions& conditions);

}  // namespace sluice::tail_sampling
