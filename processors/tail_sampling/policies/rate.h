#pragma once

#include <cmath>
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
  Rate(std::uint64_t per_second, std::uint64_t burst, Amount amount, std::size_t note)
      : bucket_(static_cast<double>(per_second), static_cast<double>(burst)),
        amount_(amount),
        note_(note) {}
  Opinion vote(const Case& trace) const override {
    const auto [there, is_taken] =
        bucket_.take(static_cast<double>(trace.facts.*amount_), trace.now);
    trace.notes[note_] = static_cast<std::uint64_t>(std::llround(there));
    return {is_taken ? Vote::sampled : Vote::not_sampled, Opinion::unknown};
  }
  std::string saw(const TraceFacts& facts, ConstNotes notes) const override {
    if (notes[note_] == no_note) return "not asked";
    return "asked for " + std::to_string(facts.*amount_) + " of " + std::to_string(notes[note_]) +
           " tokens, where at most " + std::to_string(static_cast<std::uint64_t>(bucket_.burst())) +
           " gather";
  }
  Chance chance() const override { return Chance::own; }
  bool needs_whole_trace() const override { return true; }

 private:
  TokenBucket bucket_;
  Amount amount_;
  std::size_t note_;
};

/// Reads the rate under `key`, and `burst_capacity`, which is twice the rate if nothing is said.
inline std::unique_ptr<Policy> decode_rate(const config::Node& options, std::string_view key,
                                           Rate::Amount amount, Conditions& conditions) {
  std::uint64_t per_second = 0, burst = 0;
  options.required(key, per_second);
  options.optional("burst_capacity", burst);
  options.no_other_keys();
  return std::make_unique<Rate>(per_second, burst > 0 ? burst : 2 * per_second, amount,
                                conditions.add_notes(1));
}

}  // namespace sluice::tail_sampling
