#include "config/scalar.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

namespace sluice::config {
namespace {

using Type = Node::Scalar::Type;

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

int base_of(std::string_view& digits) {
  if (digits.size() < 2 || digits[0] != '0') return 10;
  const char mark = digits[1];
  int base = 8;  // "0777": Go reads a leading zero as octal
  std::size_t prefix = 1;
  if (mark == 'x' || mark == 'X') base = 16;
  if (mark == 'b' || mark == 'B') base = 2;
  if (base != 8 || mark == 'o' || mark == 'O') prefix = 2;
  digits.remove_prefix(prefix);
  return base;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const int base = base_of(text);
  std::uint64_t magnitude = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), magnitude, base);
  if (code != std::errc() || end != text.data() + text.size()) return {};
  constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (magnitude > largest + (negative ? 1 : 0)) return {};
  return static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude);
}

/// Digits with at most one dot and an exponent; what from_chars takes beyond that ("inf", "nan") is
/// text.
bool spells_real(std::string_view text) {
  std::size_t digits = 0;
  std::size_t i = 0;
  const auto skip_digits = [&] {
    while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i, ++digits;
  };
  skip_digits();
  if (i < text.size() && text[i] == '.') ++i, skip_digits();
  if (digits == 0) return false;
  if (i == text.size()) return true;
  if (text[i] != 'e' && text[i] != 'E') return false;
  ++i;
  if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
  digits = 0;
  skip_digits();
  return digits > 0 && i == text.size();
}

}  // namespace

std::optional<double> parse_real(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (one_of(text, {".inf", ".Inf", ".INF"})) {
    const double infinity = std::numeric_limits<double>::infinity();
    return negative ? -infinity : infinity;
  }
  if (!spells_real(text)) return {};
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc()) return {};
  return negative ? -value : value;
}

Node::Scalar resolve_plain(std::string_view text) {
  Node::Scalar scalar;
  scalar.string = std::string(text);
  scalar.type = Type::string;
  if (one_of(text, {"", "~", "null", "Null", "NULL"})) {
    scalar.type = Type::null;
  } else if (one_of(text, {"true", "True", "TRUE", "false", "False", "FALSE"})) {
    scalar.type = Type::boolean;
    scalar.boolean = text[0] == 't' || text[0] == 'T';
  } else if (one_of(text, {".nan", ".NaN", ".NAN"})) {
    scalar.type = Type::real;
    scalar.real = std::numeric_limits<double>::quiet_NaN();
  } else if (text.find_first_of("+-.0123456789") == 0) {
    std::string digits(text);
    std::erase(digits, '_');
    if (const std::optional<std::int64_t> integer = parse_integer(digits)) {
      scalar.type = Type::integer;
      scalar.integer = *integer;
    } else if (const std::optional<double> real = parse_real(digits)) {
      scalar.type = Type::real;
      scalar.real = *real;
    }
  }
  return scalar;
}

}  // namespace sluice::config
