#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/net/field_values.h"
#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {
namespace {

/// One of some values under a key of the trace state (W3C trace context, section 3.3).
class HasTraceState final : public SpanCondition {
 public:
  HasTraceState(std::string key, std::vector<std::string> values)
      : key_(std::move(key)), values_(std::move(values)) {}
  bool holds(const SpanView& span) const override {
    std::string_view rest = span.trace_state();
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      const std::string_view member = net::trimmed(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      const std::size_t equals = member.find('=');
      if (equals == std::string_view::npos || member.substr(0, equals) != key_) continue;
      return std::ranges::find(values_, member.substr(equals + 1)) != values_.end();
    }
    return false;
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
  options.no_other_keys();
  return any_span(conditions, std::make_unique<HasTraceState>(std::move(key), std::move(values)));
}

}  // namespace sluice::tail_sampling
