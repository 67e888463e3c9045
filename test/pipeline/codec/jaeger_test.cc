// Every row of the translation, from all three encodings; generated batches against a naive
// translation over libthrift's and libprotobuf's objects.
#include "pipeline/codec/jaeger/jaeger.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "test/support/jaeger_model.h"
#include "test/support/otlp_builder.h"

namespace sluice::test {
namespace {

namespace model = jaeger_model;
using jaeger::Report;
using model::boolean;
using model::integer;
using model::text;
using Lines = std::vector<std::string>;

enum class Encoding { binary, compact, proto };
constexpr Encoding encodings[] = {Encoding::binary, Encoding::compact, Encoding::proto};

bool translate(Encoding encoding, std::string_view bytes, SpanWriter& out, Report& report) {
  if (encoding == Encoding::proto)
    return jaeger::translate_post_spans(bytes, Allowance::Input::kept, out, report);
  if (encoding == Encoding::binary) {
    thrift::BinaryReader reader(bytes);
    return jaeger::translate_batch(reader, out, report);
  }
  thrift::CompactReader reader(bytes);
  return jaeger::translate_batch(reader, out, report);
}

std::string encoded(Encoding encoding, const model::Batch& batch) {
  switch (encoding) {
    case Encoding::binary: return model::thrift_binary(batch);
    case Encoding::compact: return model::thrift_compact(batch);
    default: return model::proto(batch);
  }
}

struct Result {
  std::string otlp;
  Report report;
};

Result translated(Encoding encoding, const std::string& bytes) {
  Result result;
  SpanWriter out(16);
  const bool taken = translate(encoding, bytes, out, result.report);
  REQUIRE(taken == result.report.error.empty());
  result.otlp = out.out().bytes();
  return result;
}

/// The one span of a batch as libprotobuf shows it, the same from all encodings.
std::string span_line(const model::Batch& batch) {
  std::string line;
  for (const Encoding encoding : encodings) {
    const Result result = translated(encoding, encoded(encoding, batch));
    REQUIRE(result.report.error == "");
    const Lines lines = model::lines_of(result.otlp);
    REQUIRE(lines.size() == 1);
    if (line.empty()) line = lines.front();
    REQUIRE(lines.front() == line);
  }
  return line;
}

std::string line_with_tags(std::vector<model::Tag> tags) {
  model::Batch batch;
  batch.spans[0].tags = std::move(tags);
  return span_line(batch);
}

std::string line_with_process(model::Process process) {
  model::Batch batch;
  batch.process = std::move(process);
  return span_line(batch);
}

bool has(const std::string& line, const std::string& part) {
  return line.find(part) != std::string::npos;
}
std::string attribute(const std::string& key, const std::string& value) {
  return "attributes { key: \"" + key + "\" value { " + value + " } }";
}
bool has_status(const std::string& line) { return has(line, "status {"); }

}  // namespace

TEST_CASE("the process is the resource", "[jaeger]") {
  const std::string named = line_with_process({"shop", {text("zone", "eu"), integer("pid", 7)}});
  CHECK(named.starts_with(attribute("service.name", "string_value: \"shop\"") + ' ' +
                          attribute("zone", "string_value: \"eu\"") + ' ' +
                          attribute("pid", "int_value: 7") + '|'));
  CHECK(line_with_process({"", {text("zone", "eu")}})
            .starts_with(attribute("zone", "string_value: \"eu\"") + '|'));
  CHECK(line_with_process({"", {}}).starts_with("|"));
  CHECK(line_with_process({"OTLPResourceNoServiceName", {text("zone", "eu")}}).starts_with("|"));
}

TEST_CASE("a process that has its name among its tags too is named once, by the tag", "[jaeger]") {
  CHECK(line_with_process({"shop", {text("zone", "eu"), text("service.name", "shop 2")}})
            .starts_with(attribute("zone", "string_value: \"eu\"") + ' ' +
                         attribute("service.name", "string_value: \"shop 2\"") + '|'));
}

TEST_CASE("hostname and jaeger.version have OpenTelemetry's names unless those are there",
          "[jaeger]") {
  const std::string renamed =
      line_with_process({"s", {text("hostname", "h"), text("jaeger.version", "Go-2.30")}});
  CHECK(has(renamed, attribute("host.name", "string_value: \"h\"")));
  CHECK(has(renamed, attribute("opencensus.exporterversion", "string_value: \"Jaeger-Go-2.30\"")));
  CHECK_FALSE(has(renamed, "\"hostname\""));
  CHECK_FALSE(has(renamed, "\"jaeger.version\""));
  const std::string kept =
      line_with_process({"s",
                         {text("hostname", "h"), text("host.name", "n"),
                          text("jaeger.version", "1"), text("opencensus.exporterversion", "2")}});
  CHECK(has(kept, attribute("hostname", "string_value: \"h\"")));
  CHECK(has(kept, attribute("host.name", "string_value: \"n\"")));
  CHECK(has(kept, attribute("jaeger.version", "string_value: \"1\"")));
  CHECK(has(kept, attribute("opencensus.exporterversion", "string_value: \"2\"")));
}

TEST_CASE("a span's own process wins over its batch's, and spans stand by process", "[jaeger]") {
  model::Batch batch;
  batch.spans.assign(4, {});
  for (std::uint64_t i = 0; i < 4; ++i) batch.spans[i].id = i + 1;
  batch.spans[1].process = model::Process{"other", {}};
  batch.spans[3].process = model::Process{"other", {}};
  const Result result = translated(Encoding::proto, model::proto(batch));
  CHECK(model::lines_of(result.otlp) == model::naive(batch, true));
  const SpanBatch parsed = parse_batch(result.otlp);
  CHECK(parsed.resources().size() == 2);
  CHECK(parsed.span_count() == 4);
}

TEST_CASE("ids are big-endian, the trace's high half first", "[jaeger]") {
  model::Batch batch;
  batch.spans[0].parent = 0x3132333435363738;
  const std::string line = span_line(batch);
  CHECK(
      has(line, R"(trace_id: "\001\002\003\004\005\006\007\010\021\022\023\024\025\026\027\030")"));
  CHECK(has(line, R"(span_id: "!\"#$%&\'(" parent_span_id: "12345678" name: "pay")"));
  batch.spans[0].high = 0;
  CHECK(has(span_line(batch), R"(trace_id: "\000\000\000\000\000\000\000\000\021\022)"));
}

TEST_CASE("in protobuf a trace id may have eight bytes", "[jaeger]") {
  const std::string span = length_field(1, "ABCDEFGH") + length_field(2, "12345678");
  const std::string request = length_field(1, length_field(1, span));
  const Result result = translated(Encoding::proto, request);
  REQUIRE(result.report.spans == 1);
  CHECK(has(model::lines_of(result.otlp)[0],
            R"(trace_id: "\000\000\000\000\000\000\000\000ABCDEFGH")"));
}

TEST_CASE("without a parent the first reference within the trace is it, CHILD_OF first",
          "[jaeger]") {
  model::Batch batch;
  model::Span& span = batch.spans[0];
  const model::Ref elsewhere{9, 9, 0x4141414141414141, false};
  const model::Ref follows{span.high, span.low, 0x4242424242424242, true};
  const model::Ref child{span.high, span.low, 0x4343434343434343, false};
  span.refs = {elsewhere, follows, child};
  std::string line = span_line(batch);
  CHECK(has(line, "parent_span_id: \"CCCCCCCC\""));
  CHECK(has(line, "span_id: \"AAAAAAAA\" " +
                      attribute("opentracing.ref_type", "string_value: \"child_of\"")));
  CHECK(has(line, "span_id: \"BBBBBBBB\" " +
                      attribute("opentracing.ref_type", "string_value: \"follows_from\"")));
  CHECK_FALSE(has(line,
                  "links { trace_id: "
                  "\"\\001\\002\\003\\004\\005\\006\\007\\010\\021\\022\\023\\024\\025\\026\\027\\0"
                  "30\" span_id: \"CCCCCCCC\""));
  span.refs = {elsewhere, follows};
  line = span_line(batch);
  CHECK(has(line, "parent_span_id: \"BBBBBBBB\""));
  CHECK(has(line, "span_id: \"BBBBBBBB\" " +
                      attribute("opentracing.ref_type", "string_value: \"follows_from\"")));
  span.refs = {elsewhere};
  CHECK_FALSE(has(span_line(batch), "parent_span_id"));
}

TEST_CASE("the reference to the parent is no link", "[jaeger]") {
  model::Batch batch;
  model::Span& span = batch.spans[0];
  span.parent = 0x4343434343434343;
  span.refs = {{span.high, span.low, span.parent, false}};
  CHECK_FALSE(has(span_line(batch), "links"));
  span.refs.push_back({span.high, span.low, 0x4444444444444444, false});
  CHECK(has(span_line(batch), "span_id: \"DDDDDDDD\""));
  span.refs = {{0, 0, 5, false}, {1, 1, 0, true}};  // these point nowhere
  CHECK_FALSE(has(span_line(batch), "links"));
}

TEST_CASE("microseconds become nanoseconds, a duration an end", "[jaeger]") {
  const std::string line = span_line({});
  CHECK(has(line, "start_time_unix_nano: 1700000000000000000"));
  CHECK(has(line, "end_time_unix_nano: 1700000000001500000"));
}

TEST_CASE("times that OTLP cannot say become the nearest ones, and are counted", "[jaeger]") {
  model::Batch batch;
  batch.spans[0].start_us = -5;
  batch.spans[0].duration_us = -7;
  CHECK_FALSE(has(span_line(batch), "_time_unix_nano: 1"));
  CHECK(has(span_line(batch), "end_time_unix_nano: 0") == false);
  batch.spans[0].start_us = INT64_MAX / 1000;
  batch.spans[0].duration_us = INT64_MAX;
  for (const Encoding encoding : {Encoding::binary, Encoding::compact}) {
    const Result result = translated(encoding, encoded(encoding, batch));
    CHECK(has(model::lines_of(result.otlp)[0], "end_time_unix_nano: 18446744073709551615"));
    CHECK(result.report.times_clamped == 1);
  }
}

TEST_CASE("in protobuf times have nanoseconds", "[jaeger]") {
  const std::string span =
      length_field(1, "ABCDEFGH") + length_field(2, "12345678") +
      length_field(6, varint_field(1, 1700000000) + varint_field(2, 123456789)) +
      length_field(7, varint_field(2, 5));
  const Result result = translated(Encoding::proto, length_field(1, length_field(1, span)));
  const std::string line = model::lines_of(result.otlp)[0];
  CHECK(has(line, "start_time_unix_nano: 1700000000123456789"));
  CHECK(has(line, "end_time_unix_nano: 1700000000123456794"));
}

TEST_CASE("span.kind is the kind and no attribute", "[jaeger]") {
  const std::vector<std::string> kinds = {"internal", "server", "client", "producer", "consumer"};
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const std::string line = line_with_tags({text("span.kind", kinds[i])});
    CHECK(has(line, "kind: " + std::to_string(i + 1)));
    CHECK_FALSE(has(line, "attributes { key: \"span.kind\""));
  }
  CHECK_FALSE(has(line_with_tags({text("span.kind", "robot")}), "kind"));
  CHECK_FALSE(has(line_with_tags({}), "kind"));
}

TEST_CASE("error true is a status and no attribute", "[jaeger]") {
  const std::string line = line_with_tags({boolean("error", true)});
  CHECK(has(line, "status { code: 2 }"));
  CHECK_FALSE(has(line, "\"error\""));
  const std::string described =
      line_with_tags({boolean("error", true), text("otel.status_description", "no"),
                      text("http.status_message", "Bad")});
  CHECK(has(described, "status { message: \"no\" code: 2 }"));
  CHECK_FALSE(has(described, "otel.status_description"));
  CHECK(has(described, attribute("http.status_message", "string_value: \"Bad\"")));
  CHECK(has(line_with_tags({text("http.status_message", "Bad"), boolean("error", true)}),
            "status { message: \"Bad\" code: 2 }"));
}

TEST_CASE("error false or in words stays an attribute and says nothing of the status", "[jaeger]") {
  const std::string no = line_with_tags({boolean("error", false)});
  CHECK(has(no, attribute("error", "bool_value: false")));
  CHECK_FALSE(has_status(no));
  const std::string words = line_with_tags({text("error", "true")});
  CHECK(has(words, attribute("error", "string_value: \"true\"")));
  CHECK_FALSE(has_status(words));
}

TEST_CASE("otel.status_code counts unless error is true, and goes either way", "[jaeger]") {
  CHECK(has(line_with_tags({text("otel.status_code", "OK")}), "status { code: 1 }"));
  CHECK(has(
      line_with_tags({text("otel.status_code", "error"), text("otel.status_description", "why")}),
      "status { message: \"why\" code: 2 }"));
  const std::string both = line_with_tags({text("otel.status_code", "Ok"), boolean("error", true)});
  CHECK(has(both, "status { code: 2 }"));
  CHECK_FALSE(has(both, "otel.status_code"));
  const std::string odd = line_with_tags({text("otel.status_code", "maybe")});
  CHECK_FALSE(has_status(odd));
  CHECK_FALSE(has(odd, "otel.status_code"));
  CHECK_FALSE(has_status(
      line_with_tags({text("otel.status_code", "UNSET"), integer("http.status_code", 500)})));
}

TEST_CASE("without either the HTTP status decides, by kind", "[jaeger]") {
  const auto failed = [](const model::Tag& code, const char* kind) {
    return has(line_with_tags({code, text("span.kind", kind)}), "code: 2");
  };
  for (const char* key : {"http.status_code", "http.response.status_code"}) {
    CHECK_FALSE(failed(integer(key, 100), "client"));
    CHECK_FALSE(failed(integer(key, 399), "client"));
    CHECK(failed(integer(key, 404), "client"));
    CHECK_FALSE(failed(integer(key, 404), "server"));
    CHECK(failed(integer(key, 404), "internal"));
    CHECK(failed(integer(key, 500), "server"));
    CHECK(failed(integer(key, 99), "server"));
    CHECK(failed(text(key, "503"), "server"));
    CHECK_FALSE(failed(text(key, "teapot"), "client"));
    CHECK(has(line_with_tags({integer(key, 200)}), attribute(key, "int_value: 200")));
  }
  CHECK(has(line_with_tags({integer("http.status_code", 500), text("http.status_message", "Oh")}),
            "status { message: \"Oh\" code: 2 }"));
}

TEST_CASE("a description without a status stays an attribute", "[jaeger]") {
  const std::string line = line_with_tags({text("otel.status_description", "lonely")});
  CHECK(has(line, attribute("otel.status_description", "string_value: \"lonely\"")));
  CHECK_FALSE(has_status(line));
}

TEST_CASE("w3c.tracestate is the trace state and no attribute", "[jaeger]") {
  const std::string line = line_with_tags({text("w3c.tracestate", "a=1,b=2")});
  CHECK(has(line, "trace_state: \"a=1,b=2\""));
  CHECK_FALSE(has(line, "w3c.tracestate"));
}

TEST_CASE("scope tags are the scope, older names too, and spans stand by scope", "[jaeger]") {
  CHECK(has(line_with_tags({text("otel.scope.name", "net"), text("otel.scope.version", "1.2")}),
            "|name: \"net\" version: \"1.2\"|"));
  CHECK(has(line_with_tags({text("otel.library.name", "old"), text("otel.library.version", "0")}),
            "|name: \"old\" version: \"0\"|"));
  model::Batch batch;
  for (std::uint64_t i = 1; i <= 9; ++i) {
    model::Span span;
    span.id = i;
    if (i % 3 > 0) span.tags = {text("otel.scope.name", i % 3 == 1 ? "net" : "disk")};
    batch.spans.push_back(span);
  }
  for (const Encoding encoding : encodings) {
    const Result result = translated(encoding, encoded(encoding, batch));
    CHECK(model::lines_of(result.otlp) == model::naive(batch, encoding == Encoding::proto));
    CHECK(parse_batch(result.otlp).scopes().size() == 3);
    CHECK(parse_batch(result.otlp).resources().size() == 1);
    CHECK(result.report.spans == 10);
  }
}

TEST_CASE("tags of every type keep it", "[jaeger]") {
  const std::string line = line_with_tags({text("a", "x"), boolean("b", true), integer("c", -7),
                                           model::real("d", 0.5), model::binary("e", "\x01\xFF")});
  CHECK(has(line, attribute("a", "string_value: \"x\"")));
  CHECK(has(line, attribute("b", "bool_value: true")));
  CHECK(has(line, attribute("c", "int_value: -7")));
  CHECK(has(line, attribute("d", "double_value: 0.5")));
  CHECK(has(line, attribute("e", R"(bytes_value: "\001\377")")));
  model::Tag odd = text("f", "x");
  odd.type_number = 9;
  CHECK(has(line_with_tags({odd}), attribute("f", "string_value: \"unknown Jaeger tag type 9\"")));
}

TEST_CASE("a log is an event, its field event the name", "[jaeger]") {
  model::Batch batch;
  batch.spans[0].logs = {
      {1'700'000'000'000'001, {text("level", "info"), text("event", "retry"), integer("n", 2)}},
      {1'700'000'000'000'002, {integer("event", 5)}}};
  const std::string line = span_line(batch);
  CHECK(has(line, "events { time_unix_nano: 1700000000000001000 name: \"retry\" " +
                      attribute("level", "string_value: \"info\"") + ' ' +
                      attribute("n", "int_value: 2") + " }"));
  CHECK(has(line, "events { time_unix_nano: 1700000000000002000 " +
                      attribute("event", "int_value: 5") + " }"));
}

TEST_CASE("the sampled flag is kept", "[jaeger]") {
  model::Batch batch;
  batch.spans[0].flags = 3;
  CHECK(has(span_line(batch), "flags: 1"));
  batch.spans[0].flags = 2;
  CHECK_FALSE(has(span_line(batch), "flags"));
}

TEST_CASE("spans without ids are left out, counted and named; blank ones are stepped over",
          "[jaeger]") {
  model::Batch batch;
  batch.spans.assign(3, {});
  batch.spans[0].id = 0;
  batch.spans[0].name = "lost";
  batch.spans[2].high = batch.spans[2].low = 0;
  batch.spans.push_back(
      {.high = 0, .low = 0, .id = 0, .name = "", .flags = 0, .start_us = 0, .duration_us = 0});
  for (const Encoding encoding : encodings) {
    const Result result = translated(encoding, encoded(encoding, batch));
    CHECK(result.report.spans == 1);
    CHECK(result.report.spans_invalid_id == 2);
    CHECK(result.report.invalid_span == "lost");
    CHECK(result.report.invalid_service == "shop");
    CHECK(model::lines_of(result.otlp).size() == 1);
  }
  const std::string odd =
      length_field(1, length_field(1, length_field(1, "123") + length_field(2, "12345678")));
  CHECK(translated(Encoding::proto, odd).report.spans_invalid_id == 1);
}

TEST_CASE("spans may come before their process", "[jaeger]") {
  const model::Batch batch;
  const std::string usual = model::thrift_binary(batch);
  // The process is a struct in field 1, the spans are a list in field 2, a stop byte ends both.
  const std::size_t spans = usual.find(std::string("\x0F\x00\x02", 3));
  REQUIRE(spans != std::string::npos);
  const std::string turned =
      usual.substr(spans, usual.size() - spans - 1) + usual.substr(0, spans) + '\0';
  const Result result = translated(Encoding::binary, turned);
  CHECK(result.otlp == translated(Encoding::binary, usual).otlp);
}

TEST_CASE("a batch needs a process and spans; a tail that belongs to it is read", "[jaeger]") {
  const std::string nothing(1, '\0');
  CHECK(translated(Encoding::binary, nothing).report.error ==
        "a batch without a process at byte 1");
  CHECK(translated(Encoding::compact, std::string("\x1C\x00\x00", 3)).report.error ==
        "a batch without spans at byte 3");
  model::Batch none;
  none.spans.clear();
  for (const Encoding encoding : encodings) {
    const Result result = translated(encoding, encoded(encoding, none));
    CHECK(result.report.error == "");
    CHECK(result.otlp == "");
  }
}

namespace {

class Random {
 public:
  explicit Random(std::uint32_t seed) : random_(seed) {}
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_()) % bound; }
  std::uint64_t number() { return std::uint64_t{below(UINT32_MAX)} << 32 | below(UINT32_MAX); }
  std::string word() {
    return std::string(below(below(10) == 0 ? 200 : 12), static_cast<char>('a' + below(26)));
  }

  model::Tag tag() {
    static const std::vector<std::string> keys = {"a",
                                                  "http.url",
                                                  "error",
                                                  "span.kind",
                                                  "event",
                                                  "w3c.tracestate",
                                                  "otel.scope.name",
                                                  "otel.scope.version",
                                                  "hostname",
                                                  "service.name",
                                                  "http.status_code",
                                                  "host.name",
                                                  "otel.status_code",
                                                  "jaeger.version",
                                                  "http.status_message",
                                                  "otel.status_description",
                                                  "otel.library.name",
                                                  "http.response.status_code",
                                                  "opencensus.exporterversion"};
    static const std::vector<std::string> words = {"client", "server", "OK",  "Error",
                                                   "404",    "500",    "true"};
    model::Tag made;
    made.key = below(3) > 0 ? keys[below(static_cast<std::uint32_t>(keys.size()))] : word();
    made.kind = static_cast<model::Kind>(below(5));
    if (below(2) == 0) made.kind = model::Kind::text;
    made.text = below(2) == 0 ? word() : words[below(static_cast<std::uint32_t>(words.size()))];
    made.boolean = below(2) == 0;
    made.integer = below(2) == 0 ? below(700) : static_cast<std::int64_t>(number());
    made.real = below(1000) * 0.25;
    if (below(30) == 0) made.type_number = 5 + static_cast<int>(below(5));
    return made;
  }
  std::vector<model::Tag> tags(std::uint32_t bound) {
    std::vector<model::Tag> made;
    for (std::uint32_t i = below(bound); i > 0; --i) made.push_back(tag());
    return made;
  }
  model::Span span() {
    model::Span made;
    if (below(3) == 0) made.high = 0;
    made.low = below(10) == 0 && made.high != 0 ? 0 : number();
    made.id = below(15) == 0 ? 0 : number();
    made.parent = below(2) == 0 ? 0 : number();
    made.name = word();
    made.flags = static_cast<std::int32_t>(below(12));
    made.start_us = below(20) == 0 ? -5 : static_cast<std::int64_t>(below(UINT32_MAX)) * 1000;
    made.duration_us = below(20) == 0 ? -5 : below(UINT32_MAX);
    for (std::uint32_t i = below(4); i > 0; --i) {
      const bool same = below(2) == 0;
      made.refs.push_back({same ? made.high : number(), same ? made.low : number(),
                           below(8) == 0 ? 0 : number(), below(2) == 0});
    }
    made.tags = tags(10);
    for (std::uint32_t i = below(3); i > 0; --i)
      made.logs.push_back({static_cast<std::int64_t>(below(UINT32_MAX)), tags(4)});
    if (below(4) == 0) made.process = model::Process{word(), tags(3)};
    return made;
  }
  model::Batch batch() {
    model::Batch made;
    made.process = {below(10) == 0 ? "OTLPResourceNoServiceName" : word(), tags(5)};
    made.spans.clear();
    for (std::uint32_t i = below(12); i > 0; --i) made.spans.push_back(span());
    return made;
  }

 private:
  std::mt19937 random_;
};

}  // namespace

TEST_CASE("generated batches agree with a naive translation, from all encodings", "[jaeger]") {
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    const model::Batch batch = Random(seed).batch();
    for (const Encoding encoding : encodings) {
      INFO("seed " << seed << ", encoding " << static_cast<int>(encoding));
      const Result result = translated(encoding, encoded(encoding, batch));
      REQUIRE(result.report.error == "");
      const Lines expected = model::naive(batch, encoding == Encoding::proto);
      REQUIRE(model::lines_of(result.otlp) == expected);
      REQUIRE(result.report.spans == expected.size());
      ParseReport parsed;
      const auto reparsed = SpanBatch::parse(Buffer::copy_of(result.otlp), parsed);
      REQUIRE(reparsed.has_value());
      REQUIRE(reparsed->span_count() == expected.size());
    }
  }
}

TEST_CASE("a batch that ends early is refused at every byte, leaving nothing behind", "[jaeger]") {
  for (std::uint32_t seed = 1; seed < 6; ++seed) {
    const model::Batch batch = Random(seed).batch();
    for (const Encoding encoding : encodings) {
      const std::string bytes = encoded(encoding, batch);
      for (std::size_t size = 0; size < bytes.size(); ++size) {
        const std::string cut = bytes.substr(0, size);  // a copy: the sanitizer sees its end
        SpanWriter out(16);
        Report report;
        const bool taken = translate(encoding, cut, out, report);
        // A protobuf message may end between two fields of the request: before the batch.
        REQUIRE(taken == (encoding == Encoding::proto && size == 0));
        REQUIRE(out.size() == 0);
        REQUIRE(report.spans == 0);
        REQUIRE(report.error.empty() == taken);
      }
    }
  }
}

TEST_CASE("lists that say they have 2^31 elements are refused at once", "[jaeger]") {
  using namespace std::string_literals;
  const std::string binary_process = "\x0C\x00\x01\x00"s, compact_process = "\x1C\x00"s;
  const std::string binary =
      binary_process + "\x0F\x00\x02\x0C\x7F\xFF\xFF\xFF"s + std::string(13, '\0');
  const std::string compact =
      compact_process + "\x19\xFC\xFF\xFF\xFF\xFF\x07"s + std::string(16, '\0');
  CHECK(has(translated(Encoding::binary, binary).report.error, "more elements are declared"));
  CHECK(has(translated(Encoding::compact, compact).report.error, "more elements are declared"));
}

TEST_CASE("a batch that would grow far beyond its size is refused", "[jaeger]") {
  using namespace std::string_literals;
  // One span with a million references of five bytes, each of which is a link of 66.
  std::string span = "\x16\x02\x26\x02\x39\xFC"s;  // traceIdLow 1, spanId 1, references
  std::string references;
  for (int i = 0; i < 1'000'000; ++i) references += "\x26\x04\x26\x02\x00"s;
  const std::string bytes = "\x1C\x00\x19\x1C"s + span + "\xC0\x84\x3D"s + references + "\x00\x00"s;
  SpanWriter out(16);
  Report report;
  CHECK_FALSE(translate(Encoding::compact, bytes, out, report));
  CHECK(has(report.error, "take more memory than twice the request"));
  CHECK(out.out().capacity() < 4 * bytes.size() + (256 << 10));
}

TEST_CASE("broken batches are refused or translated into valid OTLP", "[jaeger]") {
  const char* const wish = std::getenv("SLUICE_MUTATIONS");
  const std::uint64_t rounds = wish != nullptr ? std::strtoull(wish, nullptr, 10) : 3000;
  Random random(11);
  std::vector<std::pair<Encoding, std::string>> samples;
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    const Encoding encoding = encodings[seed % 3];
    samples.emplace_back(encoding, encoded(encoding, Random(seed).batch()));
  }
  for (std::uint64_t round = 0; round < rounds; ++round) {
    auto [encoding, bytes] = samples[round % samples.size()];
    for (std::uint32_t changes = 1 + random.below(4); changes > 0; --changes) {
      const std::size_t at = random.below(static_cast<std::uint32_t>(bytes.size()));
      if (random.below(3) == 0)
        bytes.resize(at + 1);
      else
        bytes[at] = static_cast<char>(random.below(256));
    }
    SpanWriter out(16);
    Report report;
    const bool taken = translate(encoding, bytes, out, report);
    ParseReport parsed;
    const auto batch = SpanBatch::parse(Buffer::copy_of(out.out().bytes()), parsed);
    const bool right = taken == report.error.empty() && batch.has_value() &&
                       parsed.spans_invalid_id == 0 && batch->span_count() == report.spans &&
                       (taken || out.size() == 0);
    if (!right) FAIL("round " << round);
  }
}

}  // namespace sluice::test
