#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/codec/thrift/binary_reader.h"
#include "pipeline/codec/thrift/compact_reader.h"
#include "pipeline/model/span_writer.h"

/// Jaeger's spans as OTLP. Both of its models, `jaeger.thrift` and `jaeger.api_v2`, say the same
/// things with other numbers; the rules are those of the OpenTelemetry Collector's translators, so
/// that backends see what they are used to.
namespace sluice::jaeger {

struct Report {
  std::uint32_t spans = 0;             ///< written
  std::uint32_t spans_invalid_id = 0;  ///< left out: trace or span id absent or zero (or, in
                                       ///< protobuf, of the wrong length)
  std::uint32_t times_clamped = 0;     ///< before 1970, past 2554, or an end before its start
  std::string invalid_service;         ///< of the first span that was left out, for the log
  std::string invalid_span;
  std::string error;  ///< set when the message is refused: what, and at which byte
};

/// Reads a `Batch` struct and appends its spans, as one ResourceSpans for each process with one
/// ScopeSpans for each scope, to the open request. On false nothing was appended. Fields that the
/// schema requires may be absent and read as zero, except for the batch's process and spans. Reads
/// on to the end of the struct. The output is at most twice the input and 64 bytes a span and 64
/// KiB; a batch that would be larger is refused (only one made of nothing but tiny references
/// would).
template <typename Reader>
bool translate_batch(Reader& reader, SpanWriter& out, Report& report);
extern template bool translate_batch(thrift::BinaryReader&, SpanWriter&, Report&);
extern template bool translate_batch(thrift::CompactReader&, SpanWriter&, Report&);

/// The same for a PostSpansRequest in protobuf.
bool translate_post_spans(std::string_view message, SpanWriter& out, Report& report);

}  // namespace sluice::jaeger
