#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "processors/tail_sampling/policy.h"

namespace sluice::tail_sampling {

/// Votes one way where every policy of a list samples, and not_sampled otherwise.
class AllOf final : public Policy {
 public:
  AllOf(std::vector<NamedPolicy> parts, Vote together)
      : parts_(std::move(parts)), together_(together) {}
  Opinion vote(const Case& trace) const override {
    std::uint64_t threshold = 0;
    for (const NamedPolicy& part : parts_) {
      const Opinion opinion = part.policy->vote(trace);
      threshold = std::max(threshold, opinion.threshold);
      if (opinion.vote != Vote::sampled) return {Vote::not_sampled, threshold};
    }
    return {together_, threshold};
  }
  std::string saw(const TraceFacts& facts, ConstNotes notes) const override {
    return saw_of_all(parts_, facts, notes);
  }
  Chance chance() const override {
    Chance most = Chance::none;
    for (const NamedPolicy& part : parts_) {
      if (part.policy != nullptr) most = std::max(most, part.policy->chance());
    }
    return most;
  }
  bool needs_whole_trace() const override {
    return std::ranges::any_of(
        parts_, [](const NamedPolicy& part) { return part.policy->needs_whole_trace(); });
  }

 private:
  std::vector<NamedPolicy> parts_;
  Vote together_;
};

/// Reads the list of policies under `key`.
inline std::unique_ptr<Policy> decode_all_of(const config::Node& options, std::string_view key,
                                             Vote together, Conditions& conditions) {
  std::vector<NamedPolicy> parts = decode_policies(options, key, Place::part, conditions);
  options.no_other_keys();
  return std::make_unique<AllOf>(std::move(parts), together);
}

}  // namespace sluice::tail_sampling
