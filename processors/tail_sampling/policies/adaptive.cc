#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "processors/tail_sampling/adaptive_rates.h"
#include "processors/tail_sampling/fingerprint.h"
#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {
namespace {

/// What keys are called, for who asks later. Locked when one comes up for the first time in an
/// interval, and when somebody asks.
class KeyNames {
 public:
  explicit KeyNames(std::size_t names_max) : names_max_(names_max) {}
  void add(std::uint64_t key, std::string name) {
    constexpr std::size_t size_max = 256;
    if (name.size() > size_max) name.resize(size_max);
    const std::lock_guard lock(mutex_);
    if (names_.size() >= names_max_) names_.clear();
    names_.emplace(key, std::move(name));
  }
  std::string of(std::uint64_t key) const {
    const std::lock_guard lock(mutex_);
    const auto found = names_.find(key);
    return found == names_.end() ? "forgotten by now" : '"' + found->second + '"';
  }

 private:
  std::size_t names_max_;
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::string> names_;
};

/// Samples each kind of traffic with a probability of its own, which follows the traffic.
class Adaptive final : public Policy {
 public:
  Adaptive(Fingerprint fingerprint, const AdaptiveRates::Goal& goal, std::size_t note)
      : fingerprint_(std::move(fingerprint)),
        rates_(goal),
        names_(4 * goal.keys_max),
        note_(note) {}

  Opinion vote(const Case& trace) const override {
    std::string name = fingerprint_.of(trace);
    const std::uint64_t key = std::hash<std::string>()(name);
    const std::uint64_t spans = trace.facts.spans;
    const auto [threshold, is_new] = rates_.rate(key, spans, trace.now);
    if (is_new) names_.add(key, std::move(name));
    trace.notes[note_] = key;
    trace.notes[note_ + 1] = threshold;
    if (trace.facts.randomness() < threshold) return {Vote::not_sampled, threshold};
    rates_.kept(spans);
    return {Vote::sampled, threshold};
  }
  std::string saw(const TraceFacts& facts, ConstNotes notes) const override {
    if (notes[note_ + 1] == no_note) return "not asked";
    return "key " + names_.of(notes[note_]) + ", " + saw_of_threshold(facts, notes[note_ + 1]);
  }
  Chance chance() const override { return Chance::threshold; }
  bool needs_whole_trace() const override { return true; }

 private:
  Fingerprint fingerprint_;
  mutable AdaptiveRates rates_;
  mutable KeyNames names_;
  std::size_t note_;
};

std::unique_ptr<Policy> decode_adaptive(const config::Node& options, AdaptiveRates::Goal goal,
                                        Conditions& conditions) {
  constexpr std::uint64_t keys_most = 10'000;
  std::uint64_t keys_max = goal.keys_max;
  Fingerprint fingerprint = Fingerprint::decode(options);
  options.optional("adjustment_interval", goal.interval);
  options.expect(goal.interval >= std::chrono::seconds(1), "adjustment_interval",
                 "must be at least 1s");
  options.optional("max_keys", keys_max);
  options.expect(keys_max > 0 && keys_max <= keys_most, "max_keys", "must be from 1 to 10000");
  options.no_other_keys();
  if (options.has_errors()) return nullptr;
  goal.keys_max = keys_max;
  conditions.want_randomness();
  return std::make_unique<Adaptive>(std::move(fingerprint), goal, conditions.add_notes(2));
}

}  // namespace

std::unique_ptr<Policy> decode_adaptive_percentage(const config::Node& options,
                                                   Conditions& conditions) {
  double percentage = 0;
  options.required("goal_percentage", percentage);
  options.expect(!options.has("goal_percentage") || (percentage > 0 && percentage <= 100),
                 "goal_percentage", "must be more than 0, and at most 100");
  return decode_adaptive(options, {.share = percentage / 100, .initial = percentage / 100},
                         conditions);
}

std::unique_ptr<Policy> decode_adaptive_throughput(const config::Node& options,
                                                   Conditions& conditions) {
  double throughput = 0, initial = 10;
  options.required("goal_throughput", throughput);
  options.expect(!options.has("goal_throughput") || throughput > 0, "goal_throughput",
                 "must be more than 0");
  options.optional("initial_sampling_percentage", initial);
  options.expect(initial > 0 && initial <= 100, "initial_sampling_percentage",
                 "must be more than 0, and at most 100");
  return decode_adaptive(options, {.spans_per_second = throughput, .initial = initial / 100},
                         conditions);
}

}  // namespace sluice::tail_sampling
