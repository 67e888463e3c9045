#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/sampling/trace_state.h"
#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {
namespace {

/// One of some values under a key.
class HasTraceState final : public SpanCondition {
 public:
  HasTraceState(std::string key, std::vector<std::string> values)
      : key_(std::move(key)), values_(std::move(values)) {}
  bool holds(const SpanView& span) const override {
    if (span.trace_state().empty()) return false;
    // A mistake anywhere, blank members among them, hides all: so the collector reads it here.
    using sampling::TraceStateMembers;
    const auto members =
        TraceStateMembers::read(span.trace_state(), TraceStateMembers::BlankMembers::mistakes);
    const std::string_view value = members ? members->find(key_) : std::string_view();
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
