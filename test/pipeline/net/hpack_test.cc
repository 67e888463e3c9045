#include "pipeline/net/hpack.h"

#include <nghttp2/nghttp2.h>

#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

namespace sluice::net::hpack {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;
using Step = Decoder::Step;

/// The fields of a whole block; nothing where it is broken or ends inside a field.
std::optional<Fields> decode(Decoder& decoder, std::string_view block) {
  decoder.begin();
  Fields out;
  Field field;
  for (;;) {
    switch (decoder.next(block, field)) {
      case Step::field: out.emplace_back(field.name, field.value); break;
      case Step::end: return out;
      default: return std::nullopt;
    }
  }
}
Step step_of(std::string_view block) {
  Decoder decoder;
  decoder.begin();
  Field field;
  Step step = Step::field;
  while (step == Step::field) step = decoder.next(block, field);
  return step;
}
bool well_formed(std::string_view name, std::string_view value) {
  std::string block;
  append(block, name, value);
  Decoder decoder;
  decoder.begin();
  Field field;
  std::string_view rest = block;
  REQUIRE(decoder.next(rest, field) == Step::field);
  return field.has_good_name && field.has_good_value;
}

/// nghttp2's encoder, as a peer.
class Encoder {
 public:
  Encoder() { nghttp2_hd_deflate_new(&deflater_, table_size_max); }
  ~Encoder() { nghttp2_hd_deflate_del(deflater_); }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  void resize(std::size_t size) { nghttp2_hd_deflate_change_table_size(deflater_, size); }
  std::string encode(const Fields& fields, bool is_secret = false) {
    std::vector<nghttp2_nv> pairs;
    for (const auto& [name, value] : fields) {
      pairs.push_back({bytes(name), bytes(value), name.size(), value.size(),
                       is_secret ? std::uint8_t{NGHTTP2_NV_FLAG_NO_INDEX}
                                 : std::uint8_t{NGHTTP2_NV_FLAG_NONE}});
    }
    std::string out(nghttp2_hd_deflate_bound(deflater_, pairs.data(), pairs.size()), '\0');
    const ssize_t size =
        nghttp2_hd_deflate_hd(deflater_, bytes(out), out.size(), pairs.data(), pairs.size());
    REQUIRE(size >= 0);
    out.resize(static_cast<std::size_t>(size));
    return out;
  }

 private:
  static std::uint8_t* bytes(const std::string& text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  }
  nghttp2_hd_deflater* deflater_ = nullptr;
};

/// Words that come again and again, so that tables fill, turn over and are referred to.
class Words {
 public:
  explicit Words(std::uint32_t seed) : random_(seed) {}
  std::size_t below(std::size_t limit) { return random_() % limit; }
  std::string name() {
    static const std::vector<std::string> known = {":path", "content-type", "te", "grpc-timeout"};
    if (below(2) == 0) return known[below(known.size())];
    return "x-" + std::string(below(30), 'a') + std::to_string(below(40));
  }
  std::string value() {
    std::string out(below(4) == 0 ? below(700) : below(20), '\0');
    const bool is_text = below(3) > 0;
    for (char& c : out)
      c = is_text ? static_cast<char>('0' + below(75)) : static_cast<char>(below(256));
    return out;
  }

 private:
  std::mt19937 random_;
};

}  // namespace

