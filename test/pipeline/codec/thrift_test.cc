// libthrift is the oracle: it writes what our readers read, and steps over what was broken on
// purpose.
#include <cinttypes>

#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/protocol/TCompactProtocol.h>
#include <thrift/transport/TBufferTransports.h>

#include <bit>
#include <catch2/catch.hpp>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "pipeline/codec/thrift/binary_reader.h"
#include "pipeline/codec/thrift/compact_reader.h"

namespace sluice::test {
namespace {

namespace at = apache::thrift;
using at::protocol::TProtocol;
using at::protocol::TType;
using Memory = at::transport::TMemoryBuffer;
using thrift::BinaryReader;
using thrift::CompactReader;
using thrift::Field;
using thrift::Message;
using thrift::Type;
using namespace std::string_literals;
using namespace std::string_view_literals;

/// Which library protocol a reader of ours stands against.
template <typename Reader>
struct Peer;
template <>
struct Peer<BinaryReader> {
  using Protocol = at::protocol::TBinaryProtocol;
};
template <>
struct Peer<CompactReader> {
  using Protocol = at::protocol::TCompactProtocol;
};

/// Writes random structs through libthrift and, beside it, what a reader should find.
class Generator {
 public:
  Generator(std::uint32_t seed, TProtocol& out) : random_(seed), out_(out) {}

  void structure(int depth) {
    out_.writeStructBegin("S");
    text += '{';
    int id = 0;
    for (std::uint32_t left = below(6); left > 0; --left) {
      id = below(8) == 0 ? static_cast<int>(below(65000)) - 32500
                         : std::min(id + 1 + static_cast<int>(below(20)), 32767);
      const TType type = any_type(depth);
      out_.writeFieldBegin("f", type, static_cast<std::int16_t>(id));
      text += std::to_string(id) + ':';
      value(type, depth);
      out_.writeFieldEnd();
    }
    out_.writeFieldStop();
    out_.writeStructEnd();
    text += '}';
  }

  std::string text;

 private:
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_()) % bound; }
  std::int64_t number() {
    const std::int64_t raw = static_cast<std::int64_t>(std::uint64_t{random_()} << 32 | random_());
    return raw >> below(64);
  }
  TType any_type(int depth) {
    static constexpr TType types[] = {
        at::protocol::T_BOOL, at::protocol::T_BYTE, at::protocol::T_DOUBLE, at::protocol::T_I16,
        at::protocol::T_I32,  at::protocol::T_I64,  at::protocol::T_STRING, at::protocol::T_STRUCT,
        at::protocol::T_MAP,  at::protocol::T_SET,  at::protocol::T_LIST};
    return types[below(depth > 0 ? 11 : 7)];
  }
  void elements(TType type, std::uint32_t count, int depth) {
    for (; count > 0; --count) value(type, depth);
  }
  void value(TType type, int depth);

  std::mt19937 random_;
  TProtocol& out_;
};

