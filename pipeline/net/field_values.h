#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

/// What the values of header fields have in common, whatever version of HTTP carries them.
namespace sluice::net {

/// Without the blanks around it (RFC 9110, section 5.6.3).
inline std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

inline bool equals_ignoring_case(std::string_view text, std::string_view lower_case) {
  return std::ranges::equal(text, lower_case, [](char c, char wanted) {
    return (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) == wanted;
  });
}

/// A Content-Length: digits alone; empty where it is anything else or does not fit.
inline std::optional<std::uint64_t> parse_length(std::string_view text) {
  constexpr std::size_t digits_max = 15;
  if (text.empty() || text.size() > digits_max) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

/// Fields that concern one connection, and not the request that goes over it.
inline bool is_hop_by_hop(std::string_view name) {
  return name == "connection" || name == "te" || name == "transfer-encoding" ||
         name == "keep-alive" || name == "upgrade" || name == "proxy-connection";
}

}  // namespace sluice::net
