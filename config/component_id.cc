#include "config/component_id.h"

#include <algorithm>

namespace sluice::config {
namespace {

constexpr std::size_t type_bytes_max = 63;
constexpr std::size_t name_bytes_max = 1024;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_type(std::string_view text) {
  if (text.empty() || text.size() > type_bytes_max || !is_letter(text[0])) return false;
  return std::ranges::all_of(
      text, [](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; });
}

/// Beyond ASCII everything that is UTF-8 is taken: ids name no files and are escaped where they are
/// shown.
bool is_name(std::string_view text) {
  constexpr std::string_view symbols = "$+<=>^`|~";
  if (text.empty() || text.size() > name_bytes_max) return false;
  return std::ranges::all_of(text, [symbols](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f && symbols.find(c) == std::string_view::npos;
  });
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

}  // namespace

std::optional<std::string> parse_component_id(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string type(trimmed(text.substr(0, slash)));
  if (!is_type(type)) return {};
  if (slash == std::string_view::npos) return type;
  const std::string_view name = trimmed(text.substr(slash + 1));
  if (!is_name(name)) return {};
  return type + '/' + std::string(name);
}

}  // namespace sluice::config
