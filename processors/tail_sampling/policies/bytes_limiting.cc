#include "processors/tail_sampling/policies/rate.h"
#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {

std::unique_ptr<Policy> decode_bytes_limiting(const config::Node& options, Conditions& conditions) {
  return decode_rate(options, "bytes_per_second", &TraceFacts::bytes, conditions);
}

}  // namespace sluice::tail_sampling
