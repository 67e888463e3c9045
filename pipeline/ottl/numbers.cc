#include "pipeline/ottl/numbers.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

namespace sluice::ottl {
namespace {

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (text.size() < 2 || text[0] != '0' || (text[1] | 0x20) != prefix[1]) return false;
  text.remove_prefix(2);
  return true;
}

int take_base(std::string_view& text) {
  if (take_prefix(text, "0x")) return 16;
  if (take_prefix(text, "0o")) return 8;
  if (take_prefix(text, "0b")) return 2;
  if (text.size() > 1 && text[0] == '0') return 8;
  return 10;
}

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text, int base) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::string digits;
  if (base == 0) {
    base = take_base(text);
    for (const char c : text) {
      if (c != '_') digits += c;
    }
  } else {
    digits = text;
  }
  if (base < 2 || base > 36 || digits.empty() || digits[0] == '-') return std::nullopt;
  if (negative) digits.insert(digits.begin(), '-');
  std::int64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, number, base);
  if (error != std::errc() || at != end) return std::nullopt;
  return number;
}

std::optional<double> parse_real(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  const bool hex = take_prefix(digits, "0x");
  double number = 0;
  const std::string_view whole = hex ? digits : text;
  const char* const end = whole.data() + whole.size();
  const auto format = hex ? std::chars_format::hex : std::chars_format::general;
  const auto [at, error] = std::from_chars(whole.data(), end, number, format);
  if (error != std::errc() || at != end || whole.empty()) return std::nullopt;
  return hex && text.starts_with('-') ? -number : number;
}

std::optional<bool> parse_boolean(std::string_view text) {
  for (const std::string_view word : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == word) return true;
  }
  for (const std::string_view word : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == word) return false;
  }
  return std::nullopt;
}

std::int64_t truncated(double real) {
  constexpr double bound = 9223372036854775808.0;  // 2^63
  if (!(real >= -bound && real < bound)) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(real);
}

std::string shortest(double real) {
  if (std::isnan(real)) return "NaN";
  if (std::isinf(real)) return real > 0 ? "+Inf" : "-Inf";
  const double size = std::abs(real);
  const bool exponent = size != 0 && (size < 1e-4 || size >= 1e21);
  std::array<char, 64> text;
  const auto format = exponent ? std::chars_format::scientific : std::chars_format::fixed;
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), real, format).ptr};
}

std::string fixed(double real, int digits) {
  std::array<char, 512> text;
  const auto [end, error] =
      std::to_chars(text.data(), text.data() + text.size(), real, std::chars_format::fixed, digits);
  return {text.data(), error == std::errc() ? end : text.data()};
}

}  // namespace sluice::ottl