TEST_CASE("the examples of RFC 7541, appendix C, are decoded", "[http2]") {
  const Fields first = {
      {":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "www.example.com"}};
  Fields second = first;
  second.emplace_back("cache-control", "no-cache");
  const Fields third = {{":method", "GET"},
                        {":scheme", "https"},
                        {":path", "/index.html"},
                        {":authority", "www.example.com"},
                        {"custom-key", "custom-value"}};
  Decoder decoder;
  SECTION("C.3, as it is") {
    CHECK(decode(decoder, "\x82\x86\x84\x41\x0fwww.example.com") == first);
    CHECK(decode(decoder, "\x82\x86\x84\xbe\x58\x08no-cache") == second);
    CHECK(decode(decoder,
                 "\x82\x87\x85\xbf\x40\x0a"
                 "custom-key\x0c"
                 "custom-value") == third);
  }
  SECTION("C.4, under Huffman's code") {
    CHECK(decode(decoder, "\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff") ==
          first);
    CHECK(decode(decoder, "\x82\x86\x84\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf") == second);
    CHECK(decode(decoder,
                 "\x82\x87\x85\xbf\x40\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\x89\x25\xa8"
                 "\x49\xe9\x5b\xb8\xe8\xb4\xbf") == third);
  }
}

TEST_CASE("what nghttp2 encodes is decoded, block after block", "[http2]") {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    Words words(seed);
    Encoder encoder;
    Decoder decoder;
    for (int block = 0; block < 200; ++block) {
      if (words.below(20) == 0) encoder.resize(words.below(table_size_max + 1));
      Fields fields(words.below(12));
      for (auto& field : fields) field = {words.name(), words.value()};
      const std::string bytes = encoder.encode(fields, words.below(8) == 0);
      CAPTURE(seed, block);
      REQUIRE(decode(decoder, bytes) == fields);
    }
  }
}

TEST_CASE("every byte has its code", "[http2]") {
  Encoder encoder;
  Decoder decoder;
  for (int byte = 0; byte < 256; ++byte) {
    // Among short codes, so that the encoder finds Huffman's shorter.
    const Fields fields = {{"a", std::string(40, '0') + static_cast<char>(byte) + "1"}};
    const std::string block = encoder.encode(fields, true);
    CAPTURE(byte);
    REQUIRE(block.size() < 40);
    REQUIRE(decode(decoder, block) == fields);
  }
}

TEST_CASE("a block that is cut anywhere goes on with the rest", "[http2]") {
  Words words(7);
  Encoder encoder;
  Decoder decoder;
  for (int turn = 0; turn < 50; ++turn) {
    Fields fields(5);
    for (auto& field : fields) field = {words.name(), words.value()};
    const std::string block = encoder.encode(fields);
    const std::size_t cut = words.below(block.size());
    decoder.begin();
    Fields out;
    Field field;
    std::string_view head = std::string_view(block).substr(0, cut);
    while (decoder.next(head, field) == Step::field) out.emplace_back(field.name, field.value);
    const std::string rest = std::string(head) + block.substr(cut);
    std::string_view tail = rest;
    while (decoder.next(tail, field) == Step::field) out.emplace_back(field.name, field.value);
    CHECK(tail.empty());
    CHECK(out == fields);
  }
}

TEST_CASE("broken blocks are told from unfinished ones", "[http2]") {
  const auto text = [](std::string_view bytes) { return std::string(bytes); };
  CHECK(step_of("") == Step::end);
  CHECK(step_of("\x80") == Step::broken);       // index 0
  CHECK(step_of("\xbe") == Step::broken);       // an entry that is not there
  CHECK(step_of("\x7e\x01x") == Step::broken);  // nor as a name
  CHECK(step_of("\xff") == Step::incomplete);   // an index that goes on
  CHECK(step_of("\xff\xff\xff\xff\xff\x7f") == Step::broken);
  CHECK(step_of("\x40\x05"
                "ab") == Step::incomplete);
  CHECK(step_of("\x40\x02"
                "ab") == Step::incomplete);
  CHECK(step_of("\x40\xff\xff\xff\xff\xff\xff\x7f") == Step::broken);
  CHECK(step_of("\x3f\xe1\x1f") == Step::end);     // a table of 4096 bytes
  CHECK(step_of("\x3f\xe2\x1f") == Step::broken);  // of 4097
  CHECK(step_of("\x82\x20") == Step::broken);      // a size behind a field
  // Huffman's code: '0' is 00000.
  CHECK(step_of(text("\x08\x81\x07")) == Step::end);
  CHECK(step_of(text("\x08\x81\x06")) == Step::broken);              // padded with 110
  CHECK(step_of(text("\x08\x82\x07\xff")) == Step::broken);          // with eleven bits
  CHECK(step_of(text("\x08\x84\xff\xff\xff\xff")) == Step::broken);  // the end of the string
}

TEST_CASE("an entry of the table's size fits, a larger one empties it", "[http2]") {
  const auto literal = [](std::size_t size) {
    std::string block =
        "\x40\x01"
        "a\x7f";
    for (size -= 127; size >= 0x80; size >>= 7) block += static_cast<char>(size | 0x80);
    return block + static_cast<char>(size);
  };
  const std::size_t fits = table_size_max - entry_overhead - 1;
  Decoder decoder;
  CHECK(decode(decoder, literal(fits) + std::string(fits, 'x')));
  CHECK(decode(decoder, "\xbe") == Fields{{"a", std::string(fits, 'x')}});
  CHECK(decode(decoder, literal(fits + 1) + std::string(fits + 1, 'x')));
  CHECK_FALSE(decode(decoder, "\xbe"));
}

TEST_CASE("a name may come from an entry that its own insertion drives out", "[http2]") {
  const std::string value(4000, 'x');
  const std::string length = "\x7f\xa1\x1e";  // 4000
  Decoder decoder;
  CHECK(decode(decoder, "\x40\x04name" + length + value));
  CHECK(decode(decoder, "\x7e" + length + value) == Fields{{"name", value}});
  CHECK(decode(decoder, "\xbe") == Fields{{"name", value}});
}

TEST_CASE("fields say whether RFC 9113 allows their characters", "[http2]") {
  CHECK(well_formed("a-b_c.1", "any text, \t too"));
  CHECK(well_formed(":path", "/"));
  CHECK(well_formed("a", ""));
  CHECK(well_formed("a", "gr\xc3\xbc\xc3\x9f"));
  CHECK_FALSE(well_formed("", "x"));
  CHECK_FALSE(well_formed(":", "x"));
  CHECK_FALSE(well_formed("a b", "x"));
  CHECK_FALSE(well_formed("a:", "x"));
  CHECK_FALSE(well_formed("a", "x\r\nb: c"));
  CHECK_FALSE(well_formed("a", std::string_view("x\0", 2)));
  CHECK_FALSE(well_formed("a", "\x7f"));
  // In upper case; `append` itself says names in lower case.
  std::string_view upper =
      "\x40\x01"
      "A\x01"
      "b";
  Decoder decoder;
  Field field;
  REQUIRE(decoder.next(upper, field) == Step::field);
  CHECK_FALSE(field.has_good_name);
  // It stays with the entry.
  std::string_view again = "\xbe";
  REQUIRE(decoder.next(again, field) == Step::field);
  CHECK_FALSE(field.has_good_name);
}

TEST_CASE("what is appended is what another decoder reads", "[http2]") {
  nghttp2_hd_inflater* inflater = nullptr;
  nghttp2_hd_inflate_new(&inflater);
  const Fields fields = {{":status", "200"},
                         {":status", "404"},
                         {"Content-Type", "text/plain"},
                         {"x-long", std::string(5000, 'y')},
                         {"empty", ""}};
  std::string block;
  for (const auto& [name, value] : fields) append(block, name, value);
  Fields out;
  const auto* at = reinterpret_cast<const std::uint8_t*>(block.data());
  std::size_t left = block.size();
  for (;;) {
    nghttp2_nv field;
    int flags = 0;
    const ssize_t used = nghttp2_hd_inflate_hd2(inflater, &field, &flags, at, left, 1);
    REQUIRE(used >= 0);
    at += used;
    left -= static_cast<std::size_t>(used);
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      out.emplace_back(std::string(reinterpret_cast<char*>(field.name), field.namelen),
                       std::string(reinterpret_cast<char*>(field.value), field.valuelen));
    }
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
  }
  nghttp2_hd_inflate_del(inflater);
  Fields expected = fields;
  expected[2].first = "content-type";
  CHECK(out == expected);
}

}  // namespace sluice::net::hpack
