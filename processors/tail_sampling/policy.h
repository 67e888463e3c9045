#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/node.h"
#include "pipeline/executor.h"
#include "processors/tail_sampling/condition.h"
#include "processors/tail_sampling/facts.h"

namespace sluice::tail_sampling {

enum class Vote : std::uint8_t {
  not_asked,
  not_sampled,
  sampled,
  dropped,  ///< beats every other policy
};

/// One opinion on a trace, from its facts alone. All shards ask the same one, at any time; what it
/// remembers (a rate) is atomic.
class Policy {
 public:
  using TimePoint = Executor::TimePoint;
  virtual ~Policy() = default;
  virtual Vote vote(const TraceFacts& facts, TimePoint now) const = 0;
  /// The numbers that it goes by, in a few words for a person: of the facts, or what it remembers.
  virtual std::string saw(const TraceFacts& facts) const = 0;
  /// Whether its opinion depends on other traces, or may turn to "no" as the trace grows: then it
  /// cannot judge the parts of a trace one by one.
  virtual bool needs_whole_trace() const { return false; }
};

struct NamedPolicy {
  std::string name;
  std::string type;
  std::unique_ptr<Policy> policy;  ///< null after a mistake, which the node has
  bool is_shadow = false;          ///< counted only
};

/// Where a policy stands: some types, and `shadow`, are for the list of the processor alone.
enum class Place : std::uint8_t { top, part };

/// Reads one policy: its name, its type, and the options in the block that is called like the type.
NamedPolicy decode_policy(const config::Node& node, Place place, Conditions& conditions);

/// The list under `key`, in which names must differ. At least one is required.
std::vector<NamedPolicy> decode_policies(const config::Node& node, std::string_view key,
                                         Place place, Conditions& conditions);

/// A policy that samples a trace in which some span meets the condition; with `inverted`, one in
/// which none does.
std::unique_ptr<Policy> any_span(Conditions& conditions, std::unique_ptr<SpanCondition> condition,
                                 bool inverted = false);

/// `saw` of a policy that is made of others: what each of them goes by.
template <typename Parts>
std::string saw_of_all(const Parts& parts, const TraceFacts& facts) {
  std::string out;
  for (const NamedPolicy& part : parts)
    out += (out.empty() ? "" : "; ") + part.name + ": " + part.policy->saw(facts);
  return out;
}

}  // namespace sluice::tail_sampling
