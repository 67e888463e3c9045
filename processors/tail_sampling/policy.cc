#include "processors/tail_sampling/policy.h"

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {
namespace {

struct PolicyType {
  std::string_view name;
  std::unique_ptr<Policy> (*decode)(const config::Node& options, Conditions& conditions);
  std::string_view
      options;  ///< the key of its block, where that is not the name; none: it has none
};

constexpr std::array types = {
    PolicyType{"always_sample", decode_always_sample, ""},
    PolicyType{"and", decode_and, "and"},
    PolicyType{"boolean_attribute", decode_boolean_attribute, "boolean_attribute"},
    PolicyType{"drop", decode_drop, "drop"},
    PolicyType{"latency", decode_latency, "latency"},
    PolicyType{"not", decode_not, "not"},
    PolicyType{"numeric_attribute", decode_numeric_attribute, "numeric_attribute"},
    PolicyType{"probabilistic", decode_probabilistic, "probabilistic"},
    PolicyType{"span_count", decode_span_count, "span_count"},
    PolicyType{"status_code", decode_status_code, "status_code"},
    PolicyType{"string_attribute", decode_string_attribute, "string_attribute"},
    PolicyType{"trace_flags", decode_trace_flags, ""},
    PolicyType{"trace_state", decode_trace_state, "trace_state"},
};

class AnySpan final : public Policy {
 public:
  AnySpan(std::size_t condition, bool inverted) : condition_(condition), inverted_(inverted) {}
  Vote vote(const TraceFacts& facts) const override {
    return facts.matched[condition_] != inverted_ ? Vote::sampled : Vote::not_sampled;
  }

 private:
  std::size_t condition_;
  bool inverted_;
};

std::string known_types() {
  std::string out;
  for (const PolicyType& type : types) out += (out.empty() ? "" : ", ") + std::string(type.name);
  return out;
}

}  // namespace

NamedPolicy decode_policy(const config::Node& node, Conditions& conditions) {
  NamedPolicy out;
  node.required("name", out.name);
  node.expect(!node.has("name") || !out.name.empty(), "name", "must not be empty");
  node.required("type", out.type);
  const auto type = std::ranges::find(types, out.type, &PolicyType::name);
  if (type == types.end()) {
    if (node.has("type")) node.unexpected("type", "a type of policy (" + known_types() + ")");
    return out;
  }
  const config::Node options = type->options.empty() ? config::Node() : node.child(type->options);
  if (!type->options.empty() && !options.present()) {
    node.error("type", "a policy of this type has its options under \"" +
                           std::string(type->options) + "\"");
    return out;
  }
  out.policy = type->decode(options, conditions);
  node.no_other_keys();
  return out;
}

std::vector<NamedPolicy> decode_policies(const config::Node& node, std::string_view key,
                                         Conditions& conditions) {
  std::vector<NamedPolicy> out;
  std::unordered_set<std::string> names;
  for (const config::Node& each : node.child(key).list()) {
    out.push_back(decode_policy(each, conditions));
    const std::string& name = out.back().name;
    if (!name.empty() && !names.insert(name).second)
      each.error("name", "\"" + name + "\" is the name of an earlier policy");
  }
  if (out.empty()) node.error(key, "at least one policy is required");
  return out;
}

std::unique_ptr<Policy> any_span(Conditions& conditions, std::unique_ptr<SpanCondition> condition,
                                 bool inverted) {
  return std::make_unique<AnySpan>(conditions.add(std::move(condition)), inverted);
}

}  // namespace sluice::tail_sampling
