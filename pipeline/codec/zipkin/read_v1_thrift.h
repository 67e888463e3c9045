#pragma once

#include <string_view>

#include "pipeline/codec/zipkin/read.h"

/// zipkincore, the Thrift form of v1 spans: field numbers in read_v1_thrift.cc.
namespace sluice::zipkin {

/// The body of POST /api/v1/spans: a list of spans in the binary protocol, without a head of a
/// message. Like the other readers.
bool read_v1_thrift(std::string_view bytes, const ReadOptions& options, SpanWriter& out,
                    ReadReport& report);

/// A list of spans that comes next in `in`, a thrift::BinaryReader or CompactReader: for the
/// arguments of `emitZipkinBatch`. Appends one ExportTraceServiceRequest to `out`; false, with
/// `out` as it was, when the list does not parse (the mistake is the reader's `error`).
template <typename ThriftReader>
bool read_v1_thrift_list(ThriftReader& in, const ReadOptions& options, SpanWriter& out,
                         ReadReport& report);

}  // namespace sluice::zipkin
