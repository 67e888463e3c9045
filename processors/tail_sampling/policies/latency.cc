#include <algorithm>
#include <cstdint>
#include <string>

#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {
namespace {

/// From the earliest start to the latest end, above `threshold_ms`; a span without a start makes it
/// very long.
class Latency final : public Policy {
 public:
  explicit Latency(std::int64_t threshold) : threshold_(threshold) {}
  Opinion vote(const Case& trace) const override {
    const auto since_1970 = static_cast<std::int64_t>(trace.facts.last_end_unstarted / 1'000'000);
    return std::max(trace.facts.duration_ms(), since_1970) > threshold_ ? Vote::sampled
                                                                        : Vote::not_sampled;
  }
  std::string saw(const TraceFacts& facts, ConstNotes) const override {
    return std::to_string(facts.duration_ms()) + " ms, where more than " +
           std::to_string(threshold_) + " is slow";
  }

 private:
  std::int64_t threshold_;
};

/// Above the one and up to the other, at some time while the trace grew: so the collector has it,
/// which looks from span to span and stops at the first that fits.
class DurationBetween final : public GrowthCondition {
 public:
  DurationBetween(std::int64_t above, std::int64_t up_to) : above_(above), up_to_(up_to) {}
  bool holds(const TraceFacts& so_far) const override {
    const std::int64_t duration = so_far.duration_ms();
    return above_ < duration && duration <= up_to_;
  }

 private:
  std::int64_t above_, up_to_;
};

class LatencyBetween final : public Policy {
 public:
  explicit LatencyBetween(std::size_t condition) : condition_(condition) {}
  Opinion vote(const Case& trace) const override {
    return trace.facts.matched[condition_] ? Vote::sampled : Vote::not_sampled;
  }
  std::string saw(const TraceFacts& facts, ConstNotes) const override {
    return std::to_string(facts.duration_ms()) + " ms in the end, and " +
           (facts.matched[condition_] ? "was" : "never was") + " within the bounds";
  }
  bool needs_whole_trace() const override { return true; }

 private:
  std::size_t condition_;
};

}  // namespace

std::unique_ptr<Policy> decode_latency(const config::Node& options, Conditions& conditions) {
  std::int64_t threshold = 0, upper = 0;
  options.optional("threshold_ms", threshold);
  options.optional("upper_threshold_ms", upper);
  options.expect(threshold >= 0, "threshold_ms", "must not be negative");
  options.expect(upper == 0 || upper > threshold, "upper_threshold_ms",
                 "must be above threshold_ms, or 0 for no limit");
  options.no_other_keys();
  if (upper == 0) return std::make_unique<Latency>(threshold);
  return std::make_unique<LatencyBetween>(
      conditions.add(std::make_unique<DurationBetween>(threshold, upper)));
}

}  // namespace sluice::tail_sampling
