#include "processors/tail_sampling/policies/all_of.h"
#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {

std::unique_ptr<Policy> decode_drop(const config::Node& options, Conditions& conditions) {
  auto policy = decode_all_of(options, "drop_sub_policy", Vote::dropped, conditions);
  refuse_threshold(options, *policy);
  return policy;
}

}  // namespace sluice::tail_sampling
