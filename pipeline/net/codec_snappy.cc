#include <isa-l/crc.h>
#include <snappy-sinksource.h>
#include <snappy.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "pipeline/ensure.h"
#include "pipeline/net/codecs.h"

// Snappy has two forms. The block: a varint with the size of the content, then the data; nothing
// else. The framed one (google/snappy framing_format.txt) is a series of chunks
//
//   type (1 byte)  length of what follows (3 bytes, little endian)  [masked CRC-32C of the content
//   (4 bytes)]  data
//
// that starts with the stream identifier ff 06 00 00 "sNaPpY"; 00 is a compressed block, 01 plain
// bytes, both of at most 64 KiB of content; 80 to fe are skipped, 02 to 7f are not. HTTP senders
// say "snappy" for either form, gRPC senders always mean the framed one.

namespace sluice::net::codec {
namespace {

constexpr std::string_view identifier("\xff\x06\x00\x00sNaPpY", 10);
constexpr std::size_t content_max = 65536;
constexpr std::size_t chunk_header_size = 4;
constexpr std::size_t crc_size = 4;
enum ChunkType : unsigned char { compressed = 0x00, plain = 0x01, unskippable_last = 0x7f };

std::uint32_t masked_crc(std::string_view content) {
  auto* data =
      reinterpret_cast<unsigned char*>(const_cast<char*>(content.data()));  // it only reads
  const std::uint32_t crc = ~crc32_iscsi(data, static_cast<int>(content.size()), 0xffffffffU);
  return (crc >> 15 | crc << 17) + 0xa282ead8U;
}

std::uint32_t little_endian(const char* data, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t index = 0; index < size; ++index) {
    value |= std::uint32_t{static_cast<unsigned char>(data[index])} << (8 * index);
  }
  return value;
}

void append_little_endian(BufferWriter& out, std::uint32_t value, std::size_t size) {
  for (std::size_t index = 0; index < size; ++index)
    out.append(static_cast<char>(value >> (8 * index) & 0xff));
}

InflateError inflate_block(std::string_view block, CappedOutput& out,
                           std::size_t content_size_max) {
  std::size_t size = 0;
  if (!snappy::GetUncompressedLength(block.data(), block.size(), &size))
    return InflateError::broken;
  if (size > content_size_max) return InflateError::broken;
  if (size == 0) {
    return snappy::IsValidCompressedBuffer(block.data(), block.size()) ? InflateError::none
                                                                       : InflateError::broken;
  }
  const std::span<char> room = out.room(size);
  if (room.empty()) return InflateError::too_large;
  if (!snappy::RawUncompress(block.data(), block.size(), room.data())) return InflateError::broken;
  return out.produced(size) ? InflateError::none : InflateError::too_large;
}

/// Decoded aside, because the checksum comes before the content may be believed.
InflateError inflate_chunk(unsigned char type, std::string_view chunk, CappedOutput& out) {
  if (chunk.size() < crc_size) return InflateError::broken;
  const std::uint32_t crc = little_endian(chunk.data(), crc_size);
  chunk.remove_prefix(crc_size);
  std::size_t size = chunk.size();
  if (type == compressed && !snappy::GetUncompressedLength(chunk.data(), chunk.size(), &size)) {
    return InflateError::broken;
  }
  if (size > content_max) return InflateError::broken;
  if (size == 0) return InflateError::none;
  const std::span<char> room = out.room(size);
  if (room.empty()) return InflateError::too_large;
  if (type == plain)
    std::memcpy(room.data(), chunk.data(), size);
  else if (!snappy::RawUncompress(chunk.data(), chunk.size(), room.data()))
    return InflateError::broken;
  if (masked_crc({room.data(), size}) != crc) return InflateError::broken;
  return out.produced(size) ? InflateError::none : InflateError::too_large;
}

/// The slices of a batch as snappy reads them.
class SliceSource final : public snappy::Source {
 public:
  explicit SliceSource(const EncodedBatch& body) : slices_(body.slices), left_(body.size) {
    skip_empty();
  }

