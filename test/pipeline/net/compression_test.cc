#include "pipeline/net/compression.h"

#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace sluice::net {
namespace {

constexpr Encoding all[] = {Encoding::none,          Encoding::gzip,    Encoding::zstd,
                            Encoding::zlib,          Encoding::deflate, Encoding::snappy,
                            Encoding::snappy_framed, Encoding::lz4};

/// Text that compresses about as spans do, cut into slices of odd sizes.
struct Body {
  explicit Body(std::size_t size) {
    std::uint32_t state = 12345;
    while (text.size() < size) {
      state = state * 1664525 + 1013904223;
      text += "http.request.method GET " + std::to_string(state) + '\n';
    }
    text.resize(size);
    for (std::size_t at = 0, step = 1; at < size; at += step, step = step * 3 % 70001 + 1) {
      step = std::min(step, size - at);
      encoded.slices.push_back({text.data() + at, step});
    }
    encoded.size = size;
  }
  std::string text;
  EncodedBatch encoded;
};

struct Inflated {
  InflateError error;
  std::string text;
};

Inflated inflated(Encoding encoding, std::string_view body, std::size_t size_max = 64 << 20) {
  BufferWriter out;
  const InflateError error = inflate(encoding, body, size_max, out);
  return {error, std::string(out.bytes())};
}

/// By zlib, for forms that our side does not write. `window_bits` as deflateInit2 has them.
std::string by_zlib(std::string_view text, int window_bits) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

constexpr int gzip_bits = 31, zlib_bits = 15, raw_bits = -15;

/// A zstd frame whose header does not say how long the content is.
std::string zstd_stream(std::string_view text, int window_log) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  std::string out(ZSTD_compressBound(text.size()) + 64, '\0');
  ZSTD_outBuffer output{out.data(), out.size(), 0};
  ZSTD_inBuffer input{text.data(), text.size(), 0};
  ZSTD_compressStream2(context, &output, &input, ZSTD_e_continue);
  REQUIRE(ZSTD_compressStream2(context, &output, &input, ZSTD_e_end) == 0);
  ZSTD_freeCCtx(context);
  out.resize(output.pos);
  return out;
}

}  // namespace

TEST_CASE("encodings have the names that stand in headers", "[compression]") {
  for (const Encoding encoding : all) CHECK(parse_encoding(encoding_name(encoding)) == encoding);
  CHECK(parse_encoding("") == Encoding::none);
  CHECK(parse_encoding("none") == Encoding::none);
  CHECK(encoding_name(Encoding::none) == "identity");
  CHECK_FALSE(parse_encoding("br"));
  CHECK_FALSE(parse_encoding("gzip, gzip"));
  CHECK_FALSE(parse_encoding("GZIP "));
}

TEST_CASE("what is compressed inflates to the same bytes, in every encoding and size",
          "[compression]") {
  for (const Encoding encoding : all) {
    for (const std::size_t size : {1UL, 100UL, 65535UL, 65536UL, 65537UL, 1'000'000UL}) {
      const Body body(size);
      const Buffer compressed = deflate(encoding, body.encoded);
      CAPTURE(encoding_name(encoding), size, compressed.size());
      const Inflated result = inflated(encoding, compressed.bytes());
      CHECK(result.error == InflateError::none);
      CHECK(result.text == body.text);
      if (size > 1000 && encoding != Encoding::none) CHECK(compressed.size() < size / 2);
    }
  }
}

TEST_CASE("an empty batch compresses to a valid body", "[compression]") {
  for (const Encoding encoding : {Encoding::gzip, Encoding::zstd, Encoding::zlib, Encoding::snappy,
                                  Encoding::snappy_framed, Encoding::lz4}) {
    CAPTURE(encoding_name(encoding));
    const Inflated result = inflated(encoding, deflate(encoding, EncodedBatch{}).bytes());
    CHECK(result.error == InflateError::none);
    CHECK(result.text.empty());
  }
}

