#pragma once

#include <cstdint>
#include <string_view>

#include "pipeline/model/buffer.h"
#include "pipeline/model/span_batch.h"

/// OTLP to Zipkin v2. The tables of the translation are in exporters/zipkin/README.md.
namespace sluice::zipkin {

struct WriteOptions {
  /// For spans whose resource has no name of a service; empty: they have none in Zipkin either.
  std::string_view default_service_name;
};

struct Written {
  BufferWriter bytes;
  std::uint64_t repaired = 0;  ///< texts that were not UTF-8, and are now
};

/// A JSON array.
Written write_json(const SpanBatch& batch, const WriteOptions& options);
/// A zipkin.proto3.ListOfSpans.
Written write_proto(const SpanBatch& batch, const WriteOptions& options);

}  // namespace sluice::zipkin
