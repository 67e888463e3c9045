#include "pipeline/codec/otlp_json.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_view.h"
#include "test/support/otlp_builder.h"
#include "test/support/otlp_oracle.h"
#include "test/support/random_otlp.h"

namespace sluice::test {
namespace {

std::string to_proto(std::string_view json) {
  BufferWriter out;
  JsonReport report;
  INFO(json.substr(0, 400));
  const bool taken = otlp_json_to_proto(json, out, report);
  CHECK(report.error == "");
  REQUIRE(taken);
  return std::string(out.bytes());
}

std::string refusal(std::string_view json) {
  BufferWriter out;
  out.append("before");
  JsonReport report;
  INFO(json.substr(0, 400));
  CHECK_FALSE(otlp_json_to_proto(json, out, report));
  CHECK(out.bytes() == "before");
  return report.error;
}

std::string to_json(const SpanBatch& batch, std::uint64_t repaired = 0) {
  BufferWriter out;
  CHECK(otlp_json_append(batch, out) == repaired);
  return std::string(out.bytes());
}

const std::string trace_id = "5b8efff798038103d269b633813fc60c";
const std::string span_id = "eee19b7ec3c1b174";

std::string spans(const std::string& members) {
  return R"({"resourceSpans":[{"scopeSpans":[{"spans":[{)" + members + "}]}]}]}";
}

/// The message of the one span that has these members beside its ids.
std::string read_span(const std::string& members) {
  const std::string ids = R"("traceId":")" + trace_id + R"(","spanId":")" + span_id + R"(")";
  const SpanBatch batch = parse_batch(to_proto(spans(members.empty() ? ids : ids + "," + members)));
  REQUIRE(batch.span_count() == 1);
  return std::string(batch.span_bytes(0));
}

std::string refused_span(const std::string& members) { return refusal(spans(members)); }

/// The value of the one attribute that is written so in JSON.
std::string read_value(const std::string& json) {
  const std::string message = read_span(R"("attributes":[{"key":"k","value":)" + json + "}]");
  const auto attribute = SpanView(message).attribute("k");
  REQUIRE(attribute);
  return std::string(attribute->value_message);
}

double read_double(const std::string& json) {
  const std::string message = read_value(R"({"doubleValue":)" + json + "}");
  const AnyValueView value(message);
  REQUIRE(value.type() == AnyValueView::Type::real);
  return value.real();
}

/// The span with this attribute, written without white space and with it, and with something behind
/// it or not: the quick way and the usual one.
void check_written_alike(const std::string& key, const std::string& value) {
  const std::string quick = R"("attributes":[{"key":)" + key + R"(,"value":{)" + value + "}}]";
  const std::string usual = R"("attributes":[ {"key": )" + key + R"(, "value": {)" + value + "}}]";
  INFO(quick);
  CHECK(read_span(quick) == read_span(usual));
  const std::string name = R"(,"name":")" + std::string(80, 'n') + '"';
  CHECK(read_span(quick + name) == read_span(usual + name));
}

TEST_CASE("an attribute reads the same with and without white space", "[otlp_json]") {
  for (const std::size_t size : {0,   1,   15,  16,  17,  31,  32,  63,  64,  100, 112, 118,
                                 119, 120, 121, 122, 123, 124, 127, 128, 129, 200, 300}) {
    const std::string text = '"' + std::string(size, 'v') + '"';
    check_written_alike(R"("k")", R"("stringValue":)" + text);
    check_written_alike(text, R"("stringValue":"v")");
    check_written_alike(text, R"("intValue":"7")");
  }
  for (const char* number :
       {"0", "9", "127", "128", "16384", "999999999999999999", "1000000000000000000",
        "9223372036854775807", "-1", "-9223372036854775808", "1e3", "12.0"}) {
    check_written_alike(R"("k")", R"("intValue":")" + std::string(number) + '"');
    check_written_alike(R"("k")", R"("intValue":)" + std::string(number));
  }
  check_written_alike(R"("a\nb")", R"("stringValue":"c\u00e4\"d")");
  check_written_alike(R"("k")", R"("boolValue":true)");
  check_written_alike(R"("k")", R"("stringValue":"a","intValue":"1")");
  check_written_alike(R"("k")", R"("stringValue":null)");
}

TEST_CASE("integers that do not fit are refused without white space too", "[otlp_json]") {
  for (const char* number : {"", "1a", "9223372036854775808", "+1"}) {
    const std::string error =
        refused_span(R"("attributes":[{"key":"k","value":{"intValue":")" + std::string(number) +
                     R"("}}],"name":"a name that is long enough to stand behind it")");
    CHECK_THAT(error, Catch::Contains("expected a 64-bit integer"));
  }
}

