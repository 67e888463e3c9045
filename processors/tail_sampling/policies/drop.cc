#include "processors/tail_sampling/policies/all_of.h"
#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {

std::unique_ptr<Policy> decode_drop(const config::Node& options, Conditions& conditions) {
  std::vector<NamedPolicy> parts =
      decode_policies(options, "drop_sub_policy", Place::part, conditions);
  options.no_other_keys();
  return std::make_unique<AllOf>(std::move(parts), Vote::dropped);
}

}  // namespace sluice::tail_sampling
