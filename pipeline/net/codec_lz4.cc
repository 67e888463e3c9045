#include <lz4frame.h>

#include <algorithm>
#include <memory>

#include "pipeline/ensure.h"
#include "pipeline/net/codecs.h"

// The LZ4 frame format; frames may follow one another.

namespace sluice::net::codec {
namespace {

struct FreeContext {
  void operator()(LZ4F_dctx* context) const { LZ4F_freeDecompressionContext(context); }
  void operator()(LZ4F_cctx* context) const { LZ4F_freeCompressionContext(context); }
};

}  // namespace

InflateError inflate_lz4(std::string_view body, CappedOutput& out) {
  if (body.empty()) return InflateError::broken;
  LZ4F_dctx* created = nullptr;
  ensure(!LZ4F_isError(LZ4F_createDecompressionContext(&created, LZ4F_VERSION)), "lz4 has memory");
  const std::unique_ptr<LZ4F_dctx, FreeContext> context(created);
  out.expect(body.size() * 4);
  for (;;) {
    const std::span<char> room = out.room();
    std::size_t written = room.size(), read = body.size();
    const std::size_t hint =
        LZ4F_decompress(context.get(), room.data(), &written, body.data(), &read, nullptr);
    if (LZ4F_isError(hint)) return InflateError::broken;
    if (!out.produced(written)) return InflateError::too_large;
    body.remove_prefix(read);
    if (hint == 0 && body.empty()) return InflateError::none;
    if (written == 0 && read == 0) return InflateError::broken;
  }
}

void deflate_lz4(const EncodedBatch& body, int level, BufferWriter& out) {
  LZ4F_cctx* created = nullptr;
  ensure(!LZ4F_isError(LZ4F_createCompressionContext(&created, LZ4F_VERSION)), "lz4 has memory");
  const std::unique_ptr<LZ4F_cctx, FreeContext> context(created);
  LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
  preferences.compressionLevel = level;
  preferences.frameInfo.contentSize = body.size;
  const auto advance = [&](std::size_t written) {
    ensure(!LZ4F_isError(written), "lz4 compresses what it is given");
    out.advance(written);
  };
  out.reserve(body.size / 2 + LZ4F_HEADER_SIZE_MAX);
  advance(LZ4F_compressBegin(context.get(), out.tail(LZ4F_HEADER_SIZE_MAX), LZ4F_HEADER_SIZE_MAX,
                             &preferences));
  for (const EncodedBatch::Slice& slice : body.slices) {
    const std::size_t bound = LZ4F_compressBound(slice.size, &preferences);
    advance(LZ4F_compressUpdate(context.get(), out.tail(bound), bound, slice.data, slice.size,
                                nullptr));
  }
  const std::size_t bound = LZ4F_compressBound(0, &preferences);
  advance(LZ4F_compressEnd(context.get(), out.tail(bound), bound, nullptr));
}

}  // namespace sluice::net::codec
