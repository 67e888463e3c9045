#include <cstdint>

#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {
namespace {

/// From the earliest start to the latest end. Without an upper bound the lower one is taken in;
/// with one, it is not.
class Latency final : public Policy {
 public:
  Latency(std::int64_t least, std::int64_t most) : least_(least), most_(most) {}
  Vote vote(const TraceFacts& facts) const override {
    const std::int64_t duration = facts.duration_ms();
    const bool in_range = most_ == 0 ? duration >= least_ : duration > least_ && duration <= most_;
    return in_range ? Vote::sampled : Vote::not_sampled;
  }

 private:
  std::int64_t least_, most_;
};

}  // namespace

std::unique_ptr<Policy> decode_latency(const config::Node& options, Conditions&) {
  std::int64_t least = 0, most = 0;
  options.optional("threshold_ms", least);
  options.optional("upper_threshold_ms", most);
  options.expect(least >= 0, "threshold_ms", "must not be negative");
  options.expect(most == 0 || most > least, "upper_threshold_ms",
                 "must be above threshold_ms, or 0 for no limit");
  options.no_other_keys();
  return std::make_unique<Latency>(least, most);
}

}  // namespace sluice::tail_sampling
