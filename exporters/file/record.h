#pragma once

#include "exporters/file/file_sender.h"
#include "pipeline/model/buffer.h"
#include "pipeline/model/span_batch.h"

namespace sluice {

/// Appends a batch to `out` as it stands in a file. JSON: one line. Protobuf, and anything
/// compressed: four bytes of length, big endian, and so many bytes of message, each compressed by
/// itself. This is what the collector's file exporter writes and its otlpjsonfile and file
/// receivers read.
void append_record(const SpanBatch& batch, const FileOptions& options, BufferWriter& out);

}  // namespace sluice