// --- Random requests. ---

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  std::string request() {
    std::vector<ResourceSpec> resources(1 + below(3));
    for (ResourceSpec& spec : resources) {
      spec.service = text();
      spec.attributes = attributes(2);
      spec.schema_url = text();
      for (std::size_t i = below(4); i > 0; --i) spec.spans.push_back(span());
      if (below(2) == 0)
        spec.scopes.push_back({text(), text(), attributes(2), text(), {span(), span()}});
      if (spec.spans.empty() && spec.scopes.empty()) spec.spans.push_back(span());
    }
    return make_request(resources);
  }

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }

  std::string text() {
    static const std::vector<std::string> pieces = {"",
                                                    "a",
                                                    "\"",
                                                    "\\",
                                                    "\n",
                                                    "\x01",
                                                    "\x7f",
                                                    "é",
                                                    "\xf0\x9f\x98\x80",
                                                    "name",
                                                    "http.url",
                                                    "/ü/",
                                                    "\xe2\x80\xa8",
                                                    "0123456789abcdef",
                                                    std::string(300, 'x'),
                                                    std::string("\0", 1)};
    std::string result;
    for (std::size_t i = below(4); i > 0; --i) result += pieces[below(pieces.size())];
    return result;
  }

  Value value(int depth = 0) {
    static const double reals[] = {0.0,
                                   -0.0,
                                   1.0,
                                   0.1,
                                   -2.5e300,
                                   5e-324,
                                   1e22,
                                   std::numeric_limits<double>::max(),
                                   std::numeric_limits<double>::infinity(),
                                   -std::numeric_limits<double>::infinity()};
    switch (below(depth < 4 ? 8 : 6)) {
      case 0: return {};
      case 1: return below(2) == 0;
      case 2: return static_cast<std::int64_t>(random_() << below(64));
      case 3: return reals[below(std::size(reals))];
      case 4: return Bytes{text()};
      case 5: return text();
      case 6: {
        Array values;
        for (std::size_t i = below(4); i > 0; --i) values.push_back(value(depth + 1));
        return values;
      }
      default: {
        KvList entries;
        for (std::size_t i = below(3); i > 0; --i) entries.push_back({text(), value(depth + 1)});
        return entries;
      }
    }
  }

  Attributes attributes(std::size_t most) {
    Attributes result;
    for (std::size_t i = below(most + 1); i > 0; --i) result.push_back({text(), value()});
    return result;
  }

  SpanSpec span() {
    SpanSpec result;
    result.name = text();
    if (below(2) == 0) result.parent_span_id = make_id(random_(), 8);
    result.trace_state = text();
    result.kind = static_cast<int>(below(8));
    result.start = random_();
    result.end = random_();
    result.attributes = attributes(6);
    for (std::size_t i = below(3); i > 0; --i) {
      result.events.push_back(
          {text(), random_(), attributes(2), static_cast<std::uint32_t>(below(3))});
    }
    for (std::size_t i = below(3); i > 0; --i) {
      result.links.push_back({make_id(random_(), 16), make_id(random_(), 8), text(), attributes(2),
                              static_cast<std::uint32_t>(random_())});
    }
    result.status_code = static_cast<int>(below(4));
    result.status_message = text();
    result.flags = static_cast<std::uint32_t>(random_());
    if (below(3) == 0) {
      result.raw = varint_field(otlp::span::dropped_attributes_count, 1 + below(9)) +
                   varint_field(otlp::span::dropped_events_count, 0xffffffff) +
                   varint_field(otlp::span::dropped_links_count, 1 + below(9));
    }
    return result;
  }

  std::mt19937_64 random_;
};

}  // namespace

