#include <utility>

#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {
namespace {

class Not final : public Policy {
 public:
  explicit Not(NamedPolicy part) : part_(std::move(part)) {}
  Opinion vote(const Case& trace) const override {
    const Opinion opinion = part_.policy->vote(trace);
    return {opinion.vote == Vote::sampled ? Vote::not_sampled : Vote::sampled, opinion.threshold};
  }
  std::string saw(const TraceFacts& facts, ConstNotes notes) const override {
    return part_.policy->saw(facts, notes);
  }
  Chance chance() const override { return part_.policy->chance(); }
  bool needs_whole_trace() const override { return part_.policy->needs_whole_trace(); }

 private:
  NamedPolicy part_;
};

}  // namespace

std::unique_ptr<Policy> decode_not(const config::Node& options, Conditions& conditions) {
  NamedPolicy part = decode_policy(options.child("not_sub_policy"), Place::part, conditions);
  options.expect(options.has("not_sub_policy"), "", "\"not_sub_policy\" is required");
  if (part.policy != nullptr) refuse_threshold(options, *part.policy);
  options.no_other_keys();
  return std::make_unique<Not>(std::move(part));
}

}  // namespace sluice::tail_sampling
