#include "exporters/file/record.h"

#include <cstdint>
#include <utility>

#include "pipeline/codec/otlp_json.h"
#include "pipeline/net/compression.h"

namespace sluice {
namespace {

void append_length(BufferWriter& out, std::size_t size) {
  for (int shift = 24; shift >= 0; shift -= 8) out.append(static_cast<char>(size >> shift & 0xff));
}

EncodedBatch encode_json(const SpanBatch& batch) {
  BufferWriter text(batch.wire_size() * 2);
  otlp_json_append(batch, text);
  Buffer buffer = std::move(text).freeze();
  const std::string_view bytes = buffer.bytes();
  return {{{bytes.data(), bytes.size()}}, {std::move(buffer)}, bytes.size()};
}

}  // namespace

void append_record(const SpanBatch& batch, const FileOptions& options, BufferWriter& out) {
  const bool json = options.format == FileOptions::Format::json;
  if (options.compression == FileOptions::Compression::zstd) {
    const EncodedBatch plain = json ? encode_json(batch) : batch.encode();
    const Buffer packed = net::deflate(net::Encoding::zstd, plain, options.compression_level);
    append_length(out, packed.size());
    out.append(packed.bytes());
  } else if (json) {
    otlp_json_append(batch, out);
    out.append('\n');
  } else {
    const EncodedBatch message = batch.encode();
    append_length(out, message.size);
    for (const EncodedBatch::Slice& slice : message.slices) out.append({slice.data, slice.size});
  }
}

}  // namespace sluice