TEST_CASE("what is written as OTLP/JSON reads back as the same request", "[otlp_json]") {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    const std::string original = Generator(seed).request();
    const std::string json = to_json(parse_batch(original));
    INFO(json);
    const std::string read = to_proto(json);
    REQUIRE(oracle_spans(read, false) == oracle_spans(original, false));
    REQUIRE(to_json(parse_batch(read)) == json);
  }
}

TEST_CASE("spans as SDKs write them keep their count and their ids through OTLP/JSON",
          "[otlp_json]") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    RandomOtlp random(seed, {.wild = seed % 2 == 0});
    const SpanBatch batch = parse_batch(random.request());
    BufferWriter json;
    otlp_json_append(batch, json);
    const SpanBatch read = parse_batch(to_proto(json.bytes()));
    REQUIRE(read.span_count() == batch.span_count());
    for (std::uint32_t i = 0; i < read.span_count(); ++i) {
      const SpanView before(batch.span_bytes(i));
      const SpanView after(read.span_bytes(i));
      CHECK(after.trace_id() == before.trace_id());
      CHECK(after.span_id() == before.span_id());
      CHECK(after.parent_span_id() == before.parent_span_id());
      CHECK(after.start_time_unix_nano() == before.start_time_unix_nano());
      CHECK(after.flags() == before.flags());
      CHECK(after.status_code() == before.status_code());
    }
  }
}

TEST_CASE(
    "OTLP/JSON is written with hex ids, numbers for enums, strings for 64 bits, and no defaults",
    "[otlp_json]") {
  ResourceSpec spec{.service = "shop", .schema_url = "u", .scope = "lib"};
  SpanSpec one{
      .name = "pay \"now\"\n",
      .trace_id = std::string(16, '\xAB'),
      .span_id = std::string(8, '\x01'),
      .kind = 2,
      .start = 1'700'000'000'000'000'000,
      .end = 0,
      .attributes = {{"i", 7}, {"d", 2.0}, {"b", Bytes{std::string("\0\xff", 2)}}, {"e", Value()}},
      .status_code = 2,
      .flags = 257};
  SpanSpec two{.name = "",
               .trace_id = std::string(16, '\x02'),
               .span_id = std::string(8, '\x03'),
               .kind = 0,
               .start = 0,
               .end = 0};
  spec.spans = {one, two};
  CHECK(
      to_json(make_batch({spec})) ==
      R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},)"
      R"("schemaUrl":"u","scopeSpans":[{"scope":{"name":"lib"},"spans":[)"
      R"({"traceId":"abababababababababababababababab","spanId":"0101010101010101","flags":257,)"
      R"("name":"pay \"now\"\n","kind":2,"startTimeUnixNano":"1700000000000000000",)"
      R"("attributes":[{"key":"i","value":{"intValue":"7"}},{"key":"d","value":{"doubleValue":2}},)"
      R"({"key":"b","value":{"bytesValue":"AP8="}},{"key":"e","value":{}}],"status":{"code":2}},)"
      R"({"traceId":"02020202020202020202020202020202","spanId":"0303030303030303"}]}]}]})");
}

TEST_CASE("a batch without spans is an empty list", "[otlp_json]") {
  CHECK(to_json(SpanBatch()) == R"({"resourceSpans":[]})");
  CHECK(parse_batch(to_proto(R"({"resourceSpans":[]})")).span_count() == 0);
}

