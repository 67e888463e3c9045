#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "pipeline/net/compression.h"

/// The formats behind compression.h, a file for each library.
namespace sluice::net::codec {

/// All the room that is left in `out`, at least 16 KiB; growing doubles it.
std::span<char> growing_room(BufferWriter& out);

/// Takes what a decoder puts out, up to a limit that it keeps to the byte: at the limit there is
/// one more byte of room aside, so that a body that ends there and one that goes on can be told
/// apart.
class CappedOutput {
 public:
  CappedOutput(BufferWriter& out, std::size_t size_max)
      : out_(out), limit_(out.size() + size_max) {}

  /// A hint, from outside: at most `size` bytes will come. Reserves what is sensible for it.
  void expect(std::size_t size);
  /// Where the next bytes go; never empty. Grows in steps, so memory follows what has arrived.
  std::span<char> room();
  /// `size` bytes in one piece, for decoders that know their output; empty where that is over the
  /// limit.
  std::span<char> room(std::size_t size);
  /// `size` bytes were written to the room; false when the limit is passed.
  [[nodiscard]] bool produced(std::size_t size);

 private:
  std::size_t left() const { return limit_ - out_.size(); }
  BufferWriter& out_;
  std::size_t limit_;
  char beyond_ = 0;
};

InflateError inflate_gzip(std::string_view body, CappedOutput& out);
InflateError inflate_zlib(std::string_view body, CappedOutput& out);
/// What goes by the name "deflate": zlib as the standard says, or the bare format as some send it.
InflateError inflate_deflate(std::string_view body, CappedOutput& out);
InflateError inflate_zstd(std::string_view body, std::size_t size_max, CappedOutput& out);
/// The block format, or the framed one where the body starts with its magic: senders use one name
/// for both.
InflateError inflate_snappy(std::string_view body, CappedOutput& out);
InflateError inflate_snappy_framed(std::string_view body, CappedOutput& out);
InflateError inflate_lz4(std::string_view body, CappedOutput& out);

void deflate_gzip(const EncodedBatch& body, int level, BufferWriter& out);
void deflate_zlib(const EncodedBatch& body, int level, BufferWriter& out);
void deflate_zstd(const EncodedBatch& body, int level, BufferWriter& out);
void deflate_snappy(const EncodedBatch& body, BufferWriter& out);
void deflate_snappy_framed(const EncodedBatch& body, BufferWriter& out);
void deflate_lz4(const EncodedBatch& body, int level, BufferWriter& out);

}  // namespace sluice::net::codec
