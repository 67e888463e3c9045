// W3C Trace Context, section 3.3: `key=value` members, at most 32, separated by commas.
#include "pipeline/ottl/trace_state.h"

#include <algorithm>
#include <vector>

namespace sluice::ottl {
namespace {

constexpr std::size_t members_max = 32;
constexpr std::size_t size_max = 256;  ///< of a key, of a value
constexpr std::size_t tenant_max = 241, system_max = 14;

struct Member {
  std::string_view key, value;
};

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_key_part(char c) {
  return is_lower_or_digit(c) || c == '_' || c == '-' || c == '*' || c == '/';
}

bool valid_key(std::string_view key) {
  const std::size_t at = key.find('@');
  if (at == std::string_view::npos) {
    return !key.empty() && key.size() <= size_max && key[0] >= 'a' && key[0] <= 'z' &&
           std::ranges::all_of(key, is_key_part);
  }
  const std::string_view tenant = key.substr(0, at), system = key.substr(at + 1);
  return !tenant.empty() && tenant.size() <= tenant_max && is_lower_or_digit(tenant[0]) &&
         std::ranges::all_of(tenant, is_key_part) && !system.empty() &&
         system.size() <= system_max && system[0] >= 'a' && system[0] <= 'z' &&
         std::ranges::all_of(system, is_key_part);
}

bool valid_value(std::string_view value) {
  return !value.empty() && value.size() <= size_max && value.back() != ' ' &&
         std::ranges::all_of(value,
                             [](char c) { return c >= 0x20 && c <= 0x7e && c != ',' && c != '='; });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<std::vector<Member>> parse(std::string_view state) {
  std::vector<Member> members;
  while (!state.empty()) {
    const std::size_t comma = std::min(state.find(','), state.size());
    const std::string_view text = trimmed(state.substr(0, comma));
    state.remove_prefix(std::min(comma + 1, state.size()));
    if (text.empty()) continue;
    const std::size_t sign = std::min(text.find('='), text.size());
    const Member member{text.substr(0, sign), text.substr(std::min(sign + 1, text.size()))};
    const bool again = std::ranges::find(members, member.key, &Member::key) != members.end();
    if (!valid_key(member.key) || !valid_value(member.value) || again ||
        members.size() == members_max)
      return std::nullopt;
    members.push_back(member);
  }
  return members;
}

}  // namespace

Value trace_state_entry(std::string_view state, std::string_view key) {
  const auto members = parse(state);
  if (!members) return {};
  const auto member = std::ranges::find(*members, key, &Member::key);
  return Value::of_string(member == members->end() ? std::string_view("") : member->value);
}

std::optional<std::string> with_trace_state_entry(std::string_view state, std::string_view key,
                                                  std::string_view value) {
  const auto members = parse(state);
  if (!members || !valid_key(key) || !valid_value(value)) return std::nullopt;
  std::string out = std::string(key) + '=' + std::string(value);
  std::size_t count = 1;
  for (const Member& member : *members) {
    if (member.key == key || count++ == members_max) continue;
    out += ',';
    out += member.key;
    out += '=';
    out += member.value;
  }
  return out;
}

}  // namespace sluice::ottl
