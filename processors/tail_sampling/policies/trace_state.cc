#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/sampling/trace_state.h"
#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {
namespace {

/// The value under a key (W3C trace context, section 3.3). A trace state with a mistake anywhere in
/// it, blank members among them, has none: so the collector reads it for this policy.
std::string_view value_under(std::string_view key, std::string_view trace_state) {
  std::array<std::string_view, sampling::TraceStateReader::members_max> keys;
  std::size_t count = 0;
  std::string_view found;
  sampling::TraceStateReader reader(trace_state,
                                    sampling::TraceStateReader::BlankMembers::mistakes);
  while (const std::optional<sampling::TraceStateMember> member = reader.next()) {
    const auto end = keys.begin() + static_cast<std::ptrdiff_t>(count);
    if (count == keys.size() || std::find(keys.begin(), end, member->key) != end) return {};
    keys[count++] = member->key;
    if (member->key == key) found = member->value;
  }
  if (reader.is_malformed()) return {};
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
