#include "processors/tail_sampling/judge.h"

#include <algorithm>
#include <utility>

namespace sluice::tail_sampling {
namespace {

bool drops(const NamedPolicy& policy) { return policy.type == "drop"; }

}  // namespace

Judge::Judge(std::vector<NamedPolicy> policies, bool first_match)
    : policies_(std::move(policies)), first_match_(first_match) {
  std::ranges::stable_partition(policies_, drops);
  droppers_ = static_cast<std::size_t>(std::ranges::count_if(
      policies_, [](const NamedPolicy& each) { return drops(each) && !each.is_shadow; }));
}

Decision Judge::decide(const TraceFacts& facts, Policy::TimePoint now,
                       std::span<Vote> votes) const {
  std::ranges::fill(votes, Vote::not_asked);
  Decision decision;
  for (std::uint16_t number = 0; number < policies_.size(); ++number) {
    const NamedPolicy& each = policies_[number];
    votes[number] = each.policy->vote(facts, now);
    if (each.is_shadow) continue;
    if (votes[number] == Vote::dropped) return {false, number};
    if (votes[number] != Vote::sampled || decision.is_kept) continue;
    decision = {true, number};
    if (first_match_) break;
  }
  return decision;
}

Decision Judge::decide_part(const TraceFacts& facts, Policy::TimePoint now,
                            std::span<Vote> votes) const {
  const Decision decision = decide(facts, now, votes);
  return decision.is_kept && droppers_ > 0 ? Decision() : decision;
}

}  // namespace sluice::tail_sampling
