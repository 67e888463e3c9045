#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/codec/allowance.h"
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
/// on to the end of the struct. What the output and the translator's tables take is bounded by an
/// Allowance; a batch that would take more is refused, having been made to. Binary Thrift shrinks
/// on the way (a tag by 14 bytes). Of the compact one and of protobuf, a tag of text grows by one
/// or two bytes while a span shrinks, by 40 in protobuf; so 1000 spans of 100 tags become 1.1 times
/// as large.
template <typename Reader>
bool translate_batch(Reader& reader, SpanWriter& out, Report& report);
extern template bool translate_batch(thrift::BinaryReader&, SpanWriter&, Report&);
extern template bool translate_batch(thrift::CompactReader&, SpanWriter&, Report&);

/// The same for a PostSpansRequest in protobuf. One that is `read_once` may be let go of while it
/// is read, where the output becomes larger than it.
bool translate_post_spans(std::string_view message, Allowance::Input how, SpanWriter& out,
                          Report& report);

}  // namespace sluice::jaeger
