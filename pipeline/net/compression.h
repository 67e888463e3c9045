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

/// Inflates a whole body into `out`. Output past `size_max` stops it at once, so does a declared
/// size past it, a zstd window past it and past 8 MiB, and output above 4 MiB that is more than 200
/// times the body. A snappy block is checked before memory is reserved; `snappy` takes the framed
/// form too.
InflateError inflate(Encoding encoding, std::string_view body, std::size_t size_max,
                     BufferWriter& out);

/// Compresses the slices into one buffer; `level` as the format has it, 0 is the default (for gzip
/// the fastest: that is what a pipeline wants). `snappy` writes the block form, which is what the
/// name means in HTTP; gRPC's "snappy" is the framed form: compress with `snappy_framed` and send
/// the name "snappy".
Buffer deflate(Encoding encoding, const EncodedBatch& body, int level = 0);

}  // namespace sluice::net
