#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/net/field_values.h"
#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {
namespace {

/// A list-member.
struct Member {
  std::string_view key, value;
};

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_lower_or_digit(char c) { return is_lower(c) || (c >= '0' && c <= '9'); }
bool is_key_char(char c) {
  return is_lower_or_digit(c) || c == '_' || c == '-' || c == '*' || c == '/';
}
bool is_value_char(char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; }

/// Begins with a letter, and has so many characters at most.
bool is_name(std::string_view text, std::size_t length_max) {
  return !text.empty() && text.size() <= length_max && is_lower(text.front()) &&
         std::ranges::all_of(text, is_key_char);
}

/// A name, or tenant@system.
bool is_key(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos) return is_name(text, 256);
  const std::string_view tenant = text.substr(0, at);
  return !tenant.empty() && tenant.size() <= 241 && is_lower_or_digit(tenant.front()) &&
         std::ranges::all_of(tenant, is_key_char) && is_name(text.substr(at + 1), 14);
}

bool is_value(std::string_view text) {
  return !text.empty() && text.size() <= 256 && std::ranges::all_of(text, is_value_char);
}

std::optional<Member> read_member(std::string_view text) {
  const std::string_view member = net::trimmed(text);
  const std::size_t equals = member.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const Member read{member.substr(0, equals), member.substr(equals + 1)};
  if (!is_key(read.key) || !is_value(read.value)) return std::nullopt;
  return read;
}

/// The value under a key (W3C trace context, section 3.3). A trace state with a mistake anywhere in
/// it has none: so the collector reads it.
std::string_view value_under(std::string_view key, std::string_view trace_state) {
  std::array<std::string_view, 32> keys;
  std::size_t count = 0;
  std::string_view found;
  while (!trace_state.empty()) {
    const std::size_t comma = std::min(trace_state.find(','), trace_state.size());
    const std::string_view text = trace_state.substr(0, comma);
    trace_state.remove_prefix(std::min(comma + 1, trace_state.size()));
    if (text.empty()) continue;
    const std::optional<Member> member = read_member(text);
    const auto end = keys.begin() + static_cast<std::ptrdiff_t>(count);
    if (!member || count == keys.size() || std::find(keys.begin(), end, member->key) != end)
      return {};
    keys[count++] = member->key;
    if (member->key == key) found = member->value;
  }
  return found;
}

/// One of some values under a key.
class HasTraceState final : public SpanCondition {
 public:
  HasTraceState(std::string key, std::vector<std::string> values)
      : key_(std::move(key)), values_(std::move(values)) {}
  bool holds(const SpanView& span) const override {
    if (span.trace_state().empty()) return false;
    const std::string_view value = value_under(key_, span.trace_state());
    return !value.empty() && std::ranges::find(values_, value) != values_.end();
  }

 private:
  std::string key_;
  std::vector<std::string> values_;
};

}  // namespace

std::unique_ptr<Policy> decode_trace_state(const config::Node& options, Conditions& conditions) {
  std::string key;
  std::vector<std::string> values;
  options.required("key", key);
  options.required("values", values);
  // As in the collector.
  std::erase_if(values, [&](const std::string& value) { return key.size() + value.size() >= 256; });
  options.no_other_keys();
  return any_span(conditions, std::make_unique<HasTraceState>(std::move(key), std::move(values)));
}

}  // namespace sluice::tail_sampling