  std::size_t Available() const override { return left_; }
  const char* Peek(std::size_t* size) override {
    *size = slices_.empty() ? 0 : slices_.front().size - offset_;
    return slices_.empty() ? nullptr : slices_.front().data + offset_;
  }
  void Skip(std::size_t size) override {
    left_ -= size;
    while (size > 0) {
      const std::size_t taken = std::min(size, slices_.front().size - offset_);
      offset_ += taken;
      size -= taken;
      skip_empty();
    }
  }
  /// Up to `size` bytes in one piece, in place where they lie so, else gathered in `scratch`.
  std::string_view take(std::size_t size, char* scratch) {
    std::size_t piece_size = 0;
    const char* piece = Peek(&piece_size);
    size = std::min(size, left_);
    if (piece_size >= size) {
      Skip(size);
      return {piece, size};
    }
    for (std::size_t filled = 0; filled < size;) {
      piece = Peek(&piece_size);
      const std::size_t taken = std::min(piece_size, size - filled);
      std::memcpy(scratch + filled, piece, taken);
      Skip(taken);
      filled += taken;
    }
    return {scratch, size};
  }

 private:
  void skip_empty() {
    while (!slices_.empty() && offset_ == slices_.front().size) {
      slices_ = slices_.subspan(1);
      offset_ = 0;
    }
  }
  std::span<const EncodedBatch::Slice> slices_;
  std::size_t offset_ = 0;
  std::size_t left_;
};

void append_chunk(std::string_view content, BufferWriter& out) {
  const std::size_t start = out.size();
  char* chunk =
      out.tail(chunk_header_size + crc_size + snappy::MaxCompressedLength(content.size()));
  std::size_t size = 0;
  snappy::RawCompress(content.data(), content.size(), chunk + chunk_header_size + crc_size, &size);
  const bool smaller = size < content.size();
  out.append(static_cast<char>(smaller ? compressed : plain));
  append_little_endian(out,
                       static_cast<std::uint32_t>((smaller ? size : content.size()) + crc_size), 3);
  append_little_endian(out, masked_crc(content), crc_size);
  if (smaller)
    out.advance(size);
  else
    out.append(content);
  ensure(out.size() > start, "a chunk has a header");
}

}  // namespace

InflateError inflate_snappy(std::string_view body, CappedOutput& out) {
  if (body.starts_with(identifier)) return inflate_snappy_framed(body, out);
  return inflate_block(body, out, std::size_t{1} << 32);
}

InflateError inflate_snappy_framed(std::string_view body, CappedOutput& out) {
  if (!body.starts_with(identifier)) return InflateError::broken;
  while (!body.empty()) {
    if (body.size() < chunk_header_size) return InflateError::broken;
    const auto type = static_cast<unsigned char>(body[0]);
    const std::size_t size = little_endian(body.data() + 1, 3);
    if (body.size() - chunk_header_size < size) return InflateError::broken;
    const std::string_view chunk = body.substr(chunk_header_size, size);
    if (type == compressed || type == plain) {
      const InflateError error = inflate_chunk(type, chunk, out);
      if (error != InflateError::none) return error;
    } else if (type <= unskippable_last) {
      return InflateError::broken;
    } else if (type == 0xff && body.substr(0, identifier.size()) != identifier) {
      return InflateError::broken;
    }
    body.remove_prefix(chunk_header_size + size);
  }
  return InflateError::none;
}

void deflate_snappy(const EncodedBatch& body, BufferWriter& out) {
  SliceSource source(body);
  snappy::UncheckedByteArraySink sink(out.tail(snappy::MaxCompressedLength(body.size)));
  out.advance(snappy::Compress(&source, &sink));
}

void deflate_snappy_framed(const EncodedBatch& body, BufferWriter& out) {
  SliceSource source(body);
  std::vector<char> scratch(std::min(body.size, content_max));
  out.reserve(body.size / 2 + 1024);
  out.append(identifier);
  while (source.Available() > 0) append_chunk(source.take(content_max, scratch.data()), out);
}

}  // namespace sluice::net::codec
