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
  bool has_options = true;  ///< in a block that is called like the type
  bool only_at_top = false;
};

constexpr std::array types = {
    PolicyType{"adaptive_percentage", decode_adaptive_percentage},
    PolicyType{"adaptive_throughput", decode_adaptive_throughput},
    PolicyType{"always_sample", decode_always_sample, false},
    PolicyType{"and", decode_and},
    PolicyType{"boolean_attribute", decode_boolean_attribute},
    PolicyType{"bytes_limiting", decode_bytes_limiting},
    PolicyType{"composite", decode_composite, true, true},
    PolicyType{"drop", decode_drop, true, true},
    PolicyType{"latency", decode_latency},
    PolicyType{"not", decode_not},
    PolicyType{"numeric_attribute", decode_numeric_attribute},
    PolicyType{"ottl_condition", decode_ottl_condition},
    PolicyType{"probabilistic", decode_probabilistic},
    PolicyType{"rate_limiting", decode_rate_limiting},
    PolicyType{"span_count", decode_span_count},
    PolicyType{"status_code", decode_status_code},
    PolicyType{"string_attribute", decode_string_attribute},
    PolicyType{"trace_flags", decode_trace_flags, false},
    PolicyType{"trace_state", decode_trace_state},
};

class AnySpan final : public Policy {
 public:
  AnySpan(std::size_t condition, bool inverted) : condition_(condition), inverted_(inverted) {}
  Opinion vote(const Case& trace) const override {
    return trace.facts.matched[condition_] != inverted_ ? Vote::sampled : Vote::not_sampled;
  }
  std::string saw(const TraceFacts& facts, ConstNotes) const override {
    return facts.matched[condition_] ? "a span that matches" : "no span that matches";
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

std::string saw_of_threshold(const TraceFacts& facts, std::uint64_t threshold) {
  const auto percent = [](std::uint64_t bits) {
    return std::to_string(100 * static_cast<double>(bits) / 0x1p56) + " %";
  };
  return "random bits at " + percent(facts.randomness()) + ", where from " + percent(threshold) +
         " on is sampled";
}

void refuse_threshold(const config::Node& node, const Policy& part) {
  if (part.chance() == Chance::threshold)
    node.error("", "a policy that writes a threshold cannot be a part of this one");
}

NamedPolicy decode_policy(const config::Node& node, Place place, Conditions& conditions) {
  NamedPolicy out;
  node.required("name", out.name);
  node.expect(!node.has("name") || !out.name.empty(), "name", "must not be empty");
  node.required("type", out.type);
  if (place == Place::top) node.optional("shadow", out.is_shadow);
  const auto type = std::ranges::find(types, out.type, &PolicyType::name);
  if (type == types.end()) {
    if (node.has("type"))
      node.unexpected("type", "a type of policy (" + known_types() + "), none of an extension");
    return out;
  }
  if (type->only_at_top && place != Place::top) {
    node.error("type", "a policy of this type cannot be a part of another one");
    return out;
  }
  const config::Node options = type->has_options ? node.child(type->name) : config::Node();
  if (type->has_options && !options.present()) {
    node.error("type",
               "a policy of this type has its options under \"" + std::string(type->name) + "\"");
    return out;
  }
  out.policy = type->decode(options, conditions);
  node.no_other_keys();
  return out;
}

std::vector<NamedPolicy> decode_policies(const config::Node& node, std::string_view key,
                                         Place place, Conditions& conditions) {
  std::vector<NamedPolicy> out;
  std::unordered_set<std::string> names;
  for (const config::Node& each : node.child(key).list()) {
    out.push_back(decode_policy(each, place, conditions));
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