TEST_CASE("text that is not UTF-8 passes the reader and is repaired and counted by the writer",
          "[otlp_json]") {
  const std::string message = read_span("\"name\":\"a\xff\",\"traceState\":\"\xc3\"");
  CHECK(SpanView(message).name() == "a\xff");
  const SpanBatch batch =
      make_batch({{.spans = {{.name = "a\xff", .attributes = {{"k\xc3", "\xe2\x80"}}}}}});
  const std::string json = to_json(batch, 3);
  CHECK(json.find("\"name\":\"a\xEF\xBF\xBD\"") != std::string::npos);
  CHECK(json.find("\"key\":\"k\xEF\xBF\xBD\"") != std::string::npos);
}

TEST_CASE("every member is known in lowerCamelCase and in snake_case", "[otlp_json]") {
  const std::string camel =
      R"({"resourceSpans":[{"resource":{"attributes":[{"key":"k","value":{"stringValue":"v"}}],"droppedAttributesCount":1,)"
      R"("entityRefs":[{"schemaUrl":"a","type":"b","idKeys":["c","d"],"descriptionKeys":["e"]}]},"schemaUrl":"f",)"
      R"("scopeSpans":[{"scope":{"name":"g","version":"h","attributes":[{"key":"i","value":{"boolValue":true}}],)"
      R"("droppedAttributesCount":2},"schemaUrl":"j","spans":[{"traceId":"5b8efff798038103d269b633813fc60c",)"
      R"("spanId":"eee19b7ec3c1b174","traceState":"l","parentSpanId":"eee19b7ec3c1b173","name":"m","kind":3,)"
      R"("startTimeUnixNano":"4","endTimeUnixNano":"5","attributes":[{"key":"n","value":{"intValue":"6"}},)"
      R"({"key":"o","value":{"doubleValue":7.5}},{"key":"p","value":{"arrayValue":{"values":[{"bytesValue":"AAEC"}]}}},)"
      R"({"key":"q","value":{"kvlistValue":{"values":[{"key":"r","value":{}}]}}}],"droppedAttributesCount":8,)"
      R"("events":[{"timeUnixNano":"9","name":"s","attributes":[{"key":"t","value":{"boolValue":false}}],)"
      R"("droppedAttributesCount":10}],"droppedEventsCount":11,"links":[{"traceId":"5b8efff798038103d269b633813fc60d",)"
      R"("spanId":"eee19b7ec3c1b175","traceState":"u","attributes":[{"key":"w","value":{}}],"droppedAttributesCount":12,)"
      R"("flags":13}],"droppedLinksCount":14,"status":{"message":"x","code":1},"flags":15}]}]}]})";
  std::string snake;
  bool in_key = false;
  for (std::size_t i = 0; i < camel.size(); ++i) {
    const char c = camel[i];
    if (c == '"') in_key = !in_key;
    if (in_key && c >= 'A' && c <= 'Z' && camel[i - 1] >= 'a' && camel[i - 1] <= 'z') {
      snake += '_';
      snake += static_cast<char>(c + 32);
    } else {
      snake += c;
    }
  }
  CHECK(snake.find("start_time_unix_nano") != std::string::npos);
  const std::string proto = to_proto(camel);
  CHECK(to_proto(snake) == proto);
  // All of it is there: the writer knows the members by itself.
  const std::string written = to_json(parse_batch(proto));
  for (const std::string member : {"resourceSpans",
                                   "resource",
                                   "attributes",
                                   "droppedAttributesCount\":1",
                                   "entityRefs",
                                   "idKeys\":[\"c\",\"d\"]",
                                   "descriptionKeys\":[\"e\"]",
                                   "schemaUrl\":\"f\"",
                                   "scopeSpans",
                                   "version\":\"h\"",
                                   "droppedAttributesCount\":2",
                                   "schemaUrl\":\"j\"",
                                   "traceId",
                                   "parentSpanId",
                                   "traceState\":\"l\"",
                                   "kind\":3",
                                   "startTimeUnixNano\":\"4\"",
                                   "endTimeUnixNano\":\"5\"",
                                   "intValue\":\"6\"",
                                   "doubleValue\":7.5",
                                   "bytesValue\":\"AAEC\"",
                                   "kvlistValue",
                                   "droppedAttributesCount\":8",
                                   "timeUnixNano\":\"9\"",
                                   "droppedAttributesCount\":10",
                                   "droppedEventsCount\":11",
                                   "traceState\":\"u\"",
                                   "droppedAttributesCount\":12",
                                   "flags\":13",
                                   "droppedLinksCount\":14",
                                   "message\":\"x\"",
                                   "code\":1",
                                   "flags\":15",
                                   "boolValue\":true",
                                   "boolValue\":false"}) {
    CAPTURE(member);
    CHECK(written.find(member) != std::string::npos);
  }
}

