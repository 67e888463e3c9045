#include <array>
#include <limits>

#include "config/node.h"

namespace sluice::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};

// Longer names first, so that "ms" is not read as "m" and a rest.
constexpr std::array<Unit, 8> units = {{{"ns", 1},
                                        {"us", 1'000},
                                        {"µs", 1'000},  // U+00B5
                                        {"μs", 1'000},  // U+03BC
                                        {"ms", 1'000'000},
                                        {"s", 1'000'000'000},
                                        {"m", 60'000'000'000},
                                        {"h", 3'600'000'000'000}}};

const Unit* unit_at(std::string_view text) {
  for (const Unit& unit : units) {
    if (text.starts_with(unit.name)) return &unit;
  }
  return nullptr;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes one "1.5h" from the front of `text` and adds it to `total`; false if it is none or too
/// large.
bool take_part(std::string_view& text, std::int64_t& total) {
  constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  std::size_t i = 0;
  std::int64_t whole = 0;
  for (; i < text.size() && is_digit(text[i]); ++i) {
    if (whole > (largest - 9) / 10) return false;
    whole = whole * 10 + (text[i] - '0');
  }
  bool digits = i > 0;
  double fraction = 0;
  if (i < text.size() && text[i] == '.') {
    double place = 0.1;
    for (++i; i < text.size() && is_digit(text[i]); ++i, place /= 10, digits = true) {
      fraction += place * (text[i] - '0');
    }
  }
  if (!digits) return false;
  const Unit* unit = unit_at(text.substr(i));
  if (unit == nullptr || whole > largest / unit->nanoseconds) return false;
  const auto rest =
      static_cast<std::int64_t>(fraction * static_cast<double>(unit->nanoseconds) + 0.5);
  const std::int64_t whole_part = whole * unit->nanoseconds;
  if (rest > largest - whole_part || total > largest - whole_part - rest) return false;
  total += whole_part + rest;
  text.remove_prefix(i + unit->name.size());
  return true;
}

}  // namespace

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return std::chrono::nanoseconds(0);
  if (text.empty()) return {};
  std::int64_t total = 0;
  while (!text.empty()) {
    if (!take_part(text, total)) return {};
  }
  return std::chrono::nanoseconds(negative ? -total : total);
}

}  // namespace sluice::config
