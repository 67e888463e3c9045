#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pipeline/model/buffer.h"
#include "pipeline/model/span_batch.h"

namespace sluice::net {

enum class Encoding : std::uint8_t { none, gzip, zstd, zlib, deflate, snappy, snappy_framed, lz4 };

/// "gzip", "zstd", "zlib", "deflate", "snappy", "x-snappy-framed", "lz4", "", "identity", "none".
std::optional<Encoding> parse_encoding(std::string_view name);
std::string_view encoding_name(Encoding encoding);  ///< as it stands in a header

enum class InflateError : std::uint8_t { none, broken, too_large };

/// Inflates a whole body into `out`. Output past `size_max` stops it at once, so does a zstd window or a
/// declared size past it; a snappy block is checked before memory is reserved.
InflateError inflate(Encoding encoding, std::string_view body, std::size_t size_max, BufferWriter& out);

/// Compresses the slices into one buffer; `level` as the format has it, 0 is the default (for gzip the
/// fastest: that is what a pipeline wants).
Buffer deflate(Encoding encoding, const EncodedBatch& body, int level = 0);

}  // namespace sluice::net
