#pragma once

#include <cstdint>
#include <string_view>

#include "pipeline/model/span_view.h"

namespace sluice::probabilistic_sampler {

/// What the attribute `sampling.priority` of a span wants (OpenTracing's semantic conventions).
enum class Priority : std::uint8_t { defers, keeps, drops };

/// What a sampler reads of a span: all in one walk over its fields, which is most of what sampling
/// costs.
struct SampledSpan {
  explicit SampledSpan(std::string_view message);
  std::string_view trace_id;
  FieldRange::Field trace_state;  ///< empty, at the message's end, where there is none
  Priority priority = Priority::defers;
};

}  // namespace sluice::probabilistic_sampler