void Generator::value(TType type, int depth) {
  switch (type) {
    case at::protocol::T_BOOL: {
      const bool value = below(2) == 1;
      out_.writeBool(value);
      text += value ? "T " : "F ";
      return;
    }
    case at::protocol::T_BYTE: {
      const auto value = static_cast<std::int8_t>(number());
      out_.writeByte(value);
      text += 'b' + std::to_string(value) + ' ';
      return;
    }
    case at::protocol::T_DOUBLE: {
      const std::int64_t bits = number();
      out_.writeDouble(std::bit_cast<double>(bits));
      text += 'd' + std::to_string(bits) + ' ';
      return;
    }
    case at::protocol::T_I16: {
      const auto value = static_cast<std::int16_t>(number());
      out_.writeI16(value);
      text += 's' + std::to_string(value) + ' ';
      return;
    }
    case at::protocol::T_I32: {
      const auto value = static_cast<std::int32_t>(number());
      out_.writeI32(value);
      text += 'i' + std::to_string(value) + ' ';
      return;
    }
    case at::protocol::T_I64: {
      const std::int64_t value = number();
      out_.writeI64(value);
      text += 'l' + std::to_string(value) + ' ';
      return;
    }
    case at::protocol::T_STRING: {
      std::string value(below(3) == 0 ? below(300) : below(10), '\0');
      for (char& each : value) each = static_cast<char>(below(256));
      out_.writeString(value);
      text += '"' + value + '"';
      return;
    }
    case at::protocol::T_STRUCT: return structure(depth - 1);
    case at::protocol::T_MAP: {
      const TType key = any_type(depth - 1), mapped = any_type(depth - 1);
      const std::uint32_t count = below(4);
      out_.writeMapBegin(key, mapped, count);
      text += '<' + std::to_string(count) + ' ';
      for (std::uint32_t i = 0; i < count; ++i) {
        value(key, depth - 1);
        value(mapped, depth - 1);
      }
      out_.writeMapEnd();
      text += '>';
      return;
    }
    default: {
      const TType element = any_type(depth - 1);
      const std::uint32_t count = below(2) == 0 ? below(3) : below(40);
      type == at::protocol::T_SET ? out_.writeSetBegin(element, count)
                                  : out_.writeListBegin(element, count);
      text += '[' + std::to_string(count) + ' ';
      elements(element, count, depth - 1);
      type == at::protocol::T_SET ? out_.writeSetEnd() : out_.writeListEnd();
      text += ']';
    }
  }
}

/// What one of our readers finds, in the generator's words.
template <typename Reader>
void read_struct(Reader& reader, std::string& text);

template <typename Reader>
void read_element(Reader& reader, Type type, std::string& text) {
  switch (type) {
    case Type::boolean: text += reader.boolean_element() ? "T " : "F "; return;
    case Type::i8: text += 'b' + std::to_string(reader.i8()) + ' '; return;
    case Type::i16: text += 's' + std::to_string(reader.i16()) + ' '; return;
    case Type::i32: text += 'i' + std::to_string(reader.i32()) + ' '; return;
    case Type::i64: text += 'l' + std::to_string(reader.i64()) + ' '; return;
    case Type::real:
      text += 'd' + std::to_string(std::bit_cast<std::int64_t>(reader.real())) + ' ';
      return;
    case Type::string: text += '"' + std::string(reader.string()) + '"'; return;
    case Type::structure: return read_struct(reader, text);
    case Type::map: {
      const thrift::Map map = reader.map();
      text += '<' + std::to_string(map.size) + ' ';
      for (std::uint32_t i = 0; i < map.size && reader.ok(); ++i) {
        read_element(reader, map.key, text);
        read_element(reader, map.value, text);
      }
      text += '>';
      return;
    }
    default: {
      const thrift::List list = reader.list();
      text += '[' + std::to_string(list.size) + ' ';
      for (std::uint32_t i = 0; i < list.size && reader.ok(); ++i)
        read_element(reader, list.element, text);
      text += ']';
    }
  }
}

template <typename Reader>
void read_struct(Reader& reader, std::string& text) {
  text += '{';
  Field field;
  while (reader.next(field)) {
    text += std::to_string(field.id) + ':';
    if (field.type == Type::boolean)
      text += reader.boolean(field) ? "T " : "F ";
    else
      read_element(reader, field.type, text);
  }
  text += '}';
}

template <typename Reader>
std::string generated(std::uint32_t seed, std::string& text) {
  const auto memory = std::make_shared<Memory>();
  typename Peer<Reader>::Protocol protocol(memory);
  Generator generator(seed, protocol);
  generator.structure(4);
  text = generator.text;
  return memory->getBufferAsString();
}

template <typename Reader>
auto limited(const std::shared_ptr<Memory>& memory, std::int32_t limit) {
  using Protocol = typename Peer<Reader>::Protocol;
  if constexpr (std::is_same_v<Reader, BinaryReader>)
    return std::make_unique<Protocol>(memory, limit, limit, false, true);
  else
    return std::make_unique<Protocol>(memory, limit, limit);
}

