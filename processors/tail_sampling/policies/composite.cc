#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {
namespace {

/// Spans sampled in one second of the clock: exact across shards, the second and the count being
/// one word.
class SpansInSecond {
 public:
  struct Sum {
    std::uint64_t before;
    bool is_added;
  };
  /// Adds, unless that would pass the budget.
  Sum add(std::uint64_t spans, std::uint64_t budget, std::uint32_t second) const {
    std::uint64_t word = word_.load(std::memory_order_relaxed);
    std::uint64_t before = 0, after = 0;
    do {
      before = word >> 32 == second ? word & UINT32_MAX : 0;
      after = before + spans;
      if (after > budget || after > UINT32_MAX) return {before, false};
    } while (!word_.compare_exchange_weak(word, std::uint64_t{second} << 32 | after,
                                          std::memory_order_relaxed));
    return {before, true};
  }

 private:
  mutable std::atomic<std::uint64_t> word_{0};
};

struct Part {
  Part(NamedPolicy decoded, std::uint64_t spans_per_second, std::size_t number)
      : policy(std::move(decoded)), budget(spans_per_second), note(number) {}
  NamedPolicy policy;
  std::uint64_t budget;
  std::size_t note;  ///< the spans before it in its second
  SpansInSecond sampled;
};

/// The first part that samples a trace answers for it, out of its budget of spans in this second.
class Composite final : public Policy {
 public:
  explicit Composite(std::deque<Part> parts) : parts_(std::move(parts)) {}
  Opinion vote(const Case& trace) const override {
    const auto since_start = std::chrono::floor<std::chrono::seconds>(trace.now.time_since_epoch());
    const auto second = static_cast<std::uint32_t>(since_start.count());
    for (const Part& part : parts_) {
      if (part.policy.policy->vote(trace).vote != Vote::sampled) continue;
      const auto [before, is_added] = part.sampled.add(trace.facts.spans, part.budget, second);
      trace.notes[part.note] = before;
      return {is_added ? Vote::sampled : Vote::not_sampled, Opinion::unknown};
    }
    return {Vote::not_sampled, Opinion::unknown};
  }
  std::string saw(const TraceFacts& facts, ConstNotes notes) const override {
    std::string out = std::to_string(facts.spans) + " spans";
    for (const Part& part : parts_) {
      out += "; " + part.policy.name + ": " + part.policy.policy->saw(facts, notes);
      if (notes[part.note] != no_note)
        out += ", behind " + std::to_string(notes[part.note]) + " of " +
               std::to_string(part.budget) + " spans in its second";
    }
    return out;
  }
  Chance chance() const override { return Chance::own; }
  bool needs_whole_trace() const override {
    return std::ranges::any_of(
        parts_, [](const Part& part) { return part.policy.policy->needs_whole_trace(); });
  }

 private:
  std::deque<Part> parts_;
};

using Names = std::vector<std::string>;

std::vector<NamedPolicy>::iterator named(std::vector<NamedPolicy>& parts, const std::string& name) {
  return std::ranges::find(parts, name, &NamedPolicy::name);
}

/// `policy_order`; parts that it leaves out come after it, as they stand.
void put_in_order(const config::Node& options, std::vector<NamedPolicy>& parts) {
  Names order;
  options.optional("policy_order", order);
  auto next = parts.begin();
  for (const std::string& name : order) {
    const auto found =
        std::find_if(next, parts.end(), [&](const NamedPolicy& part) { return part.name == name; });
    if (found == parts.end()) {
      const bool is_twice = named(parts, name) != parts.end();
      options.error("policy_order", "\"" + name + "\" " +
                                        (is_twice ? "stands there twice"
                                                  : "is none of the policies of this composite"));
      continue;
    }
    std::rotate(next, found, found + 1);
    ++next;
  }
}

/// In spans a second, by part: `rate_allocation`, or an equal share where it says nothing.
std::vector<std::uint64_t> budgets(const config::Node& options, std::vector<NamedPolicy>& parts,
                                   std::uint64_t total) {
  std::vector<std::uint64_t> out(parts.size(), total / std::max<std::size_t>(parts.size(), 1));
  for (const config::Node& each : options.child("rate_allocation").list()) {
    std::string name;
    std::uint32_t percent = 0;
    each.required("policy", name);
    each.required("percent", percent);
    each.expect(percent <= 100, "percent", "must be from 0 to 100");
    each.no_other_keys();
    const auto found = named(parts, name);
    if (found == parts.end()) {
      each.error("policy", "\"" + name + "\" is none of the policies of this composite");
    } else if (percent > 0) {
      out[static_cast<std::size_t>(found - parts.begin())] = total * percent / 100;
    }
  }
  return out;
}

}  // namespace

std::unique_ptr<Policy> decode_composite(const config::Node& options, Conditions& conditions) {
  std::uint64_t total = 0;
  options.required("max_total_spans_per_second", total);
  options.expect(total <= UINT32_MAX, "max_total_spans_per_second", "must be at most 4294967295");
  std::vector<NamedPolicy> parts =
      decode_policies(options, "composite_sub_policy", Place::part, conditions);
  put_in_order(options, parts);
  const std::vector<std::uint64_t> shares = budgets(options, parts, total);
  options.no_other_keys();
  std::deque<Part> with_budgets;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].policy != nullptr) refuse_threshold(options, *parts[i].policy);
    with_budgets.emplace_back(std::move(parts[i]), shares[i], conditions.add_notes(1));
  }
  return std::make_unique<Composite>(std::move(with_budgets));
}

}  // namespace sluice::tail_sampling
