#include "processors/tail_sampling/policies/all_of.h"
#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {

std::unique_ptr<Policy> decode_and(const config::Node& options, Conditions& conditions) {
  std::vector<NamedPolicy> parts =
      decode_policies(options, "and_sub_policy", Place::part, conditions);
  options.no_other_keys();
  return std::make_unique<AllOf>(std::move(parts), Vote::sampled);
}

}  // namespace sluice::tail_sampling
