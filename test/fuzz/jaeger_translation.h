#pragma once

#include <cstdlib>
#include <optional>
#include <utility>

#include "pipeline/codec/jaeger/jaeger.h"
#include "pipeline/model/span_batch.h"

namespace sluice::test {

/// What every translation must be: nothing when it was refused, else OTLP that parses to as many
/// spans as were reported, all with valid ids.
inline void check_translation(bool taken, SpanWriter out, const jaeger::Report& report) {
  if (!taken && (out.size() != 0 || report.spans != 0)) std::abort();
  ParseReport parsed;
  const std::optional<SpanBatch> batch = SpanBatch::parse(std::move(out).take().freeze(), parsed);
  if (!batch || parsed.spans_invalid_id != 0 || batch->span_count() != report.spans) std::abort();
}

}  // namespace sluice::test
