#include "processors/tail_sampling/policies/rate.h"
#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {

std::unique_ptr<Policy> decode_rate_limiting(const config::Node& options, Conditions& conditions) {
  return decode_rate(options, "spans_per_second", &TraceFacts::spans, conditions);
}

}  // namespace sluice::tail_sampling
