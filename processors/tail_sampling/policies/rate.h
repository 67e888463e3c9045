#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "processors/tail_sampling/policy.h"
#include "processors/tail_sampling/token_bucket.h"

namespace sluice::tail_sampling {

/// Samples while there are tokens for all that one number of the trace says: its spans, its bytes.
class Rate final : public Policy {
 public:
  using Amount = std::uint64_t TraceFacts::*;
  Rate(std::uint64_t per_second, std::uint64_t burst, Amount amount)
      : bucket_(static_cast<double>(per_second), static_cast<double>(burst)), amount_(amount) {}
  Vote vote(const TraceFacts& facts, TimePoint now) const override {
    return bucket_.take(static_cast<double>(facts.*amount_), now) ? Vote::sampled
                                                                  : Vote::not_sampled;
  }
  std::string saw(const TraceFacts& facts) const override {
    return "asked for " + std::to_string(facts.*amount_) + " of at most " +
           std::to_string(static_cast<std::uint64_t>(bucket_.burst())) + " tokens";
  }
  bool needs_whole_trace() const override { return true; }

 private:
  TokenBucket bucket_;
  Amount amount_;
};

/// Reads the rate under `key`, and `burst_capacity`, which is twice the rate if nothing is said.
inline std::unique_ptr<Policy> decode_rate(const config::Node& options, std::string_view key,
                                           Rate::Amount amount) {
  std::uint64_t per_second = 0, burst = 0;
  options.required(key, per_second);
  options.optional("burst_capacity", burst);
  options.no_other_keys();
  return std::make_unique<Rate>(per_second, burst > 0 ? burst : 2 * per_second, amount);
}

}  // namespace sluice::tail_sampling
