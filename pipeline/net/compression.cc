#include "pipeline/net/compression.h"

#include <algorithm>
#include <array>
#include <utility>

#include "pipeline/ensure.h"
#include "pipeline/net/codecs.h"

namespace sluice::net {
namespace {

// A bomb stands out by its ratio: OTLP of real services shrinks by up to 34 with gzip and 47 with
// zstd (the collector's own table), so 200 refuses nothing honest. Below the floor nothing is worth
// a refusal.
constexpr std::size_t ratio_max = 200;
constexpr std::size_t ratio_floor = 4 << 20;

constexpr std::array<std::pair<std::string_view, Encoding>, 10> names{
    {{"gzip", Encoding::gzip},
     {"zstd", Encoding::zstd},
     {"zlib", Encoding::zlib},
     {"deflate", Encoding::deflate},
     {"snappy", Encoding::snappy},
     {"x-snappy-framed", Encoding::snappy_framed},
     {"lz4", Encoding::lz4},
     {"identity", Encoding::none},
     {"none", Encoding::none},
     {"", Encoding::none}}};

}  // namespace

std::optional<Encoding> parse_encoding(std::string_view name) {
  for (const auto& [known, encoding] : names) {
    if (known == name) return encoding;
  }
  return std::nullopt;
}

std::string_view encoding_name(Encoding encoding) {
  for (const auto& [name, known] : names) {
    if (known == encoding) return name;
  }
  return "identity";
}

InflateError inflate(Encoding encoding, std::string_view body, std::size_t size_max,
                     BufferWriter& out) {
  const std::size_t by_ratio = std::max(ratio_floor, body.size() * ratio_max);
  codec::CappedOutput capped(out, std::min(size_max, by_ratio));
  switch (encoding) {
    case Encoding::none: {
      if (body.size() > size_max) return InflateError::too_large;
      out.append(body);
      return InflateError::none;
    }
    case Encoding::gzip: return codec::inflate_gzip(body, capped);
    case Encoding::zstd: return codec::inflate_zstd(body, size_max, capped);
    case Encoding::zlib: return codec::inflate_zlib(body, capped);
    case Encoding::deflate: return codec::inflate_deflate(body, capped);
    case Encoding::snappy: return codec::inflate_snappy(body, capped);
    case Encoding::snappy_framed: return codec::inflate_snappy_framed(body, capped);
    case Encoding::lz4: return codec::inflate_lz4(body, capped);
  }
  return InflateError::broken;
}

Buffer deflate(Encoding encoding, const EncodedBatch& body, int level) {
  BufferWriter out;
  switch (encoding) {
    case Encoding::none:
      out.reserve(body.size);
      for (const EncodedBatch::Slice& slice : body.slices) out.append({slice.data, slice.size});
      break;
    case Encoding::gzip: codec::deflate_gzip(body, level, out); break;
    case Encoding::zstd: codec::deflate_zstd(body, level, out); break;
    case Encoding::zlib:
    case Encoding::deflate: codec::deflate_zlib(body, level, out); break;
    case Encoding::snappy: codec::deflate_snappy(body, out); break;
    case Encoding::snappy_framed: codec::deflate_snappy_framed(body, out); break;
    case Encoding::lz4: codec::deflate_lz4(body, level, out); break;
  }
  return std::move(out).freeze();
}

namespace codec {
namespace {

constexpr std::size_t step_min = 16 * 1024;

}  // namespace

std::span<char> growing_room(BufferWriter& out) {
  std::size_t free = out.capacity() - out.size();
  if (free < step_min) free = std::max(step_min, out.size());
  return {out.tail(free), free};
}

void CappedOutput::expect(std::size_t size) { out_.reserve(out_.size() + std::min(size, left())); }

std::span<char> CappedOutput::room() {
  if (left() == 0) return {&beyond_, 1};
  if (out_.capacity() - out_.size() < std::min(step_min, left())) {
    out_.reserve(std::min(limit_, std::max(out_.size() + step_min, out_.size() * 2)));
  }
  const std::size_t free = std::min(out_.capacity() - out_.size(), left());
  return {out_.tail(free), free};
}

std::span<char> CappedOutput::room(std::size_t size) {
  if (size > left() || size == 0) return {};
  return {out_.tail(size), size};
}

bool CappedOutput::produced(std::size_t size) {
  if (size == 0) return true;
  if (left() == 0) return false;
  ensure(size <= left(), "a decoder stays within the room it was given");
  out_.advance(size);
  return true;
}

}  // namespace codec
}  // namespace sluice::net
