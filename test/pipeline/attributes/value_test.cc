#include "pipeline/attributes/value.h"

#include <catch2/catch.hpp>
#include <limits>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_view.h"
#include "test/support/otlp_builder.h"

namespace sluice::test {
namespace {

std::string text(Value value) {
  const std::string attribute = key_value_message({"k", std::move(value)});
  return text_of(read_key_value({attribute, attribute}).value());
}

TEST_CASE("numbers are written as ECMAScript writes them", "[attributes]") {
  CHECK(text(0.0) == "0");
  CHECK(text(-0.5) == "-0.5");
  CHECK(text(100.0) == "100");
  CHECK(text(1e20) == "100000000000000000000");
  CHECK(text(1e21) == "1e+21");
  CHECK(text(0.000001) == "0.000001");
  CHECK(text(1e-7) == "1e-7");
  CHECK(text(1.5e-10) == "1.5e-10");
  CHECK(text(std::numeric_limits<double>::infinity()) == "Infinity");
  CHECK(text(-std::numeric_limits<double>::infinity()) == "-Infinity");
  CHECK(text(std::numeric_limits<double>::quiet_NaN()) == "NaN");
  CHECK(text(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(fixed_text_of(1e21) == "1000000000000000000000");
  CHECK(fixed_text_of(1e-7) == "0.0000001");
  CHECK(fixed_text_of(-std::numeric_limits<double>::infinity()) == "-Inf");
}

TEST_CASE("bytes are written in base64", "[attributes]") {
  CHECK(text(Bytes{""}) == "");
  CHECK(text(Bytes{"f"}) == "Zg==");
  CHECK(text(Bytes{"fo"}) == "Zm8=");
  CHECK(text(Bytes{"foo"}) == "Zm9v");
  CHECK(text(Bytes{"\xff\xfe\x00"
                   "a"}) == "//4=");
}

TEST_CASE("lists and maps are written as JSON with sorted keys, the last of a repeated one",
          "[attributes]") {
  CHECK(text(Array{}) == "[]");
  CHECK(text(KvList{}) == "{}");
  CHECK(text(Array{1, "a", true, 0.5, {}, Bytes{"f"}, Array{2}, Bytes{""}}) ==
        "[1,\"a\",true,0.5,null,\"Zg==\",[2],null]");
  CHECK(text(KvList{{"b", 1}, {"a", KvList{{"x", {}}}}, {"b", 2}}) ==
        "{\"a\":{\"x\":null},\"b\":2}");
  CHECK(text(Array{std::numeric_limits<double>::infinity()}) == "");
}

TEST_CASE("text inside of JSON is escaped, and repaired where it is no UTF-8", "[attributes]") {
  CHECK(text(Array{"\"\\\b\f\n\r\t\x01<&>ü"}) == "[\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001<&>ü\"]");
  CHECK(text(Array{"a\u2028b\u2029"}) == "[\"a\\u2028b\\u2029\"]");
  CHECK(text(Array{"\xff"}) == "[\"\uFFFD\"]");
}

TEST_CASE("a value nested without end is cut off", "[attributes]") {
  std::string message = "";
  for (int depth = 0; depth < 300; ++depth) {
    message = length_field(otlp::any_value::array_value, length_field(otlp::list::values, message));
  }
  CHECK(text_of(AnyValueView(message)).size() < 1000);
}

}  // namespace
}  // namespace sluice::test
