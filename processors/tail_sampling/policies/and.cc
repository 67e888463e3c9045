#include "processors/tail_sampling/policies/all_of.h"
#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {

std::unique_ptr<Policy> decode_and(const config::Node& options, Conditions& conditions) {
  return decode_all_of(options, "and_sub_policy", Vote::sampled, conditions);
}

}  // namespace sluice::tail_sampling
