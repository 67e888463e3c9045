#pragma once

#include <cstdint>
#include <string_view>

#include "pipeline/metrics.h"
#include "pipeline/model/span_batch.h"
#include "processors/tail_sampling/policy.h"

namespace sluice::tail_sampling {

/// What the spans of a trace that was kept carry on.
struct Marks {
  /// The name of the policy that kept it, as attribute `tailsampling.policy` of their scopes, as
  /// the collector records it. Empty: none.
  std::string_view policy{};
  /// Under which it was kept, as `th` in their trace states (pipeline/sampling). Where one is there
  /// already that is higher it stands, since they had passed that before.
  std::uint64_t threshold = Opinion::unknown;
  std::uint64_t randomness = 0;  ///< of the trace

  bool empty() const { return policy.empty() && threshold == Opinion::unknown; }
};

/// The same spans with these marks. A trace state that cannot be read stays as it is, and its span
/// is counted.
SpanBatch marked(const SpanBatch& batch, const Marks& marks, Counter& unreadable);

}  // namespace sluice::tail_sampling