TEST_CASE("ids are hexadecimal in either case, and one of the wrong length costs its span alone",
          "[otlp_json]") {
  const std::string message =
      read_span(R"("traceId":"5B8EfFF798038103d269B633813FC60C","parentSpanId":"")");
  CHECK(SpanView(message).trace_id() ==
        std::string_view("\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33\x81\x3f\xc6\x0c", 16));
  CHECK(SpanView(message).parent_span_id().empty());

  const std::string good = R"({"traceId":")" + trace_id + R"(","spanId":")" + span_id + R"("})";
  for (const std::string bad :
       {"", "5b8efff798038103d269b633813fc60", "5b8efff798038103d269b633813fc60c0",
        "5b8efff798038103d269b633813fc", "00000000000000000000000000000000", "5b"}) {
    CAPTURE(bad);
    const std::string proto =
        to_proto(R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":")" + bad +
                 R"(","spanId":")" + span_id + R"("},)" + good + "]}]}]}");
    ParseReport report;
    const auto batch = SpanBatch::parse(Buffer::copy_of(proto), report);
    REQUIRE(batch);
    CHECK(batch->span_count() == 1);
    CHECK(report.spans_invalid_id == 1);
  }
}

TEST_CASE("ids in base64 are refused with their place", "[otlp_json]") {
  CHECK(
      refused_span(R"("traceId":"W47/95gDgQPSabYzgT/GDA==")") ==
      R"(at byte 54: expected hexadecimal digits near "traceId", found "W47/95gDgQPSabYzgT/GDA=)");
}

