#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Consistent probability sampling (OpenTelemetry specification, "TraceState: Probability
/// Sampling"). A trace has 56 random bits, the same wherever it is looked at. A sampler keeps it
/// where these are not below its threshold, and writes the threshold down; so each kept trace says
/// how many it stands for, and samplers behind one another keep subsets, not products.
namespace sluice::sampling {

/// Thresholds and random bits are below this; a threshold of as much keeps nothing.
inline constexpr std::uint64_t threshold_end = std::uint64_t{1} << 56;

/// The low 56 bits of a trace id of 16 bytes, which its maker has drawn at random.
std::uint64_t randomness_of(std::string_view trace_id);

/// What is kept with this probability, from 0 to 1, rounded to so many significant hexadecimal
/// digits (1 to 14) behind the leading zeros of the threshold, or the leading `f`s, which are those
/// of the probability; so a small share is as exact as a large one. `threshold_end` where nothing
/// can be, which is below 2^-56.
std::uint64_t threshold_of(double probability, int digits);
inline double probability_of(std::uint64_t threshold) {
  return static_cast<double>(threshold_end - threshold) / static_cast<double>(threshold_end);
}

/// As `th` has it: 1 to 14 digits, those behind the last that counts left out.
std::string threshold_text(std::uint64_t threshold);
std::optional<std::uint64_t> parse_threshold(std::string_view text);
/// As `rv` has it: 14 digits.
std::string randomness_text(std::uint64_t randomness);
std::optional<std::uint64_t> parse_randomness(std::string_view text);

}  // namespace sluice::sampling
