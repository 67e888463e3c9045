#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <bit>
#include <memory>

#include "pipeline/ensure.h"
#include "pipeline/net/codecs.h"

// zstd (RFC 8878): frames one behind the other, each with an optional size of its content in the
// header. With the size known a frame is decoded in one pass straight into its place; otherwise as
// a stream, which needs a window of the size that the frame names. The window is therefore bounded,
// by the limit of the message, but never below the 8 MiB that every decoder is asked to support.

namespace sluice::net::codec {
namespace {

constexpr std::size_t window_always = 8 << 20;
constexpr std::size_t window_never = 128 << 20;
constexpr std::size_t context_kept = 2 << 20;
constexpr int level_default = 1;

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
using Decompressor = std::unique_ptr<ZSTD_DCtx, FreeContext>;
using Compressor = std::unique_ptr<ZSTD_CCtx, FreeContext>;

/// One per thread. A window that a large frame needed is not kept.
class ThreadDecompressor {
 public:
  ThreadDecompressor() {
    if (!kept()) kept().reset(ZSTD_createDCtx());
    ensure(kept() != nullptr, "zstd has memory");
  }
  ~ThreadDecompressor() {
    if (ZSTD_sizeof_DCtx(kept().get()) > context_kept) kept().reset();
  }
  ThreadDecompressor(const ThreadDecompressor&) = delete;
  ThreadDecompressor& operator=(const ThreadDecompressor&) = delete;
  ZSTD_DCtx* get() const { return kept().get(); }

 private:
  static Decompressor& kept() {
    thread_local Decompressor context;
    return context;
  }
};

InflateError inflate_sized(ZSTD_DCtx* context, std::string_view frame, unsigned long long size,
                           CappedOutput& out) {
  const std::span<char> room = out.room(static_cast<std::size_t>(size));
  if (room.empty() && size != 0) return InflateError::too_large;
  const std::size_t written =
      ZSTD_decompressDCtx(context, room.data(), room.size(), frame.data(), frame.size());
  if (ZSTD_isError(written)) return InflateError::broken;
  return out.produced(written) ? InflateError::none : InflateError::too_large;
}

InflateError inflate_unsized(ZSTD_DCtx* context, std::string_view frame, std::size_t window_max,
                             CappedOutput& out) {
  ZSTD_DCtx_reset(context, ZSTD_reset_session_and_parameters);
  ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax,
                         static_cast<int>(std::bit_width(window_max) - 1));
  ZSTD_inBuffer input{frame.data(), frame.size(), 0};
  for (;;) {
    const std::span<char> room = out.room();
    ZSTD_outBuffer output{room.data(), room.size(), 0};
    const std::size_t result = ZSTD_decompressStream(context, &output, &input);
    if (!out.produced(output.pos)) return InflateError::too_large;
    if (ZSTD_isError(result)) {
      return ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge
                 ? InflateError::too_large
                 : InflateError::broken;
    }
    if (result == 0) return InflateError::none;
    if (output.pos == 0 && input.pos == input.size) return InflateError::broken;
  }
}

}  // namespace

InflateError inflate_zstd(std::string_view body, std::size_t size_max, CappedOutput& out) {
  if (body.empty()) return InflateError::broken;
  const ThreadDecompressor context;
  const std::size_t window_max = std::clamp(size_max, window_always, window_never);
  while (!body.empty()) {
    const std::size_t frame_size = ZSTD_findFrameCompressedSize(body.data(), body.size());
    if (ZSTD_isError(frame_size)) return InflateError::broken;
    const std::string_view frame = body.substr(0, frame_size);
    const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
    if (size == ZSTD_CONTENTSIZE_ERROR) return InflateError::broken;
    const InflateError error = size == ZSTD_CONTENTSIZE_UNKNOWN
                                   ? inflate_unsized(context.get(), frame, window_max, out)
                                   : inflate_sized(context.get(), frame, size, out);
    if (error != InflateError::none) return error;
    body.remove_prefix(frame_size);
  }
  return InflateError::none;
}

void deflate_zstd(const EncodedBatch& body, int level, BufferWriter& out) {
  thread_local const Compressor context(ZSTD_createCCtx());
  ensure(context != nullptr, "zstd has memory");
  ZSTD_CCtx_reset(context.get(), ZSTD_reset_session_and_parameters);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel,
                         level == 0 ? level_default : level);
  ZSTD_CCtx_setPledgedSrcSize(context.get(), body.size);
  out.reserve(body.size / 4 + 1024);
  const auto feed = [&](std::string_view bytes, ZSTD_EndDirective directive) {
    ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
    for (;;) {
      const std::span<char> room = growing_room(out);
      ZSTD_outBuffer output{room.data(), room.size(), 0};
      const std::size_t left = ZSTD_compressStream2(context.get(), &output, &input, directive);
      ensure(!ZSTD_isError(left), "zstd compresses what it is given");
      out.advance(output.pos);
      if (directive == ZSTD_e_end ? left == 0 : input.pos == input.size) return;
    }
  };
  for (const EncodedBatch::Slice& slice : body.slices)
    feed({slice.data, slice.size}, ZSTD_e_continue);
  feed({}, ZSTD_e_end);
}

}  // namespace sluice::net::codec