TEST_CASE("integers come as numbers or strings, also where they are whole in another form",
          "[otlp_json]") {
  const auto start = [](const std::string& json) {
    const std::string message = read_span(R"("startTimeUnixNano":)" + json);
    return SpanView(message).start_time_unix_nano();
  };
  CHECK(start("1544712660000000000") == 1544712660000000000);
  CHECK(start("\"1544712660000000000\"") == 1544712660000000000);
  CHECK(start("\"18446744073709551615\"") == 18446744073709551615u);
  CHECK(start("18446744073709551615") == 18446744073709551615u);
  CHECK(start("0") == 0);
  CHECK(start("12345678") == 12345678);
  CHECK(start("123456789") == 123456789);
  CHECK(start("9999999999999999999") == 9999999999999999999u);
  CHECK(start("1e3") == 1000);
  CHECK(start("\"25.0\"") == 25);
  CHECK(start(" 5 ") == 5);

  const auto integer = [](const std::string& json) {
    const std::string message = read_value(R"({"intValue":)" + json + "}");
    return AnyValueView(message).integer();
  };
  CHECK(integer("\"-9223372036854775808\"") == std::numeric_limits<std::int64_t>::min());
  CHECK(integer("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
  CHECK(integer("-1") == -1);
  CHECK(integer("-0") == 0);
}

TEST_CASE("an integer out of its range, or not one, is refused", "[otlp_json]") {
  for (const std::string member : {R"("startTimeUnixNano":18446744073709551616)",
                                   R"("startTimeUnixNano":-1)",
                                   R"("startTimeUnixNano":1.5)",
                                   R"("startTimeUnixNano":"")",
                                   R"("startTimeUnixNano":"12a")",
                                   R"("startTimeUnixNano":"0x1")",
                                   R"("startTimeUnixNano":01)",
                                   R"("startTimeUnixNano":1e300)",
                                   R"("startTimeUnixNano":true)",
                                   R"("startTimeUnixNano":[1])",
                                   R"("startTimeUnixNano":"1)",
                                   R"("flags":4294967296)",
                                   R"("flags":-1)",
                                   R"("droppedLinksCount":4294967296)",
                                   R"("kind":2147483648)",
                                   R"("kind":"INTERNAL")",
                                   R"("kind":"SPAN_KIND_OTHER")",
                                   R"("status":{"code":"OK"})",
                                   R"("attributes":[{"value":{"intValue":"9223372036854775808"}}])",
                                   R"("attributes":[{"value":{"intValue":1e19}}])"}) {
    CHECK(refused_span(member) != "");
  }
  CHECK(refused_span(R"("flags":4294967296)") ==
        R"(at byte 52: expected an unsigned 32-bit integer near "flags", found 4294967296}]}]}]})");
}

TEST_CASE("enums come as numbers or names, unknown numbers are kept", "[otlp_json]") {
  const auto kind = [](const std::string& json) {
    const std::string message = read_span(R"("kind":)" + json);
    return static_cast<int>(SpanView(message).kind());
  };
  CHECK(kind("2") == 2);
  CHECK(kind("\"2\"") == 2);
  CHECK(kind("\"SPAN_KIND_CONSUMER\"") == 5);
  CHECK(kind("\"SPAN_KIND_UNSPECIFIED\"") == 0);
  CHECK(kind("99") == 99);
  CHECK(kind("-1") == -1);
  const std::string message = read_span(R"("status":{"code":"STATUS_CODE_ERROR","message":"m"})");
  CHECK(SpanView(message).status_code() == StatusCode::error);
}

TEST_CASE("doubles come as numbers, numbers in strings, and by the names of what is no number",
          "[otlp_json]") {
  CHECK(read_double("1.5") == 1.5);
  CHECK(read_double("-0.0") == 0.0);
  CHECK(std::signbit(read_double("-0")));
  CHECK(read_double("\"2.5e3\"") == 2500);
  CHECK(read_double("7") == 7);
  CHECK(std::isnan(read_double("\"NaN\"")));
  CHECK(read_double("\"Infinity\"") == std::numeric_limits<double>::infinity());
  CHECK(read_double("\"-Infinity\"") == -std::numeric_limits<double>::infinity());
  CHECK(read_double("1e-400") == 0);
  CHECK(read_double("5e-324") == 5e-324);
  for (const std::string bad :
       {"1e400", "\"nan\"", "\"inf\"", "\"\"", "\"0x10\"", "NaN", ".5", "1.", "+1", "1e", "-"}) {
    CHECK(refused_span(R"("attributes":[{"value":{"doubleValue":)" + bad + "}}]") != "");
  }
}

TEST_CASE("bytes come in either alphabet of base64, padded or not", "[otlp_json]") {
  const auto bytes = [](const std::string& text) {
    const std::string message = read_value(R"({"bytesValue":")" + text + "\"}");
    CHECK(AnyValueView(message).type() == AnyValueView::Type::bytes);
    return std::string(AnyValueView(message).string());
  };
  CHECK(bytes("") == "");
  CHECK(bytes("AP/+") == std::string("\0\xff\xfe", 3));
  CHECK(bytes("AP_-") == std::string("\0\xff\xfe", 3));
  CHECK(bytes("AP\\/+") == std::string("\0\xff\xfe", 3));
  CHECK(bytes("YQ==") == "a");
  CHECK(bytes("YQ") == "a");
  CHECK(bytes("YWI=") == "ab");
  const std::string large(100'000, 'A');
  CHECK(bytes(large) == std::string(75'000, '\0'));
  for (const std::string bad : {"A", "A===", "A*==", "YQ=a"}) {
    CHECK(refused_span(R"("attributes":[{"value":{"bytesValue":")" + bad + "\"}}]") != "");
  }
}

TEST_CASE("escapes are undone, half a surrogate pair is the replacement character", "[otlp_json]") {
  const auto name = [](const std::string& text) {
    const std::string message = read_span(R"("name":")" + text + "\"");
    return std::string(SpanView(message).name());
  };
  CHECK(name(R"(\"\\\/\b\f\n\r\t)") == "\"\\/\b\f\n\r\t");
  CHECK(name(R"(\u0041\u00e9\u20AC\ud83d\ude00)") == "Aé€\xf0\x9f\x98\x80");
  CHECK(name(R"(\ud800)") == "\xEF\xBF\xBD");
  CHECK(name(R"(\ud800\u0041)") ==
        "\xEF\xBF\xBD"
        "A");
  CHECK(name(R"(\udc00x)") == "\xEF\xBF\xBDx");
  CHECK(name(R"(\ud800\ud800\udc00)") == "\xEF\xBF\xBD\xf0\x90\x80\x80");
  CHECK(name(R"(a\u0000b)") == std::string("a\0b", 3));
  for (std::size_t before = 0; before < 40; ++before) {
    CHECK(name(std::string(before, 'x') + "\\n" + std::string(50 - before, 'y')) ==
          std::string(before, 'x') + "\n" + std::string(50 - before, 'y'));
  }
  for (const std::string bad : {R"(\x)", R"(\u12)", R"(\u12g4)", "a\nb", "\\", R"(\u)"}) {
    CHECK(refused_span(R"("name":")" + bad + "\"") != "");
  }
}

