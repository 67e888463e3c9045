#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "pipeline/sampling/trace_state.h"
#include "processors/probabilistic_sampler/sampled_span.h"

namespace sluice::probabilistic_sampler {

enum class Mode : std::uint8_t { hash_seed, proportional, equalizing };

struct Options {
  Mode mode = Mode::hash_seed;
  float percentage = 0;  ///< from 0 to 100, of the precision that the collector computes with
  std::uint32_t hash_seed = 0;
  bool fail_closed = true;
  int precision = 4;  ///< hexadecimal digits of thresholds
};

/// What decided about a span.
enum class Policy : std::uint8_t {
  trace_id_hash,
  sampling_randomness,
  trace_id_w3c,
  missing_randomness,
  sampling_priority,
};
inline constexpr std::array<std::string_view, 5> policy_words = {
    "trace_id_hash", "sampling_randomness", "trace_id_w3c", "missing_randomness",
    "sampling_priority"};

/// Why nobody can tell with which chance a span is to be kept: `fail_closed` decides.
enum class Mistake : std::uint8_t {
  none,
  malformed_trace_state,
  randomness_in_use,  ///< hash_seed has random bits of its own to write
  threshold_in_use,   ///< which says nothing about those
  inconsistent_threshold,
};
inline constexpr std::array<std::string_view, 5> mistake_words = {
    "", "malformed_trace_state", "randomness_in_use", "threshold_in_use", "inconsistent_threshold"};

struct Decision {
  bool is_kept = false;
  Policy policy = Policy::trace_id_hash;
  Mistake mistake = Mistake::none;
  /// What the trace state of a kept span says from then on. Nothing: it stays as it is.
  std::optional<sampling::SamplingState> state{};
};

/// Decides as the OpenTelemetry Collector's sampler does, to the last trace. All modes come down to
/// one comparison: a span is kept where its 56 random bits are not below a threshold
/// (pipeline/sampling). Modes differ in where the bits come from and what the threshold depends on.
class Sampler {
 public:
  explicit Sampler(const Options& options);
  Decision decide(const SampledSpan& span) const;
  /// Whatever comes, but for spans with a priority and those that `fail_closed: false` lets pass.
  bool keeps_nothing() const { return source_ == Source::nothing; }

 private:
  /// Where the random bits come from. `nothing`: no threshold is low enough.
  enum class Source : std::uint8_t { nothing, hash, trace };
  struct Draw {
    std::uint64_t randomness;
    Policy policy;
    Mistake mistake;
    std::optional<sampling::SamplingState> state;
  };
  Draw draw(const SampledSpan& span) const;
  Draw draw_hash(const SampledSpan& span) const;
  static Draw draw_bits_of_trace(const SampledSpan& span);
  std::uint64_t threshold_after(const sampling::SamplingState& state) const;

  Source source_;
  bool is_proportional_;
  bool fail_closed_;
  int precision_;
  double probability_;
  std::uint64_t threshold_;
  std::uint32_t seeded_hash_;
};

}  // namespace sluice::probabilistic_sampler
