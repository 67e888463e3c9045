#include <cmath>
#include <cstdint>
#include <string>

#include "pipeline/codec/fnv.h"
#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {
namespace {

/// The share of 2^64 - 1 that is sampled, in more than the 53 bits of a double, as the collector
/// computes it, so that both choose the same traces to the last one.
std::uint64_t threshold_of(double percentage) {
  const double ratio = percentage / 100;
  if (ratio >= 1) return UINT64_MAX;
  return static_cast<std::uint64_t>(static_cast<long double>(UINT64_MAX) * ratio);
}

/// By the hash of a salt and the trace id: samplers with one salt choose the same traces.
class Probabilistic final : public Policy {
 public:
  Probabilistic(std::string_view salt, double percentage)
      : salted_(fnv_1a(salt)), threshold_(threshold_of(percentage)) {}
  Opinion vote(const Case& trace) const override {
    const bool is_chosen = fnv_1a(trace.facts.id(), salted_) <= threshold_;
    return {is_chosen ? Vote::sampled : Vote::not_sampled, Opinion::unknown};
  }
  std::string saw(const TraceFacts& facts, ConstNotes) const override {
    const auto percent = [](std::uint64_t number) {
      return std::to_string(100.0 * static_cast<double>(number) / 0x1p64);
    };
    return "the id's hash at " + percent(fnv_1a(facts.id(), salted_)) + " %, where up to " +
           percent(threshold_) + " is sampled";
  }
  Chance chance() const override { return Chance::own; }

 private:
  std::uint64_t salted_;
  std::uint64_t threshold_;
};

/// By the random bits of the trace, under a threshold that is written into what is kept.
class Consistent final : public Policy {
 public:
  explicit Consistent(std::uint64_t threshold) : threshold_(threshold) {}
  Opinion vote(const Case& trace) const override {
    const bool passes = trace.facts.randomness() >= threshold_;
    return {passes ? Vote::sampled : Vote::not_sampled, threshold_};
  }
  std::string saw(const TraceFacts& facts, ConstNotes) const override {
    return saw_of_threshold(facts, threshold_);
  }
  Chance chance() const override { return Chance::threshold; }

 private:
  std::uint64_t threshold_;
};

}  // namespace

std::unique_ptr<Policy> decode_probabilistic(const config::Node& options, Conditions& conditions) {
  double percentage = 0;
  std::string salt;
  bool write_threshold = false;
  options.optional("sampling_percentage", percentage);
  options.expect(percentage >= 0 && percentage <= 100, "sampling_percentage",
                 "must be from 0 to 100");
  options.optional("hash_salt", salt);
  options.optional("write_threshold", write_threshold);
  options.expect(
      !write_threshold || salt.empty(), "hash_salt",
      "has no part in it with write_threshold, which goes by the random bits of the trace");
  options.no_other_keys();
  if (write_threshold) {
    constexpr int digits = 6;
    conditions.want_randomness();
    return std::make_unique<Consistent>(sampling::threshold_of(percentage / 100, digits));
  }
  return std::make_unique<Probabilistic>(salt.empty() ? "default-hash-seed" : salt, percentage);
}

}  // namespace sluice::tail_sampling
