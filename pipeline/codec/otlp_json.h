#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/model/buffer.h"
#include "pipeline/model/span_batch.h"

/// OTLP/JSON (specification: OTLP, "JSON Protobuf Encoding"): hex ids, enum numbers, 64-bit
/// integers as strings or numbers, unknown members ignored.
namespace sluice {

struct JsonReport {
  std::string error;  ///< set when the text is refused: what, and at which byte
};

/// Translates one ExportTraceServiceRequest in JSON into protobuf bytes, one pass, appended to
/// `out`. The result still goes through SpanBatch::parse. Depth is limited to 64.
bool otlp_json_to_proto(std::string_view json, BufferWriter& out, JsonReport& report);

/// Writes the batch as one JSON object ({"resourceSpans":[…]}), without line breaks. Invalid UTF-8
/// becomes U+FFFD; returns how many strings were repaired.
std::uint64_t otlp_json_append(const SpanBatch& batch, BufferWriter& out);

}  // namespace sluice
