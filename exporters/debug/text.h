#pragma once

#include <cstdint>
#include <string>

#include "pipeline/model/span_batch.h"

/// Spans as text for people. Every line is one line and printable: control bytes and what is not
/// UTF-8 are escaped, so that nothing in a span reaches the terminal as a command.
namespace sluice::debug_text {

/// Occurrences of resources, as they would be encoded.
std::uint64_t resource_count(const SpanBatch& batch);
/// One line a span: name, ids, attributes.
std::string normal(const SpanBatch& batch);
/// Everything, a line each.
std::string detailed(const SpanBatch& batch);

}  // namespace sluice::debug_text