TEST_CASE("a message longer than its length had room for is moved", "[otlp_json]") {
  for (const std::size_t size : {100u, 127u, 128u, 300u, 16'383u, 16'384u, 70'000u, 2'100'000u}) {
    const std::string text(size, 'z');
    CHECK(read_value(R"({"stringValue":")" + text + "\"}") ==
          length_field(otlp::any_value::string_value, text));
  }
}

TEST_CASE("null stands for an absent member and for an empty element", "[otlp_json]") {
  const std::string message =
      read_span(R"("name":null,"kind":null,"status":null,"attributes":null,"events":[null])");
  CHECK(SpanView(message).name().empty());
  CHECK_FALSE(SpanView(message).has_status());
  CHECK(SpanView(message).events().next());
  CHECK(read_value("{\"stringValue\":null}").empty());
  CHECK(read_value(R"({"arrayValue":{"values":[null,{"intValue":1}]}})") ==
        length_field(5, length_field(1, "") + length_field(1, varint_field(3, 1))));
  const std::string attribute = read_span(R"("attributes":[{"key":"k","value":null}])");
  CHECK_FALSE(SpanView(attribute).attribute("k")->has_value);
}

TEST_CASE("of a member that is there twice the last counts, lists go on", "[otlp_json]") {
  const std::string message = read_span(
      R"("name":"a","name":"b","attributes":[{"key":"x","value":{}}],"attributes":[{"key":"y","value":{}}])");
  CHECK(SpanView(message).name() == "b");
  CHECK(SpanView(message).attribute("x"));
  CHECK(SpanView(message).attribute("y"));
  const std::string two = read_value(R"({"stringValue":"a","intValue":"3"})");
  CHECK(AnyValueView(two).type() == AnyValueView::Type::integer);
}