/// How many bytes libthrift steps over for one struct; 0 when it refuses.
template <typename Reader>
std::size_t skipped_by_oracle(std::string bytes) {
  const auto memory =
      std::make_shared<Memory>(reinterpret_cast<std::uint8_t*>(bytes.data()),
                               static_cast<std::uint32_t>(bytes.size()), Memory::COPY);
  // Limits, or it would make room for whatever a length says.
  const auto limit = static_cast<std::int32_t>(bytes.size());
  const auto made = limited<Reader>(memory, limit);
  typename Peer<Reader>::Protocol& protocol = *made;
  try {
    protocol.skip(at::protocol::T_STRUCT);
  } catch (const at::TException&) {
    return 0;
  }
  return bytes.size() - memory->available_read();
}

template <typename Reader>
std::size_t skipped(std::string_view bytes) {
  Reader reader(bytes);
  reader.skip_element(Type::structure);
  return reader.ok() ? reader.position() : 0;
}

/// The head of a message, as libthrift writes it.
template <typename Reader>
std::string message_head(const std::string& name, at::protocol::TMessageType type,
                         std::int32_t sequence, bool strict = true) {
  const auto memory = std::make_shared<Memory>();
  typename Peer<Reader>::Protocol protocol(memory);
  if constexpr (std::is_same_v<Reader, BinaryReader>) protocol.setStrict(false, strict);
  protocol.writeMessageBegin(name, type, sequence);
  return memory->getBufferAsString();
}

template <typename Reader>
void check_head(const std::string& head, const std::string& name, thrift::MessageType type,
                std::int32_t sequence) {
  Reader reader(head);
  Message message;
  REQUIRE(reader.message(message));
  CHECK(message.name == name);
  CHECK(message.type == type);
  CHECK(message.sequence == sequence);
  CHECK(reader.left() == 0);
  for (std::size_t size = 0; size < head.size(); ++size) {
    Reader cut(std::string_view(head).substr(0, size));
    CHECK_FALSE(cut.message(message));
    CHECK_FALSE(cut.error().empty());
  }
}

template <typename Reader>
std::string error_of_skipping(std::string_view bytes) {
  Reader reader(bytes);
  reader.skip_element(Type::structure);
  return reader.error();
}

}  // namespace

TEMPLATE_TEST_CASE("what libthrift writes is read back, value by value", "[thrift]", BinaryReader,
                   CompactReader) {
  for (std::uint32_t seed = 0; seed < 150; ++seed) {
    std::string expected, found;
    const std::string bytes = generated<TestType>(seed, expected);
    TestType reader(bytes);
    read_struct(reader, found);
    INFO("seed " << seed);
    REQUIRE(reader.error() == "");
    REQUIRE(found == expected);
    REQUIRE(reader.left() == 0);
    REQUIRE(skipped<TestType>(bytes) == bytes.size());
  }
}

TEMPLATE_TEST_CASE("a struct that ends early is refused at every byte", "[thrift]", BinaryReader,
                   CompactReader) {
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    std::string expected;
    const std::string bytes = generated<TestType>(seed, expected);
    if (bytes.size() > 600) continue;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const std::string cut = bytes.substr(0, size);  // a copy: the sanitizer sees its end
      std::string found;
      TestType reader(cut);
      read_struct(reader, found);
      REQUIRE_FALSE(reader.ok());
      REQUIRE(reader.position() <= size);
      REQUIRE(skipped<TestType>(cut) == 0);
    }
  }
}

TEMPLATE_TEST_CASE("what is stepped over when broken, libthrift steps over alike", "[thrift]",
                   BinaryReader, CompactReader) {
  std::mt19937 random(7);
  std::size_t taken = 0;
  std::vector<std::string> samples;
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    std::string expected;
    samples.push_back(generated<TestType>(seed, expected));
  }
  for (std::uint32_t round = 0; round < 3000; ++round) {
    std::string bytes = samples[round % samples.size()];
    for (auto changes = 1 + random() % 3; changes > 0; --changes)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    // It refuses more: the element type of an empty container, for one.
    const std::size_t theirs = skipped_by_oracle<TestType>(bytes);
    if (theirs == 0) continue;
    ++taken;
    INFO("round " << round);
    REQUIRE(skipped<TestType>(bytes) == theirs);
  }
  CHECK(taken > 300);
}

