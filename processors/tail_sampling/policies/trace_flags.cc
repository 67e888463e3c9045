#include "processors/tail_sampling/policies/types.h"

namespace sluice::tail_sampling {
namespace {

/// The sampled flag of W3C trace context.
class IsFlagged final : public SpanCondition {
 public:
  bool holds(const SpanView& span) const override { return (span.flags() & 1) != 0; }
};

}  // namespace

std::unique_ptr<Policy> decode_trace_flags(const config::Node&, Conditions& conditions) {
  return any_span(conditions, std::make_unique<IsFlagged>());
}

}  // namespace sluice::tail_sampling
