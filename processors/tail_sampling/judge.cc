#include "processors/tail_sampling/judge.h"

#include <algorithm>
#include <utility>

namespace sluice::tail_sampling {
namespace {

bool drops(const NamedPolicy& policy) { return policy.type == "drop"; }

}  // namespace

Judge::Judge(std::vector<NamedPolicy> policies, bool first_match, std::size_t notes)
    : policies_(std::move(policies)), notes_(notes), first_match_(first_match) {
  std::stable_partition(policies_.begin(), policies_.end(), drops);
  droppers_ = static_cast<std::size_t>(std::ranges::count_if(
      policies_, [](const NamedPolicy& each) { return drops(each) && !each.is_shadow; }));
  has_thresholds_ = std::ranges::any_of(policies_, [](const NamedPolicy& each) {
    return each.policy->chance() == Chance::threshold && !each.is_shadow;
  });
}

Said Judge::nothing_said() const {
  return {std::vector<Vote>(policies_.size()), std::vector<std::uint64_t>(notes_, no_note)};
}

Decision Judge::decide(const Case& trace, std::span<Vote> votes) const {
  std::ranges::fill(votes, Vote::not_asked);
  std::ranges::fill(trace.notes, no_note);
  Decision decision;
  for (std::uint16_t number = 0; number < policies_.size(); ++number) {
    const NamedPolicy& each = policies_[number];
    const Opinion opinion = each.policy->vote(trace);
    votes[number] = opinion.vote;
    if (each.is_shadow) continue;
    if (opinion.vote == Vote::dropped) return {false, number};
    if (opinion.vote != Vote::sampled) continue;
    decision.threshold = std::min(decision.threshold, opinion.threshold);
    if (!decision.is_kept) decision.policy = number;
    decision.is_kept = true;
    if (first_match_) break;
  }
  return decision;
}

Decision Judge::decide_part(const Case& trace, std::span<Vote> votes) const {
  const Decision decision = decide(trace, votes);
  return decision.is_kept && droppers_ > 0 ? Decision() : decision;
}

}  // namespace sluice::tail_sampling
