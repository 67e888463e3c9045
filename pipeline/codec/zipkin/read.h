#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/model/span_writer.h"

/// Zipkin's formats to OTLP, one pass over the request, appended to `out` as one
/// ExportTraceServiceRequest, for SpanBatch::of_translation to index. Spans with invalid ids are
/// left out and counted; whatever else does not fit its place refuses the request, and so does what
/// would take more memory than an Allowance has. The tables of the translation are in
/// receivers/zipkin/README.md.
namespace sluice::zipkin {

struct ReadOptions {
  bool parse_string_tags = false;  ///< "12", "1.5" and "true" become numbers and a boolean
  /// Stands in for times that a v1 span lacks.
  std::uint64_t now_unix_nano = 0;
  /// Nobody else reads the request, and nobody will again: parts that have been read may be let go
  /// of where the spans become larger than it.
  bool read_once = false;
};

struct ReadReport {
  std::uint64_t spans_taken = 0;
  std::uint64_t spans_invalid_id = 0;
  std::string first_invalid;  ///< which id of the first of those, and at which byte its span starts
  std::string error;          ///< set when the request is refused: what, and at which byte
};

/// A JSON array of spans; an empty text is an empty array. Depth is limited to 64.
bool read_v2_json(std::string_view json, const ReadOptions& options, SpanWriter& out,
                  ReadReport& report);
bool read_v1_json(std::string_view json, const ReadOptions& options, SpanWriter& out,
                  ReadReport& report);
/// zipkin.proto3.ListOfSpans.
bool read_v2_proto(std::string_view message, const ReadOptions& options, SpanWriter& out,
                   ReadReport& report);

}  // namespace sluice::zipkin
