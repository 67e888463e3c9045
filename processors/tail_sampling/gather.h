#pragma once

#include <algorithm>
#include <string_view>

#include "pipeline/model/span_batch.h"
#include "pipeline/model/span_view.h"
#include "processors/tail_sampling/condition.h"
#include "processors/tail_sampling/facts.h"

namespace sluice::tail_sampling {

/// Adds what a span says to the facts of its trace.
inline void gather(const SpanView& span, const SpanEntry& entry, std::string_view resource,
                   const Conditions& conditions, TraceFacts& facts) {
  ++facts.spans;
  facts.bytes += entry.length;
  const std::uint64_t start = span.start_time_unix_nano();
  if (facts.first_start == 0 || start < facts.first_start) facts.first_start = start;
  facts.last_end = std::max(facts.last_end, span.end_time_unix_nano());
  conditions.ask(span, facts.matched);
  conditions.ask(ResourceView(resource), facts.matched);
}

}  // namespace sluice::tail_sampling