TEST_CASE("bytes that do not compress come back whole", "[compression]") {
  Body body(200'000);
  std::uint64_t state = 88172645463325252ULL;
  for (char& byte : body.text) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    byte = static_cast<char>(state);
  }
  for (const Encoding encoding : all) {
    CAPTURE(encoding_name(encoding));
    CHECK(inflated(encoding, deflate(encoding, body.encoded).bytes()).text == body.text);
  }
}

TEST_CASE("every level of a format gives the same content", "[compression]") {
  const Body body(300'000);
  for (const Encoding encoding : {Encoding::gzip, Encoding::zstd, Encoding::lz4}) {
    for (const int level : {-1, 1, 3, 6, 9}) {
      CAPTURE(encoding_name(encoding), level);
      CHECK(inflated(encoding, deflate(encoding, body.encoded, level).bytes()).text == body.text);
    }
  }
}

TEST_CASE("a body at the limit is taken, one byte more is too large", "[compression]") {
  for (const Encoding encoding : all) {
    for (const std::size_t size : {1000UL, 65536UL, 300'000UL}) {
      const Body body(size);
      const Buffer compressed = deflate(encoding, body.encoded);
      CAPTURE(encoding_name(encoding), size);
      CHECK(inflated(encoding, compressed.bytes(), size).error == InflateError::none);
      CHECK(inflated(encoding, compressed.bytes(), size).text == body.text);
      CHECK(inflated(encoding, compressed.bytes(), size - 1).error == InflateError::too_large);
    }
  }
}

TEST_CASE("a truncated body is broken at every cut", "[compression]") {
  const Body body(300);
  for (const Encoding encoding :
       {Encoding::gzip, Encoding::zstd, Encoding::zlib, Encoding::snappy, Encoding::lz4}) {
    const Buffer compressed = deflate(encoding, body.encoded);
    for (std::size_t size = 0; size < compressed.size(); ++size) {
      CAPTURE(encoding_name(encoding), size);
      CHECK(inflated(encoding, compressed.bytes().substr(0, size)).error == InflateError::broken);
    }
  }
}

TEST_CASE("garbage and checksums that do not fit are broken", "[compression]") {
  const Body body(5000);
  for (const Encoding encoding : {Encoding::gzip, Encoding::zlib, Encoding::snappy_framed}) {
    std::string compressed(deflate(encoding, body.encoded).bytes());
    CAPTURE(encoding_name(encoding));
    CHECK(inflated(encoding, "this is not compressed at all").error == InflateError::broken);
    CHECK(inflated(encoding, compressed + "x").error == InflateError::broken);
    const std::size_t checksum = encoding == Encoding::gzip            ? compressed.size() - 8
                                 : encoding == Encoding::snappy_framed ? 10 + 4
                                                                       : compressed.size() - 1;
    compressed[checksum] = static_cast<char>(compressed[checksum] ^ 1);
    CHECK(inflated(encoding, compressed).error == InflateError::broken);
  }
}

TEST_CASE("gzip may have several members, and nothing but members", "[compression]") {
  const Body body(10'000);
  const std::string one = by_zlib(body.text, gzip_bits);
  CHECK(inflated(Encoding::gzip, one + one + one).text == body.text + body.text + body.text);
  CHECK(inflated(Encoding::gzip, one + "garbage").error == InflateError::broken);
  CHECK(inflated(Encoding::gzip, one + "x").error == InflateError::broken);
  CHECK(inflated(Encoding::gzip, one + one, 2 * body.text.size() - 1).error ==
        InflateError::too_large);
  CHECK(inflated(Encoding::deflate, by_zlib(body.text, raw_bits) + "x").error ==
        InflateError::broken);
}

TEST_CASE("a gzip trailer that lies about the size is found out", "[compression]") {
  std::string lying = by_zlib(Body(10'000).text, gzip_bits);
  lying.replace(lying.size() - 4, 4, "\xff\xff\xff\x3f");
  BufferWriter out;
  CHECK(inflate(Encoding::gzip, lying, 1 << 30, out) == InflateError::broken);
  CHECK(out.capacity() <= lying.size() * 32 * 9 / 8);
}

TEST_CASE("deflate is taken with a zlib header and without", "[compression]") {
  const Body body(10'000);
  CHECK(inflated(Encoding::deflate, by_zlib(body.text, zlib_bits)).text == body.text);
  CHECK(inflated(Encoding::deflate, by_zlib(body.text, raw_bits)).text == body.text);
}

TEST_CASE("zstd of unknown size, of several frames, and with skippable frames inflates",
          "[compression]") {
  const Body body(500'000);
  const std::string stream = zstd_stream(body.text, 20);
  CHECK(inflated(Encoding::zstd, stream).text == body.text);
  CHECK(inflated(Encoding::zstd, stream, body.text.size()).error == InflateError::none);
  CHECK(inflated(Encoding::zstd, stream, body.text.size() - 1).error == InflateError::too_large);
  const std::string skippable(
      "\x50\x2a\x4d\x18\x03\x00\x00\x00"
      "abc",
      11);
  CHECK(inflated(Encoding::zstd, stream + skippable + stream).text == body.text + body.text);
  CHECK(inflated(Encoding::zstd, stream + "x").error == InflateError::broken);
}

TEST_CASE("a zstd window over the limit is refused before it is allocated", "[compression]") {
  const Body body(100'000);
  const std::string wide = zstd_stream(body.text, 26);
  CHECK(inflated(Encoding::zstd, wide, 16 << 20).error == InflateError::too_large);
  CHECK(inflated(Encoding::zstd, wide, 64 << 20).text == body.text);
  CHECK(inflated(Encoding::zstd, zstd_stream(body.text, 23), 1 << 20).text == body.text);
}

TEST_CASE("a snappy body is taken in both forms under its one name", "[compression]") {
  const Body body(200'000);
  const Buffer block = deflate(Encoding::snappy, body.encoded),
               framed = deflate(Encoding::snappy_framed, body.encoded);
  CHECK(inflated(Encoding::snappy, framed.bytes()).text == body.text);
  CHECK(inflated(Encoding::snappy_framed, block.bytes()).error == InflateError::broken);
  // The block's own header claims 4 GiB.
  CHECK(inflated(Encoding::snappy, std::string("\xff\xff\xff\xff\x0f\x00", 6)).error !=
        InflateError::none);
}

TEST_CASE("bombs stop at the limit", "[compression]") {
  const std::string zeros(64 << 20, '\0');
  EncodedBatch batch;
  batch.slices.push_back({zeros.data(), zeros.size()});
  batch.size = zeros.size();
  for (const Encoding encoding : {Encoding::gzip, Encoding::zstd, Encoding::lz4}) {
    const Buffer bomb = deflate(encoding, batch);
    CAPTURE(encoding_name(encoding), bomb.size());
    BufferWriter out;
    CHECK(inflate(encoding, bomb.bytes(), 8 << 20, out) == InflateError::too_large);
    CHECK(out.capacity() <= 9 << 20);
  }
}

TEST_CASE("a ratio that no telemetry reaches is refused above four megabytes", "[compression]") {
  const std::string zeros(5 << 20, '\0');
  EncodedBatch batch;
  batch.slices.push_back({zeros.data(), zeros.size()});
  batch.size = zeros.size();
  CHECK(inflated(Encoding::zstd, deflate(Encoding::zstd, batch).bytes()).error ==
        InflateError::too_large);
  batch.slices[0].size = batch.size = 4 << 20;
  CHECK(inflated(Encoding::zstd, deflate(Encoding::zstd, batch).bytes()).error ==
        InflateError::none);
}

}  // namespace sluice::net