TEST_CASE("the head of a message is read: strict, old, compact, of every type", "[thrift]") {
  for (const auto type : {at::protocol::T_CALL, at::protocol::T_REPLY, at::protocol::T_EXCEPTION,
                          at::protocol::T_ONEWAY}) {
    const auto ours = static_cast<thrift::MessageType>(type);
    check_head<BinaryReader>(message_head<BinaryReader>("emitBatch", type, -5), "emitBatch", ours,
                             -5);
    check_head<BinaryReader>(message_head<BinaryReader>("x", type, 1, false), "x", ours, 1);
    check_head<CompactReader>(message_head<CompactReader>("emitBatch", type, -5), "emitBatch", ours,
                              -5);
  }
}

TEST_CASE("the head of another version or protocol is refused", "[thrift]") {
  Message message;
  BinaryReader version("\x80\x02\x00\x01\x00\x00\x00\x01x\x00\x00\x00\x00"sv);
  CHECK_FALSE(version.message(message));
  CHECK(version.error() == "a message of another version of the binary protocol at byte 0");
  BinaryReader compact(
      "\x82\x21\x01\x09"
      "emitBatch"sv);
  CHECK_FALSE(compact.message(message));
  CompactReader binary("\x80\x01\x00\x01\x00\x00\x00\x01x\x00\x00\x00\x00"sv);
  CHECK_FALSE(binary.message(message));
  CHECK(binary.error() == "not a message of the compact protocol at byte 0");
  CompactReader newer("\x82\x22\x01\x01x"sv);
  CHECK_FALSE(newer.message(message));
  CHECK(newer.error() == "a message of another version of the compact protocol at byte 1");
}

TEST_CASE("containers that cannot be as large as they say are refused by their head", "[thrift]") {
  const std::string too_many =
      "more elements are declared than the rest of the input can hold at byte ";
  CHECK(error_of_skipping<BinaryReader>("\x0F\x00\x01\x0C\x7F\xFF\xFF\xFF\x00"s) == too_many + "8");
  CHECK(error_of_skipping<BinaryReader>("\x0F\x00\x01\x0A\x00\x00\x00\x02"s +
                                        std::string(15, '\1')) == too_many + "8");
  CHECK(error_of_skipping<BinaryReader>("\x0E\x00\x01\x0C\xFF\xFF\xFF\xFF\x00"s) ==
        "a list's size is negative at byte 8");
  CHECK(error_of_skipping<BinaryReader>("\x0D\x00\x01\x0B\x0B\x7F\xFF\xFF\xFF\x00"s) ==
        too_many + "9");
  CHECK(error_of_skipping<BinaryReader>("\x0B\x00\x01\xFF\xFF\xFF\xFF"s) ==
        "a length is negative at byte 7");
  CHECK(error_of_skipping<CompactReader>("\x19\xFC\xFF\xFF\xFF\xFF\x07\x00"s) == too_many + "7");
  CHECK(error_of_skipping<CompactReader>("\x1B\xFF\xFF\xFF\xFF\x07\x88\x00"s) == too_many + "7");
  CHECK(error_of_skipping<CompactReader>("\x18\xFF\xFF\xFF\xFF\x07\x00"s) ==
        "a text is declared longer than the rest of the input at byte 6");
}

TEST_CASE("an empty container may say any element type", "[thrift]") {
  CHECK(skipped<BinaryReader>("\x0F\x00\x01\x00\x00\x00\x00\x00\x00"s) == 9);
  CHECK(skipped<BinaryReader>("\x0D\x00\x01\x00\x01\x00\x00\x00\x00\x00"s) == 10);
  CHECK(skipped<CompactReader>("\x19\x00\x00"s) == 3);
  CHECK(skipped<CompactReader>("\x1B\x00\x00"s) == 3);
}

TEST_CASE("types that do not exist are refused", "[thrift]") {
  CHECK(error_of_skipping<BinaryReader>("\x01\x00\x01\x00"s) ==
        "a field is of no known type at byte 0");
  CHECK(error_of_skipping<BinaryReader>("\x7F\x00\x01\x00"s) ==
        "a field is of no known type at byte 0");
  CHECK(error_of_skipping<BinaryReader>("\x0F\x00\x01\x09\x00\x00\x00\x01\x00\x00"s) ==
        "a list's elements are of no known type at byte 8");
  CHECK(error_of_skipping<CompactReader>("\x1D\x00"s) == "a field is of no known type at byte 0");
  CHECK(error_of_skipping<CompactReader>("\x19\x1F\x00\x00"s) ==
        "a list's elements are of no known type at byte 2");
}

