#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/node.h"
#include "processors/tail_sampling/condition.h"
#include "processors/tail_sampling/facts.h"

namespace sluice::tail_sampling {

enum class Vote : std::uint8_t {
  not_sampled,
  sampled,
  dropped,  ///< beats every other policy
};

/// One opinion on a trace, from its facts alone.
class Policy {
 public:
  virtual ~Policy() = default;
  virtual Vote vote(const TraceFacts& facts) const = 0;
};

struct NamedPolicy {
  std::string name;
  std::string type;
  std::unique_ptr<Policy> policy;  ///< null after a mistake, which the node has
};

/// Reads one entry of `policies`: its name, its type, and the options in the block that is called
/// like the type.
NamedPolicy decode_policy(const config::Node& node, Conditions& conditions);

/// The list under `key`, in which names must differ. At least one is required.
std::vector<NamedPolicy> decode_policies(const config::Node& node, std::string_view key,
                                         Conditions& conditions);

/// A policy that samples a trace in which some span meets the condition; with `inverted`, one in
/// which none does.
std::unique_ptr<Policy> any_span(Conditions& conditions, std::unique_ptr<SpanCondition> condition,
                                 bool inverted = false);

}  // namespace sluice::tail_sampling