TEST_CASE("members of any name and type that OTLP does not know are stepped over", "[otlp_json]") {
  const std::string message = read_span(
      R"("what":{"a":[1,-2.5e+3,true,false,null,"\u0041\"",{}],"b":{}},"nam":1,"kinds":[],"spanIdX":"","":0,)"
      R"("\u006eame":"escaped key","a key that is longer than every key of the protocol":1)");
  CHECK(SpanView(message).name() == "escaped key");
  CHECK(to_proto(R"({"other":1})").empty());
}

TEST_CASE("text that is not JSON is refused with what was expected and where", "[otlp_json]") {
  CHECK(refusal("") == "at byte 0: expected an object, found the end");
  CHECK(refusal("[]") == "at byte 0: expected an object, found []");
  CHECK(refusal("{} x") == "at byte 3: text behind the end of the object");
  CHECK(refusal("\xef\xbb\xbf{}") == "at byte 0: expected an object, found ???{}");
  CHECK(refusal(R"({"a" 1})") == R"(at byte 5: expected ':' near "a", found 1})");
  CHECK(refusal(R"({"a":1 "b":2})") == R"(at byte 7: expected ',' or '}' near "a", found "b":2})");
  CHECK(refusal(R"({"resourceSpans":{}})") ==
        R"(at byte 17: expected an array near "resourceSpans", found {}})");
  for (const std::string bad : {"{",
                                "{\"a\"",
                                "{\"a\":",
                                "{\"a\":1",
                                "{\"a\":1,",
                                "{\"a\":1,}",
                                "{,}",
                                "{a:1}",
                                "{\"a\":[1,]}",
                                "{\"a\":[,1]}",
                                "{\"a\":[1 2]}",
                                "{\"a\":tru}",
                                "{\"a\":nul}",
                                "{\"a\":01}",
                                "{\"a\":1.}",
                                "{\"a\":--1}",
                                "{\"a\":\"x}",
                                "{\"a\":'x'}",
                                "{\"a\":1}}",
                                "{\"a\":[}",
                                "{\"a\":{]}",
                                "nul",
                                "\"\"",
                                "{\"a\":\"\t\"}",
                                "{\"a\\x\":1}"}) {
    CHECK(refusal(bad) != "");
  }
}

TEST_CASE("a text cut off anywhere is refused", "[otlp_json]") {
  const std::string json = to_json(parse_batch(Generator(7).request()));
  for (std::size_t size = 0; size < json.size(); ++size) {
    // Exactly as many bytes, so that a sanitizer sees a read past the end.
    const std::vector<char> cut(json.begin(), json.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK(refusal({cut.data(), cut.size()}) != "");
  }
}

TEST_CASE("depth is limited to 64 in what is read and in what is stepped over", "[otlp_json]") {
  const auto lists = [](std::size_t depth) {
    return R"({"x":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  CHECK(to_proto(lists(63)).empty());
  CHECK(refusal(lists(64)) == "at byte 68: nested deeper than 64");
  CHECK(refusal(lists(1'000'000)) == "at byte 68: nested deeper than 64");
  std::string value = "{}";
  for (int i = 0; i < 30; ++i) value = R"({"arrayValue":{"values":[)" + value + "]}}";
  CHECK(refused_span(R"("attributes":[{"value":)" + value + "}]").find("nested deeper than 64") !=
        std::string::npos);
}

TEST_CASE("what reading takes is bounded by the text", "[otlp_json]") {
  std::string many_kinds = R"("kind":-1)";
  for (int i = 0; i < 20'000; ++i) many_kinds += R"(,"kind":-1)";
  std::string many_elements = R"("events":[null)";
  for (int i = 0; i < 20'000; ++i) many_elements += ",{}";
  for (const std::string& json : {spans(many_kinds), spans(many_elements + "]")}) {
    BufferWriter out;
    JsonReport report;
    REQUIRE(otlp_json_to_proto(json, out, report));
    CHECK(out.size() <= json.size() + json.size() / 8);
    CHECK(out.capacity() <= json.size() + json.size() / 4 + 1024);
  }
}

}  // namespace sluice::test
