#include "pipeline/codec/zipkin/write.h"

#include <catch2/catch.hpp>
#include <string>

#include "test/support/otlp_builder.h"
#include "test/support/random_otlp.h"
#include "test/support/random_zipkin.h"
#include "test/support/zipkin_translation.h"

namespace sluice::test {
namespace {

Json written(const SpanBatch& batch, std::string_view default_name = "") {
  const zipkin::Written out = zipkin::write_json(batch, {default_name});
  return Json::parse(out.bytes.bytes());
}

/// One span in a resource, written.
Json written_span(SpanSpec span, Attributes resource = {}) {
  return written(
      make_batch({{.attributes = std::move(resource), .scope = "", .spans = {span}}}))[0];
}
Json tags_of(Attributes attributes) {
  return written_span({.attributes = std::move(attributes)}).value("tags", Json::object());
}

SpanBatch batch_of(std::string_view v2_json) {
  SpanWriter out(16);
  zipkin::ReadReport report;
  const bool read = zipkin::read_v2_json(v2_json, {}, out, report);
  INFO(report.error << report.first_invalid);
  REQUIRE((read && report.spans_invalid_id == 0));
  ParseReport parsed;
  return *SpanBatch::parse(std::move(out).take().freeze(), parsed);
}

/// A remote endpoint of a span of that kind.
Json remote(int kind, Attributes attributes) {
  return written_span({.kind = kind, .attributes = std::move(attributes)})
      .value("remoteEndpoint", Json::object());
}

}  // namespace

TEST_CASE("a span is written with the members of v2", "[zipkin]") {
  const SpanBatch batch =
      make_batch({{.service = "shop",
                   .attributes = {{"host.name", "h"}, {"k", "resource"}},
                   .scopes = {{.name = "lib",
                               .version = "1",
                               .spans = {{.name = "pay",
                                          .trace_id = make_id(0xabc, 16),
                                          .span_id = make_id(2, 8),
                                          .parent_span_id = make_id(3, 8),
                                          .trace_state = "a=1",
                                          .kind = 2,
                                          .start = 1'700'000'000'000'001'999,
                                          .end = 1'700'000'000'005'001'000,
                                          .attributes = {{"k", "span"}, {"n", 5}},
                                          .events = {{.name = "e", .time_unix_nano = 7'999}}}}}}}});
  Json span = written(batch)[0];
  span.erase("traceId");
  span.erase("id");
  span.erase("parentId");
  CHECK(span == Json::parse(R"({"kind":"SERVER","name":"pay","timestamp":1700000000000001,
    "duration":4999,"localEndpoint":{"serviceName":"shop"},
    "annotations":[{"timestamp":7,"value":"e"}],
    "tags":{"host.name":"h","k":"span","otel.scope.name":"lib","otel.scope.version":"1","n":"5",
            "w3c.tracestate":"a=1"}})"));
}

TEST_CASE("ids are written in lower case, trace ids in the width that they need", "[zipkin]") {
  const auto id = [](const std::string& bytes) {
    return written_span({.trace_id = bytes, .span_id = std::string("\xAB\0\0\0\0\0\0\1", 8)});
  };
  const Json narrow = id(std::string(8, '\0') + std::string(8, '\xCD'));
  CHECK(narrow["traceId"] == "cdcdcdcdcdcdcdcd");
  CHECK(narrow["id"] == "ab00000000000001");
  CHECK_FALSE(narrow.contains("parentId"));
  CHECK(id(std::string(16, '\xCD'))["traceId"] == "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd");
  CHECK_FALSE(written_span({.parent_span_id = std::string(8, '\0')}).contains("parentId"));
}

TEST_CASE("the local service has the name of the resource, or what stands in for it", "[zipkin]") {
  const auto local = [](Attributes resource, std::string_view fallback = "") {
    return written(
        make_batch({{.attributes = std::move(resource), .scope = "", .spans = {{.kind = 0}}}}),
        fallback)[0];
  };
  CHECK(local({{"service.name", "s"}})["localEndpoint"]["serviceName"] == "s");
  CHECK_FALSE(local({{"service.name", "s"}}).contains("tags"));
  CHECK(local({{"faas.name", "f"}, {"k8s.deployment.name", "d"}})["localEndpoint"] ==
        Json::parse(R"({"serviceName":"f"})"));
  CHECK(local({{"faas.name", "f"}, {"k8s.deployment.name", "d"}})["tags"] ==
        Json::parse(R"({"otlp.service.name.source":"faas.name","k8s.deployment.name":"d"})"));
  CHECK(local({{"k8s.deployment.name", "d"}})["tags"]["otlp.service.name.source"] ==
        "k8s.deployment.name");
  CHECK(local({{"process.executable.name", "p"}})["localEndpoint"]["serviceName"] == "p");
  CHECK(local({}, "<missing>")["localEndpoint"]["serviceName"] == "<missing>");
  CHECK_FALSE(local({}).contains("localEndpoint"));
  CHECK(local({{"service.name", 5}}, "x")["localEndpoint"]["serviceName"] == "x");
}

TEST_CASE("kinds are words; an internal span has a tag", "[zipkin]") {
  const auto kind = [](int number) { return written_span({.kind = number}); };
  CHECK_FALSE(kind(0).contains("kind"));
  CHECK_FALSE(kind(0).contains("tags"));
  CHECK_FALSE(kind(1).contains("kind"));
  CHECK(kind(1)["tags"] == Json::parse(R"({"span.kind":"internal"})"));
  CHECK(kind(2)["kind"] == "SERVER");
  CHECK(kind(3)["kind"] == "CLIENT");
  CHECK(kind(4)["kind"] == "PRODUCER");
  CHECK(kind(5)["kind"] == "CONSUMER");
  CHECK_FALSE(kind(99).contains("kind"));
}

TEST_CASE("times that are absent are left out", "[zipkin]") {
  CHECK_FALSE(written_span({.start = 0, .end = 0}).contains("timestamp"));
  CHECK(written_span({.start = 0, .end = 5000})["duration"] == 5);
  CHECK(written_span({.start = 5000, .end = 5001})["duration"] == 1);
  CHECK_FALSE(written_span({.start = 5000, .end = 5000}).contains("duration"));
  CHECK_FALSE(written_span({.start = 5000, .end = 4000}).contains("duration"));
  const Json marked = written_span(
      {.start = 5000, .end = 5000, .attributes = {{"otel.zipkin.absentField.startTime", true}}});
  CHECK_FALSE(marked.contains("timestamp"));
}

TEST_CASE("the status is tags", "[zipkin]") {
  const auto status = [](int code, const std::string& message, Attributes attributes = {}) {
    return written_span({.kind = 0,
                         .attributes = std::move(attributes),
                         .status_code = code,
                         .status_message = message})
        .value("tags", Json::object())
        .dump();
  };
  CHECK(status(0, "") == "{}");
  CHECK(status(0, "", {{"error", "x"}}) == "{}");
  CHECK(status(0, "", {{"error", true}}) == "{}");
  CHECK(status(1, "") == R"({"otel.status_code":"OK"})");
  CHECK(status(1, "m", {{"error", "x"}}) ==
        R"({"otel.status_code":"OK","otel.status_description":"m"})");
  CHECK(status(2, "") == R"({"error":"true"})");
  CHECK(status(2, "", {{"error", true}}) == R"({"error":"true"})");
  CHECK(status(2, "late") == R"({"error":"late","otel.status_code":"ERROR"})");
  CHECK(status(2, "late", {{"error", "late"}}) == R"({"error":"late"})");
  CHECK(status(2, "late", {{"error", "x"}}) ==
        R"({"error":"x","otel.status_code":"ERROR","otel.status_description":"late"})");
  CHECK(status(2, "false") ==
        R"({"error":"true","otel.status_code":"ERROR","otel.status_description":"false"})");
}

TEST_CASE("the peer is the remote endpoint", "[zipkin]") {
  CHECK(remote(2, {{"service.peer.name", "db"},
                   {"network.peer.address", "1.2.3.4"},
                   {"network.peer.port", 5}}) ==
        Json::parse(R"({"serviceName":"db","ipv4":"1.2.3.4","port":5})"));
  CHECK(remote(2, {{"peer.service", "db"}}) == Json::parse(R"({"serviceName":"db"})"));
  CHECK(remote(2, {{"peer.service", "a"}, {"service.peer.name", "b"}})["serviceName"] == "b");
  CHECK(remote(2, {{"net.peer.ip", "::1"}, {"net.peer.port", "80"}}) ==
        Json::parse(R"({"ipv6":"::1","port":80})"));
  CHECK(remote(2, {{"server.address", "db"}}) == Json::object());
  const std::vector<std::string> names = {"server.address",        "net.peer.name",
                                          "network.peer.address",  "server.socket.domain",
                                          "server.socket.address", "net.sock.peer.name",
                                          "net.sock.peer.addr",    "peer.hostname",
                                          "peer.address",          "db.name"};
  for (const int kind : {3, 4}) {
    Attributes all;
    for (std::size_t i = names.size(); i-- > 0;) {
      all.push_back({names[i], "host-" + names[i]});
      CHECK(remote(kind, all) == Json{{"serviceName", "host-" + names[i]}});
    }
  }
  CHECK(remote(3, {{"network.peer.address", "1.2.3.4"}, {"network.peer.port", 5}}) ==
        Json::parse(R"({"ipv4":"1.2.3.4","port":5})"));
  CHECK(remote(3, {{"server.socket.address", "1.2.3.4"}, {"server.socket.port", 6}}) ==
        Json::parse(R"({"ipv4":"1.2.3.4","port":6})"));
  CHECK(remote(3, {{"net.sock.peer.addr", "h"}, {"net.sock.peer.port", 7}}) ==
        Json::parse(R"({"serviceName":"h","port":7})"));
  SECTION("what does not come back from the endpoint stays a tag") {
    CHECK(tags_of({{"network.peer.address", "host"}}).size() == 2);
    CHECK(tags_of({{"network.peer.address", "1.2.3.4"}}).size() == 1);
    CHECK(tags_of({{"network.peer.port", "80"}}).size() == 2);
    CHECK(tags_of({{"peer.service", "x"}})["peer.service"] == "x");
    CHECK(tags_of({{"network.local.address", "::0001"}})["network.local.address"] == "::0001");
  }
}

TEST_CASE("attributes are tags by their text", "[zipkin]") {
  const Json tags = tags_of({{"s", "text"},
                             {"b", true},
                             {"f", false},
                             {"i", std::int64_t{-9007199254740993}},
                             {"d", 0.5},
                             {"whole", 5.0},
                             {"e", Value()},
                             {"bytes", Bytes{"\x01\xff"}},
                             {"array", Array{1, "two", Array{true}}},
                             {"list", KvList{{"k", 1.5}}}});
  CHECK(tags == Json::parse(R"({"s":"text","b":"true","f":"false","i":"-9007199254740993","d":"0.5",
    "whole":"5","e":"","bytes":"Af8=","array":"[1,\"two\",[true]]","list":"{\"k\":1.5}",
    "span.kind":"internal"})"));
  SECTION("a key given twice has the last value, and no other place writes it again") {
    CHECK(tags_of({{"a", 1}, {"a", 2}})["a"] == "2");
    const zipkin::Written out = zipkin::write_json(
        make_batch({{.attributes = {{"a", "r"}}, .spans = {{.attributes = {{"a", 1}, {"a", 2}}}}}}),
        {});
    const std::string text(out.bytes.bytes());
    CHECK(text.find("\"a\":") == text.rfind("\"a\":"));
  }
  SECTION("many of them") {
    Attributes many;
    for (int i = 0; i < 500; ++i) many.push_back({"k" + std::to_string(i % 300), i});
    const Json all = tags_of(many);
    CHECK(all.size() == 301);
    CHECK(all["k299"] == "299");
    CHECK(all["k0"] == "300");
  }
}

TEST_CASE("events and links carry their attributes in text", "[zipkin]") {
  const Json span = written_span(
      {.kind = 0,
       .events = {{.name = "e", .attributes = {{"a", "x|y"}, {"n", 5}, {"d", 5.0}, {"a", "z"}}},
                  {.name = "d", .dropped_attributes_count = 3}},
       .links = {{.trace_id = std::string(16, '\x11'),
                  .span_id = std::string(8, '\x22'),
                  .trace_state = "a=1",
                  .attributes = {{"k", Array{1, Value()}}}}}});
  CHECK(span["annotations"][0]["value"] == R"(e|{"a":"z","n":5,"d":5.0}|0)");
  CHECK(span["annotations"][1]["value"] == "d|{}|3");
  CHECK(span["tags"]["otlp.link.0"] ==
        R"(11111111111111111111111111111111|2222222222222222|a=1|{"k":[1,null]}|0)");
}

TEST_CASE("dropped counts are tags when they count something", "[zipkin]") {
  const Json span = written_span(
      {.kind = 0, .raw = varint_field(10, 3) + varint_field(12, 4) + varint_field(14, 5)});
  CHECK(span["tags"] ==
        Json::parse(R"({"otel.dropped_attributes_count":"3","otel.dropped_events_count":"4",
                        "otel.dropped_links_count":"5"})"));
}

TEST_CASE("text that is not UTF-8 is repaired and counted, in both formats", "[zipkin]") {
  const SpanBatch batch = make_batch(
      {{.service = "s\xff", .spans = {{.name = "n\xc3", .attributes = {{"k\xfe", "v\x80"}}}}}});
  const zipkin::Written json = zipkin::write_json(batch, {});
  CHECK(json.repaired == 4);
  CHECK(Json::parse(json.bytes.bytes())[0]["name"] == "n\uFFFD");
  CHECK(zipkin::write_proto(batch, {}).repaired == 4);
}

TEST_CASE("Zipkin to OTLP and back gives the same spans, in both formats", "[zipkin]") {
  const std::uint64_t seed = GENERATE(1u, 2u, 3u);
  RandomZipkin random(seed);
  for (int i = 0; i < 600; ++i) {
    const Json span = random.span();
    const SpanBatch batch = batch_of(Json::array({span}).dump());
    INFO("seed " << seed << ", span " << i << ": " << span.dump());
    REQUIRE(written(batch)[0] == span);
    const zipkin::Written proto = zipkin::write_proto(batch, {});
    const Translation again = translate(zipkin::read_v2_proto, proto.bytes.bytes());
    REQUIRE(again.read);
    ParseReport parsed;
    const auto second = SpanBatch::parse(Buffer::copy_of(again.bytes), parsed);
    REQUIRE(written(*second)[0] == span);
  }
}

TEST_CASE("any OTLP is written as Zipkin that reads back, twice the same", "[zipkin]") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    RandomOtlp random(seed);
    const SpanBatch batch = parse_batch(random.request());
    INFO("seed " << seed);
    const zipkin::Written first = zipkin::write_json(batch, {"none"});
    const Translation read = from_v2(first.bytes.bytes());
    REQUIRE(read.read);
    REQUIRE(read.report.spans_taken == batch.span_count());
    const Translation proto =
        translate(zipkin::read_v2_proto, zipkin::write_proto(batch, {"none"}).bytes.bytes());
    REQUIRE(proto.read);
    REQUIRE(proto.report.spans_taken == batch.span_count());
  }
}

}  // namespace sluice::test
