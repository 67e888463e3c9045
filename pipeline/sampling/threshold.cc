#include "pipeline/sampling/threshold.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "pipeline/codec/hex.h"

namespace sluice::sampling {
namespace {

constexpr std::size_t digits_all = 14;

/// Digits of either case, from the highest; those that are left out are zeros.
std::optional<std::uint64_t> parse_digits(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number << 4 * (digits_all - text.size());
}

/// How many zeros such a part of one begins with, in hexadecimal.
int leading_zeros(double part) {
  int exponent = 0;
  std::frexp(part, &exponent);
  return -exponent / 4;
}

}  // namespace

std::uint64_t randomness_of(std::string_view trace_id) {
  std::uint64_t out = 0;
  for (const char byte : trace_id.substr(trace_id.size() - 7))
    out = out << 8 | static_cast<unsigned char>(byte);
  return out;
}

std::uint64_t threshold_of(double probability, int digits) {
  if (probability >= 1) return 0;
  if (!(probability >= 0x1p-56)) return threshold_end;
  const std::uint64_t exact =
      threshold_end - static_cast<std::uint64_t>(std::llround(probability * 0x1p56));
  digits += std::max(leading_zeros(probability), leading_zeros(1 - probability));
  if (digits >= 14) return exact;
  const int shift = 4 * (14 - digits);
  const std::uint64_t half = std::uint64_t{1} << (shift - 1);
  return (exact + half) >> shift << shift;
}

std::string threshold_text(std::uint64_t threshold) {
  std::string out = randomness_text(threshold);
  out.resize(std::max<std::size_t>(out.find_last_not_of('0') + 1, 1));
  return out;
}

std::optional<std::uint64_t> parse_threshold(std::string_view text) {
  if (text.empty() || text.size() > digits_all) return std::nullopt;
  return parse_digits(text);
}

std::string randomness_text(std::uint64_t randomness) {
  std::string bytes;
  for (int shift = 48; shift >= 0; shift -= 8)
    bytes += static_cast<char>(randomness >> shift & 0xff);
  std::string out(digits_all, '0');
  hex::encode(bytes, out.data());
  return out;
}

std::optional<std::uint64_t> parse_randomness(std::string_view text) {
  if (text.size() != digits_all) return std::nullopt;
  return parse_digits(text);
}

}  // namespace sluice::sampling
