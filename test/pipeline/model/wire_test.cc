#include "pipeline/model/wire.h"

#include <array>
#include <catch2/catch.hpp>
#include <string>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_view.h"
#include "pipeline/model/span_writer.h"
#include "test/support/otlp_builder.h"

namespace sluice {
namespace {

using namespace sluice::test;
using namespace std::string_literals;

/// Whether a cursor gets to the end of the message.
bool well_formed(const std::string& message, int depth = wire::depth_max) {
  wire::Cursor cursor(message, depth);
  wire::Field field;
  while (cursor.next(field)) {
  }
  return cursor.ok();
}

TEST_CASE("a cursor reports each field with its value and its whole extent", "[wire]") {
  const std::string message =
      varint_field(1, 300) + fixed64_field(2, 7) + fixed32_field(3, 9) + length_field(4, "text");
  wire::Cursor cursor(message);
  wire::Field field;
  REQUIRE(cursor.next(field));
  CHECK(field.is(1, wire::Type::varint));
  CHECK(field.value == 300);
  REQUIRE(cursor.next(field));
  CHECK(field.is(2, wire::Type::fixed64));
  CHECK(field.value == 7);
  CHECK(field.whole.size() == 9);
  REQUIRE(cursor.next(field));
  CHECK(field.value == 9);
  REQUIRE(cursor.next(field));
  CHECK(field.content == "text");
  CHECK(field.whole == length_field(4, "text"));
  CHECK_FALSE(cursor.next(field));
  CHECK(cursor.ok());
}

TEST_CASE("malformed fields end a cursor, and stay its end", "[wire]") {
  const auto bytes = GENERATE(
      as<std::string>(), "\x00\x01"s, "\x02\x00"s, "\x08"s, "\x0a\x05test"s, "\x09\x01\x02"s,
      "\x0d\x01"s, "\x0e\x00"s, "\x0f\x00"s, "\x0c"s, "\x0b\x08\x01"s, "\x0b\x14"s,
      "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s, "\x8a\x80\x80\x80\x80\x00\x00"s,
      "\x0a\x80\x80\x80\x80\x80\x00"s, "\x0a\xff\xff\xff\xff\x0f"s);
  CAPTURE(bytes);
  wire::Cursor cursor(bytes);
  wire::Field field;
  CHECK_FALSE(cursor.next(field));
  CHECK_FALSE(cursor.ok());
  CHECK_FALSE(cursor.next(field));
}

TEST_CASE("varints longer than need be are read, up to ten bytes", "[wire]") {
  wire::Field field;
  const std::string ten = "\x08\x81\x80\x80\x80\x80\x80\x80\x80\x80\x00"s;
  wire::Cursor value(ten);
  REQUIRE(value.next(field));
  CHECK(field.value == 1);
  const std::string long_length = "\x8a\x80\x80\x00\x83\x80\x80\x80\x00yes"s;
  wire::Cursor length(long_length);
  REQUIRE(length.next(field));
  CHECK(field.is(1, wire::Type::length));
  CHECK(field.content == "yes");
}

TEST_CASE("groups are stepped over whole, as deep as protobuf allows", "[wire]") {
  std::string group;
  for (int depth = 1; depth <= 101; ++depth) {
    group = "\x0b" + group + "\x0c";
    CAPTURE(depth);
    CHECK(well_formed(group) == (depth <= 100));
    CHECK(well_formed(group, 97) == (depth <= 97));
  }
}

TEST_CASE("a writer's nested messages have canonical lengths whatever was expected",
          "[span_writer]") {
  for (const std::size_t size : {0, 1, 127, 128, 300, 16'383, 16'384, 70'000}) {
    for (const std::size_t likely : {0, 100, 1000, 100'000}) {
      CAPTURE(size, likely);
      const std::string content = length_field(5, std::string(size, 'x'));
      SpanWriter writer(16);
      const std::size_t outer = writer.begin(1);
      const std::size_t inner = writer.begin(2, likely);
      writer.string(5, std::string(size, 'x'));
      writer.end(inner);
      writer.varint(3, 1);
      writer.end(outer);
      CHECK(writer.out().bytes() == length_field(1, length_field(2, content) + varint_field(3, 1)));
    }
  }
}

TEST_CASE("a writer's attributes are KeyValues of their type", "[span_writer]") {
  SpanWriter writer(0);
  writer.attribute(9, "text", "a literal is no bool");
  writer.attribute(9, std::string(200, 'k'), std::string_view(std::string(40'000, 'v')));
  writer.attribute(9, "integer", std::int64_t{-1});
  writer.attribute(9, "real", 0.5);
  writer.attribute(9, "yes", true);
  std::string expected;
  for (const Attribute& attribute : Attributes{{"text", "a literal is no bool"},
                                               {std::string(200, 'k'), std::string(40'000, 'v')},
                                               {"integer", -1},
                                               {"real", 0.5},
                                               {"yes", true}}) {
    expected += length_field(9, key_value_message(attribute));
  }
  CHECK(writer.out().bytes() == expected);
}

TEST_CASE("a malformed value reads as empty", "[span_view]") {
  CHECK(AnyValueView(length_field(1, "fine")).type() == AnyValueView::Type::string);
  CHECK(AnyValueView(length_field(1, "fine") + "\x0a").type() == AnyValueView::Type::empty);
  // A number in the wrong wire form is an unknown field.
  CHECK(AnyValueView(fixed64_field(otlp::any_value::int_value, 1)).type() ==
        AnyValueView::Type::empty);
  CHECK(AnyValueView("").type() == AnyValueView::Type::empty);
}

TEST_CASE("of repeated attributes the first counts", "[span_view]") {
  const std::string message = span_message({.attributes = {{"k", 1}, {"other", 2}, {"k", 3}}});
  const SpanView span(message);
  REQUIRE(span.attribute("k"));
  CHECK(span.attribute("k")->value().integer() == 1);
  CHECK_FALSE(span.attribute("absent"));
}

TEST_CASE("an attribute is read whatever the order and number of its fields", "[span_view]") {
  const std::string value = length_field(otlp::any_value::string_value, std::string(300, 'v'));
  const auto read = [](const std::string& content) {
    const std::string message = length_field(9, content);
    const auto attribute = find_attribute(message, 9, "key");
    return attribute ? std::string(attribute->value().string()) : "absent";
  };
  CHECK(read(length_field(1, "key") + length_field(2, value)) == std::string(300, 'v'));
  CHECK(read(length_field(2, value) + length_field(1, "key")) == std::string(300, 'v'));
  CHECK(read(length_field(1, "old") + length_field(2, value) + length_field(1, "key")) ==
        std::string(300, 'v'));
  CHECK(read(length_field(1, "key") + length_field(2, value) + length_field(2, "")) ==
        std::string(300, 'v'));
  CHECK(read(length_field(1, "key")) == "");
  CHECK(read(length_field(1, "keys") + length_field(2, value)) == "absent");
}

TEST_CASE("attributes of any size are found, whole and cut short", "[span_view]") {
  const std::size_t sizes[] = {0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 120, 127, 128, 300};
  for (const std::size_t key_size : sizes) {
    for (const std::size_t value_size : sizes) {
      INFO(key_size << " and " << value_size);
      const std::string key(key_size, 'k');
      const std::string value(value_size, 'v');
      const std::string first = length_field(9, key_value_message({key + "x", 1}));
      const std::string attribute = length_field(9, length_field(1, key) + length_field(2, value));
      const std::string message = first + attribute + varint_field(10, 7);
      const auto found = find_attribute(message, 9, key);
      REQUIRE(found);
      CHECK(found->value_message == value);
      CHECK(found->field == attribute);
      CHECK_FALSE(find_attribute(message, 1, key));
      for (std::size_t cut = 0; cut < attribute.size(); ++cut)
        CHECK_FALSE(find_attribute(first + attribute.substr(0, cut), 9, key));
    }
  }
}

TEST_CASE("keys are the same where all of their bytes are", "[span_view]") {
  for (std::size_t size = 0; size < 70; ++size) {
    const std::string key(size, 'k');
    CHECK(same_key(key, std::string(size, 'k')));
    CHECK_FALSE(same_key(key, key + 'k'));
    for (std::size_t at = 0; at < size; ++at) {
      std::string other = key;
      other[at] = 'x';
      CHECK_FALSE(same_key(key, other));
    }
  }
}

TEST_CASE("bytes of any number are written, and none beyond them", "[wire]") {
  for (std::size_t size = 0; size < 70; ++size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('0' + i);
    std::string out(80, '.');
    CHECK(wire::write_bytes(out.data(), text) == out.data() + size);
    CHECK(out == text + std::string(80 - size, '.'));
  }
}

TEST_CASE("a varint's size is that of what is written", "[wire]") {
  for (int bit = 0; bit < 64; ++bit) {
    for (const std::uint64_t value : {std::uint64_t{1} << bit, (std::uint64_t{1} << bit) - 1}) {
      std::array<char, 10> out;
      const char* const end = wire::write_varint(out.data(), value);
      CHECK(wire::varint_size(value) == static_cast<std::size_t>(end - out.data()));
    }
  }
  CHECK(wire::varint_size(UINT64_MAX) == 10);
}

}  // namespace
}  // namespace sluice
