#include "pipeline/sampling/trace_state.h"

#include <algorithm>
#include <array>
#include <utility>

#include "pipeline/net/field_values.h"
#include "pipeline/sampling/threshold.h"

namespace sluice::sampling {
namespace {

constexpr std::size_t length_max = 1024;
constexpr std::size_t value_size_max = 256;
constexpr std::string_view own_key = "ot";

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower_or_digit(char c) { return is_lower(c) || is_digit(c); }
bool is_key_char(char c) {
  return is_lower_or_digit(c) || c == '_' || c == '-' || c == '*' || c == '/';
}
bool is_value_char(char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; }
bool is_own_value_char(char c) {
  return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
}

/// Begins with a letter, and has so many characters at most.
bool is_name(std::string_view text, std::size_t size_max) {
  return !text.empty() && text.size() <= size_max && is_lower(text.front()) &&
         std::ranges::all_of(text, is_key_char);
}

/// Up to the separator, which goes too.
std::string_view cut(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view out = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return out;
}

/// One `key:value` of the member `ot`.
std::optional<TraceStateMember> read_own(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const TraceStateMember out{text.substr(0, colon), text.substr(colon + 1)};
  const bool is_right = !out.key.empty() && is_lower(out.key.front()) &&
                        std::ranges::all_of(out.key, is_lower_or_digit) &&
                        std::ranges::all_of(out.value, is_own_value_char);
  return is_right ? std::optional(out) : std::nullopt;
}

bool read_own_list(std::string_view list, SamplingState& state) {
  while (true) {
    const bool is_last = list.find(';') == std::string_view::npos;
    const std::optional<TraceStateMember> own = read_own(cut(list, ';'));
    if (!own) return false;
    if (own->key == "th" && !(state.threshold = parse_threshold(own->value))) return false;
    if (own->key == "rv" && !(state.randomness = parse_randomness(own->value))) return false;
    if (is_last) return true;
  }
}

/// Where a list begins in `out`, and how long it may become.
struct Room {
  std::size_t begin, size_max;
};

/// False, and nothing was appended, where there is no room.
bool append(std::string& out, Room room, char separator, std::string_view key, char equals,
            std::string_view value) {
  const std::size_t size = out.size() - room.begin;
  const bool is_first = size == 0;
  if (size + (is_first ? 0 : 1) + key.size() + 1 + value.size() > room.size_max) return false;
  if (!is_first) out += separator;
  out.append(key).append(1, equals).append(value);
  return true;
}

/// What `ot` holds: the last one, where there are several.
std::string_view own_list(std::string_view trace_state) {
  std::string_view out;
  TraceStateReader reader(trace_state);
  while (const std::optional<TraceStateMember> member = reader.next())
    if (member->key == own_key) out = member->value;
  return out;
}

/// As it was written, where it says the same: others may compare the text.
std::string randomness_as_in(std::string_view list, std::uint64_t randomness) {
  while (!list.empty()) {
    const std::optional<TraceStateMember> own = read_own(cut(list, ';'));
    if (own && own->key == "rv" && parse_randomness(own->value) == randomness)
      return std::string(own->value);
  }
  return randomness_text(randomness);
}

void append_own_list(std::string& out, std::string_view before, const SamplingState& state) {
  const Room room{out.size(), value_size_max};
  if (state.randomness)
    append(out, room, ';', "rv", ':', randomness_as_in(before, *state.randomness));
  if (state.threshold) append(out, room, ';', "th", ':', threshold_text(*state.threshold));
  while (!before.empty()) {
    const std::optional<TraceStateMember> own = read_own(cut(before, ';'));
    if (!own || own->key == "rv" || own->key == "th") continue;
    if (!append(out, room, ';', own->key, ':', own->value)) return;
  }
}

}  // namespace

/// A name, or tenant@system.
bool is_trace_state_key(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos) return is_name(text, 256);
  const std::string_view tenant = text.substr(0, at);
  return !tenant.empty() && tenant.size() <= 241 && is_lower_or_digit(tenant.front()) &&
         std::ranges::all_of(tenant, is_key_char) && is_name(text.substr(at + 1), 14);
}

bool is_trace_state_value(std::string_view text) {
  return !text.empty() && text.size() <= value_size_max && text.back() != ' ' &&
         std::ranges::all_of(text, is_value_char);
}

std::optional<TraceStateMember> TraceStateReader::next() {
  while (!rest_.empty()) {
    const std::string_view whole = cut(rest_, ',');
    const std::string_view text = net::trimmed(whole);
    if (text.empty() && (whole.empty() || blanks_ == BlankMembers::allowed)) continue;
    const std::size_t equals = std::min(text.find('='), text.size());
    const TraceStateMember member{text.substr(0, equals),
                                  text.substr(std::min(equals + 1, text.size()))};
    if (is_trace_state_key(member.key) && is_trace_state_value(member.value)) return member;
    is_malformed_ = true;
    rest_ = {};
  }
  return std::nullopt;
}

std::optional<TraceStateMembers> TraceStateMembers::read(std::string_view text,
                                                         BlankMembers blanks) {
  std::optional<TraceStateMembers> out(std::in_place);
  TraceStateReader reader(text, blanks);
  while (const std::optional<TraceStateMember> member = reader.next()) {
    const bool again =
        std::ranges::find(out->all(), member->key, &TraceStateMember::key) != out->all().end();
    if (again || out->count_ == out->members_.size()) return std::nullopt;
    out->members_[out->count_++] = *member;
  }
  return reader.is_malformed() ? std::nullopt : out;
}

std::string_view TraceStateMembers::find(std::string_view key) const {
  const auto found = std::ranges::find(all(), key, &TraceStateMember::key);
  return found == all().end() ? std::string_view("") : found->value;
}

std::optional<SamplingState> read_sampling(std::string_view trace_state) {
  SamplingState out;
  if (trace_state.empty()) return out;  // most of them
  if (trace_state.size() > length_max) return std::nullopt;
  TraceStateReader reader(trace_state);
  std::size_t count = 0;
  while (const std::optional<TraceStateMember> member = reader.next()) {
    if (++count > TraceStateReader::members_max) return std::nullopt;
    if (member->key != own_key) continue;
    out = {};
    if (!read_own_list(member->value, out)) return std::nullopt;
  }
  return reader.is_malformed() ? std::nullopt : std::optional(out);
}

void append_with_sampling(std::string& out, std::string_view trace_state,
                          const SamplingState& state) {
  const Room room{out.size(), length_max};
  out.append(own_key).append(1, '=');
  const std::size_t begin = out.size();
  append_own_list(out, own_list(trace_state), state);
  if (out.size() == begin) out.resize(room.begin);
  std::size_t count = out.size() == room.begin ? 0 : 1;
  TraceStateReader reader(trace_state);
  while (const std::optional<TraceStateMember> member = reader.next()) {
    if (member->key == own_key) continue;
    if (++count > TraceStateReader::members_max) return;
    if (!append(out, room, ',', member->key, '=', member->value)) return;
  }
}

}  // namespace sluice::sampling
