#include <cmath>
#include <cstdint>
#include <string>

#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {
namespace {

constexpr std::uint64_t fnv_start = 0xcbf29ce484222325;
constexpr std::uint64_t fnv_prime = 0x100000001b3;

/// FNV-1a, going on from `hash`.
std::uint64_t fnv_1a(std::uint64_t hash, std::string_view bytes) {
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * fnv_prime;
  return hash;
}

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
      : salted_(fnv_1a(fnv_start, salt)), threshold_(threshold_of(percentage)) {}
  Vote vote(const TraceFacts& facts, TimePoint) const override {
    return fnv_1a(salted_, facts.id()) <= threshold_ ? Vote::sampled : Vote::not_sampled;
  }
  std::string saw(const TraceFacts& facts) const override {
    const auto percent = [](std::uint64_t number) {
      return std::to_string(100.0 * static_cast<double>(number) / 0x1p64);
    };
    return "the id's hash at " + percent(fnv_1a(salted_, facts.id())) + " %, where up to " +
           percent(threshold_) + " is sampled";
  }

 private:
  std::uint64_t salted_;
  std::uint64_t threshold_;
};

}  // namespace

std::unique_ptr<Policy> decode_probabilistic(const config::Node& options, Conditions&) {
  double percentage = 0;
  std::string salt;
  options.optional("sampling_percentage", percentage);
  options.expect(percentage >= 0 && percentage <= 100, "sampling_percentage",
                 "must be from 0 to 100");
  options.optional("hash_salt", salt);
  options.no_other_keys();
  return std::make_unique<Probabilistic>(salt.empty() ? "default-hash-seed" : salt, percentage);
}

}  // namespace sluice::tail_sampling