TEST_CASE("structs nest to a depth of 64 where nobody asked for them", "[thrift]") {
  const auto nested = [](std::size_t depth, const std::string& open) {
    std::string bytes;
    for (std::size_t i = 1; i < depth; ++i) bytes += open;
    return bytes + std::string(depth, '\0');
  };
  const std::string binary = "\x0C\x00\x01"s, compact = "\x1C"s;
  CHECK(skipped<BinaryReader>(nested(64, binary)) == 63 * 3 + 64);
  CHECK(error_of_skipping<BinaryReader>(nested(65, binary)) == "nested deeper than 64 at byte 192");
  CHECK(skipped<CompactReader>(nested(64, compact)) == 63 + 64);
  CHECK(error_of_skipping<CompactReader>(nested(65, compact)) ==
        "nested deeper than 64 at byte 64");
  CHECK(error_of_skipping<CompactReader>(nested(1'000'000, compact)) ==
        "nested deeper than 64 at byte 64");
}

TEST_CASE("after a mistake everything reads as nothing, and the first mistake stays", "[thrift]") {
  CompactReader reader("\x18\x7F"sv);
  Field field;
  REQUIRE(reader.next(field));
  CHECK(reader.string().empty());
  CHECK_FALSE(reader.ok());
  CHECK(reader.i64() == 0);
  CHECK(reader.list().size == 0);
  CHECK(reader.map().size == 0);
  CHECK_FALSE(reader.next(field));
  CHECK(reader.left() == 0);
  CHECK(reader.error() == "a text is declared longer than the rest of the input at byte 2");
}

TEST_CASE("numbers in the compact protocol have ten bytes at most", "[thrift]") {
  CHECK(skipped<CompactReader>("\x16"s + std::string(9, '\xFF') + "\x01\x00"s) == 12);
  CHECK(error_of_skipping<CompactReader>("\x16"s + std::string(10, '\xFF') + "\x01\x00"s) ==
        "a number is longer than ten bytes at byte 11");
}

TEMPLATE_TEST_CASE("a field that was expected is read at once, any other is left for `next`",
                   "[thrift]", BinaryReader, CompactReader) {
  const auto memory = std::make_shared<Memory>();
  typename Peer<TestType>::Protocol out(memory);
  out.writeStructBegin("S");
  out.writeFieldBegin("f", at::protocol::T_STRING, 1);
  out.writeString("text"s);
  out.writeFieldBegin("f", at::protocol::T_I32, 2);
  out.writeI32(-70000);
  out.writeFieldBegin("f", at::protocol::T_I64, 6);
  out.writeI64(1LL << 60);
  out.writeFieldBegin("f", at::protocol::T_BOOL, 7);
  out.writeBool(true);
  out.writeFieldStop();
  const std::string bytes = memory->getBufferAsString() + std::string(8, '\0');
  TestType reader(bytes);
  Field field;
  std::string_view text;
  std::int32_t small = 0;
  std::int64_t large = 0;
  CHECK_FALSE(reader.next_string(2, field, text));
  CHECK_FALSE(reader.next_i32(1, field, small));
  CHECK(reader.position() == 0);
  CHECK(reader.next_string(1, field, text));
  CHECK(text == "text");
  CHECK(reader.next_i32(2, field, small));
  CHECK(small == -70000);
  CHECK_FALSE(reader.next_i64(5, field, large));
  CHECK(reader.next_i64(6, field, large));
  CHECK(large == 1LL << 60);
  CHECK_FALSE(reader.next_is_stop());
  REQUIRE(reader.next(field));
  CHECK(field.is(7, Type::boolean));
  CHECK(reader.boolean(field));
  CHECK(reader.next_is_stop());
  CHECK(reader.ok());
}

}  // namespace sluice::test
