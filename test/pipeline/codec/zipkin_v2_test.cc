#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "test/support/zipkin_translation.h"

namespace sluice::test {
namespace {

/// As shown in Zipkin's own documentation, with every member.
constexpr std::string_view whole_span = R"([{
  "traceId": "5af7183fb1d4cf5f", "parentId": "6b221d5bc9e6496c", "id": "352bff9a74ca9ad2",
  "kind": "CLIENT", "name": "get /api", "timestamp": 1556604172355737, "duration": 1431,
  "localEndpoint": {"serviceName": "frontend", "ipv4": "192.168.99.1", "port": 3306},
  "remoteEndpoint": {"serviceName": "backend", "ipv4": "172.19.0.2", "port": 58648},
  "annotations": [{"timestamp": 1556604172355800, "value": "wire send"}],
  "tags": {"http.method": "GET", "http.path": "/api"}, "debug": true, "shared": false
}])";

}  // namespace

TEST_CASE("every member of a v2 span finds its place", "[zipkin]") {
  const Translation translated = from_v2(whole_span);
  const TranslatedSpan& span = translated.only();
  CHECK(span.resource == Json::parse(R"({"service.name": "frontend"})"));
  CHECK(span.span == Json::parse(R"({
    "traceId": "00000000000000005af7183fb1d4cf5f", "spanId": "352bff9a74ca9ad2",
    "parentSpanId": "6b221d5bc9e6496c", "name": "get /api", "kind": 3,
    "startTimeUnixNano": "1556604172355737000", "endTimeUnixNano": "1556604172357168000",
    "events": [{"timeUnixNano": "1556604172355800000", "name": "wire send"}]})"));
  CHECK(span.attributes == Json::parse(R"({
    "http.method": "GET", "http.path": "/api", "network.local.address": "192.168.99.1",
    "network.local.port": 3306, "service.peer.name": "backend",
    "network.peer.address": "172.19.0.2", "network.peer.port": 58648, "zipkin.debug": true})"));
}

TEST_CASE("members of a v2 span come in any order", "[zipkin]") {
  Json members = Json::parse(whole_span)[0];
  const Translation expected = from_v2(whole_span);
  std::vector<std::string> keys;
  for (const auto& [key, value] : members.items()) keys.push_back(key);
  for (std::size_t turn = 0; turn < keys.size(); ++turn) {
    std::string text;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const std::string& key = keys[(i * 5 + turn) % keys.size()];
      text += (text.empty() ? "[{\"" : ",\"") + key + "\":" + members[key].dump();
    }
    CHECK(from_v2(text + "}]").bytes == expected.bytes);
  }
}

TEST_CASE("ids are hexadecimal of either case, short ones are padded", "[zipkin]") {
  const auto ids = [](const std::string& trace, const std::string& id) {
    const TranslatedSpan span =
        from_v2(R"([{"traceId":")" + trace + R"(","id":")" + id + "\"}]").only();
    return span.text("traceId") + ' ' + span.text("spanId");
  };
  CHECK(ids("1", "2") == "00000000000000000000000000000001 0000000000000002");
  CHECK(ids("abc", "def") == "00000000000000000000000000000abc 0000000000000def");
  CHECK(ids("ABCDEF", "FEDCBA9876543210") == "00000000000000000000000000abcdef fedcba9876543210");
  CHECK(ids("12345678901234567", "1") == "00000000000000012345678901234567 0000000000000001");
  CHECK(ids("463ac35c9f6413ad48485a3953bb6124", "1") ==
        "463ac35c9f6413ad48485a3953bb6124 0000000000000001");
}

TEST_CASE("a span with invalid ids is left out, counted and described; the rest stays",
          "[zipkin]") {
  const auto [ids, what] = GENERATE(table<std::string, std::string>({
      {R"("id":"1")", "a span whose trace id is absent or zero"},
      {R"("traceId":"0","id":"1")", "a span whose trace id is absent or zero"},
      {R"("traceId":"","id":"1")", "a span whose trace id is not 1 to 32 hexadecimal digits"},
      {R"("traceId":"xyz","id":"1")", "a span whose trace id is not 1 to 32 hexadecimal digits"},
      {R"("traceId":"463ac35c9f6413ad48485a3953bb61240","id":"1")",
       "a span whose trace id is not 1 to 32 hexadecimal digits"},
      {R"("traceId":"1")", "a span whose id is absent or zero"},
      {R"("traceId":"1","id":"00000000")", "a span whose id is absent or zero"},
      {R"("traceId":"1","id":"12345678901234567")",
       "a span whose id is not 1 to 16 hexadecimal digits"},
      {R"("traceId":"1","id":"a\u0062")", "a span whose id is not 1 to 16 hexadecimal digits"},
      {R"("traceId":"1","id":"2","parentId":"")",
       "a span whose parent id is not 1 to 16 hexadecimal digits"},
      {R"("traceId":"1","id":"2","parentId":"0x3")",
       "a span whose parent id is not 1 to 16 hexadecimal digits"},
  }));
  const Translation translated =
      from_v2(R"([{"traceId":"a","id":"b"}, {)" + ids + R"(},{"traceId":"a","id":"c"}])");
  CHECK(translated.spans.size() == 2);
  CHECK(translated.report.spans_invalid_id == 1);
  CHECK(translated.report.first_invalid == "at byte 27: " + what);
}

TEST_CASE("a parent that is zero, the span itself or null is none", "[zipkin]") {
  CHECK(v2_span(R"(,"parentId":"6b221d5bc9e6496c")").text("parentSpanId") == "6b221d5bc9e6496c");
  CHECK(v2_span(R"(,"parentId":"b")").text("parentSpanId") == "000000000000000b");
  for (const char* parent : {R"("0000000000000000")", R"("0")", R"("352bff9a74ca9ad2")", "null"})
    CHECK(v2_span(std::string(R"(,"parentId":)") + parent).text("parentSpanId").empty());
}

TEST_CASE("the kind is the same word in both", "[zipkin]") {
  const auto kind = [](const std::string& members) {
    return v2_span(members).span.value("kind", 0);
  };
  CHECK(kind("") == 0);
  CHECK(kind(R"(,"kind":null)") == 0);
  CHECK(kind(R"(,"kind":"SERVER")") == 2);
  CHECK(kind(R"(,"kind":"CLIENT")") == 3);
  CHECK(kind(R"(,"kind":"PRODUCER")") == 4);
  CHECK(kind(R"(,"kind":"CONSUMER")") == 5);
  SECTION("an internal span has a tag for it") {
    const TranslatedSpan span = v2_span(R"(,"tags":{"span.kind":"internal"})");
    CHECK(span.span["kind"] == 1);
    CHECK_FALSE(span.attributes.contains("span.kind"));
  }
  SECTION("any other tag of that name is a tag") {
    CHECK(v2_span(R"(,"tags":{"span.kind":"weird"})").attributes["span.kind"] == "weird");
    const TranslatedSpan span = v2_span(R"(,"kind":"CLIENT","tags":{"span.kind":"internal"})");
    CHECK(span.span["kind"] == 3);
    CHECK(span.attributes["span.kind"] == "internal");
  }
  CHECK(from_v2(R"([{"traceId":"1","id":"1","kind":"client"}])").report.error ==
        "at byte 32: expected CLIENT, SERVER, PRODUCER or CONSUMER near \"kind\", found "
        "\"client\"}]");
}

TEST_CASE("times are microseconds; what is absent, zero or negative is marked", "[zipkin]") {
  const auto times = [](const std::string& members) {
    const TranslatedSpan span = v2_span(members);
    const bool absent = span.attributes.value("otel.zipkin.absentField.startTime", false);
    return span.text("startTimeUnixNano") + ' ' + span.text("endTimeUnixNano") +
           (absent ? " absent" : "");
  };
  CHECK(times(R"(,"timestamp":5,"duration":3)") == "5000 8000");
  CHECK(times(R"(,"timestamp":5)") == "5000 5000");
  CHECK(times("") == "  absent");
  CHECK(times(R"(,"timestamp":0,"duration":3)") == " 3000 absent");
  CHECK(times(R"(,"timestamp":-7,"duration":-3)") == "  absent");
  CHECK(times(R"(,"timestamp":null,"duration":null)") == "  absent");
  SECTION("numbers past 2^53 are exact, those past what nanoseconds hold stop there") {
    CHECK(times(R"(,"timestamp":9007199254740993)") == "9007199254740993000 9007199254740993000");
    CHECK(times(R"(,"timestamp":9223372036854775807)") ==
          "18446744073709551615 18446744073709551615");
    CHECK(times(R"(,"timestamp":18446744073709551,"duration":9223372036854775807)") ==
          "18446744073709551000 18446744073709551615");
  }
  SECTION("other spellings of whole numbers") {
    CHECK(times(R"(,"timestamp":"1556604172355737")") == "1556604172355737000 1556604172355737000");
    CHECK(times(R"(,"timestamp":1.5e3 , "duration" : 2 )") == "1500000 1502000");
    CHECK(times(R"(,"timestamp":5.0)") == "5000 5000");
  }
  SECTION("what is no whole number refuses the request") {
    for (const char* number :
         {"5.5", "\"x\"", "true", "[]", "9223372036854775808", "1e40", "\"\"", "05", "+5", "5x"}) {
      INFO(number);
      CHECK_FALSE(
          from_v2(R"([{"traceId":"1","id":"1","timestamp":)" + std::string(number) + "}]").read);
    }
  }
}

TEST_CASE("addresses stand where their family belongs, in canonical form", "[zipkin]") {
  const auto local = [](const std::string& members) {
    const Json attributes =
        v2_span(R"(,"timestamp":1,"localEndpoint":{)" + members + "}").attributes;
    return attributes.dump();
  };
  CHECK(local(R"("ipv4":"10.0.12.7")") == R"({"network.local.address":"10.0.12.7"})");
  CHECK(local(R"("ipv6":"10.0.12.7")") == R"({"network.local.address":"10.0.12.7"})");
  CHECK(local(R"("ipv6":"2001:DB8:0:0::C001")") == R"({"network.local.address":"2001:db8::c001"})");
  CHECK(local(R"("ipv4":"2001:db8::c001")") == R"({"network.local.address":"2001:db8::c001"})");
  CHECK(local(R"("ipv6":"::ffff:1.2.3.4")") == R"({"network.local.address":"1.2.3.4"})");
  CHECK(local(R"("ipv6":"::1.2.3.4")") == R"({"network.local.address":"1.2.3.4"})");
  CHECK(local(R"("ipv6":"::1")") == R"({"network.local.address":"::1"})");
  CHECK(local(R"("ipv4":"1.2.3.4","ipv6":"::1")") ==
        R"({"network.local.address":"1.2.3.4","zipkin.local.ipv6":"::1"})");
  for (const char* none :
       {"localhost", "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4.5", ":::", "", "1.2.3.4\\u0000"})
    CHECK(local(R"("ipv4":")" + std::string(none) + "\"") == "{}");
  CHECK(local(R"("port":80)") == R"({"network.local.port":80})");
  CHECK(local(R"("port":"80")") == R"({"network.local.port":80})");
  CHECK(local(R"("port":65535)") == R"({"network.local.port":65535})");
  CHECK(local(R"("port":0)") == "{}");
  CHECK(local(R"("port":-5)") == "{}");
  CHECK(local("") == "{}");
  CHECK(local(R"("other":[{}])") == "{}");
  CHECK(from_v2(R"([{"traceId":"1","id":"1","localEndpoint":{"port":65536}}])").report.error ==
        "at byte 49: expected a port of at most 65535 near \"port\", found 65536}}]");
}

TEST_CASE("a remote endpoint is the peer", "[zipkin]") {
  const auto remote = [](const std::string& endpoint, const std::string& tags = "{}") {
    return v2_span(R"(,"timestamp":1,"remoteEndpoint":)" + endpoint + ",\"tags\":" + tags)
        .attributes;
  };
  CHECK(remote(R"({"serviceName":"db","ipv6":"::1","ipv4":"1.2.3.4","port":5432})") ==
        Json::parse(R"({"service.peer.name":"db","network.peer.address":"1.2.3.4",
                        "zipkin.peer.ipv6":"::1","network.peer.port":5432})"));
  CHECK(remote(R"({"serviceName":"db"})", R"({"peer.service":"other"})") ==
        Json::parse(R"({"peer.service":"other"})"));
  CHECK(remote(R"({"serviceName":"db"})", R"({"service.peer.name":"other"})") ==
        Json::parse(R"({"service.peer.name":"other"})"));
  CHECK(remote(R"({"ipv4":"1.2.3.4","port":5})",
               R"({"network.peer.address":"1.2.3.4","network.peer.port":"5"})") ==
        Json::parse(R"({"network.peer.address":"1.2.3.4","network.peer.port":"5"})"));
  CHECK(remote("null") == Json::object());
}

TEST_CASE("debug and shared are kept as attributes; a client is never shared", "[zipkin]") {
  CHECK(v2_span(R"(,"timestamp":1,"debug":true)").attributes ==
        Json::parse(R"({"zipkin.debug":true})"));
  CHECK(v2_span(R"(,"timestamp":1,"shared":true,"kind":"SERVER")").attributes ==
        Json::parse(R"({"zipkin.shared":true})"));
  CHECK(v2_span(R"(,"timestamp":1,"shared":true,"kind":"CLIENT")").attributes == Json::object());
  CHECK(v2_span(R"(,"timestamp":1,"debug":false,"shared":false)").attributes == Json::object());
}

TEST_CASE("client and server of one call keep their common id", "[zipkin]") {
  const Translation translated = from_v2(
      R"([{"traceId":"1","id":"2","kind":"CLIENT","localEndpoint":{"serviceName":"a"}},
          {"traceId":"1","id":"2","kind":"SERVER","shared":true,"localEndpoint":{"serviceName":"b"}}])");
  REQUIRE(translated.spans.size() == 2);
  CHECK(translated.spans[0].text("spanId") == translated.spans[1].text("spanId"));
  CHECK(translated.spans[0].resource["service.name"] == "a");
  CHECK(translated.spans[1].resource["service.name"] == "b");
}

TEST_CASE("annotations are events, those that pack attributes are unpacked", "[zipkin]") {
  const auto event = [](const std::string& value) {
    const TranslatedSpan span =
        v2_span(R"(,"annotations":[{"value":)" + Json(value).dump() + R"(,"timestamp":7}])");
    Json found = span.span["events"][0];
    const Json attributes = attributes_of(found);
    CHECK(found["timeUnixNano"] == "7000");
    return found.value("name", "") + ' ' + attributes.dump() + ' ' +
           std::to_string(found.value("droppedAttributesCount", 0));
  };
  CHECK(event("cache miss") == "cache miss {} 0");
  CHECK(event("") == " {} 0");
  CHECK(event(R"(retry|{"count":3,"ok":true,"part":0.5,"why":"a|b"}|2)") ==
        R"(retry {"count":3,"ok":true,"part":0.5,"why":"a|b"} 2)");
  CHECK(event(R"(a|b|{"k":"v"}|0)") == R"(a|b {"k":"v"} 0)");
  CHECK(event(R"(a|{x|{"k":"v"}|0)") == R"(a|{x {"k":"v"} 0)");
  CHECK(event("dropped|{}|4") == "dropped {} 4");
  for (const char* plain : {"a|b", "a|b|c", "a|{}|0", "a|{\"k\":1}|x", "a|{\"k\":}|1", "a|[1]|1",
                            "a|{\"k\":1}|-1", "a|{\"k\":1}|", "|", "||", "a|{\"k\":1}x|1"})
    CHECK(event(plain) == std::string(plain) + " {} 0");
  SECTION("nested ones too") {
    const TranslatedSpan span = v2_span(
        R"(,"annotations":[{"timestamp":1,"value":"e|{\"l\":[1,null,{\"a\":\"\\u00e9\"}],\"big\":9007199254740993,\"e\":1e3}|0"}])");
    CHECK(attributes_of(span.span["events"][0]) == Json::parse(R"({
      "l": {"arrayValue":{"values":[{"intValue":"1"},{},
            {"kvlistValue":{"values":[{"key":"a","value":{"stringValue":"é"}}]}}]}},
      "big": 9007199254740993, "e": 1000.0})"));
  }
  for (const char* bad : {R"([{"timestamp":1}])", R"([{"value":"x"}])", R"([{}])", R"([1])",
                          R"({"timestamp":1,"value":"x"})", R"([{"timestamp":null,"value":"x"}])",
                          R"([{"timestamp":1,"value":2}])"})
    CHECK_FALSE(
        from_v2(R"([{"traceId":"1","id":"1","annotations":)" + std::string(bad) + "}]").read);
}

TEST_CASE("the status comes from otel.status_code, then from error", "[zipkin]") {
  const auto status = [](const std::string& tags) {
    const TranslatedSpan span = v2_span(R"(,"timestamp":1,"tags":)" + tags);
    const Json found = span.span.value("status", Json::object());
    return std::to_string(found.value("code", 0)) + ' ' + found.value("message", "") + ' ' +
           span.attributes.dump();
  };
  CHECK(status(R"({})") == "0  {}");
  for (const char* code : {"OK", "ok", "Ok", "STATUS_CODE_OK", "status_code_ok", "1"})
    CHECK(status(R"({"otel.status_code":")" + std::string(code) + "\"}") == "1  {}");
  for (const char* code : {"ERROR", "error", "STATUS_CODE_ERROR", "2"})
    CHECK(status(R"({"otel.status_code":")" + std::string(code) + "\"}") == "2  {}");
  for (const char* code : {"UNSET", "STATUS_CODE_UNSET", "0"})
    CHECK(status(R"({"otel.status_code":")" + std::string(code) + "\"}") == "0  {}");
  CHECK(status(R"({"otel.status_code":"ERROR","otel.status_description":"late"})") == "2 late {}");
  CHECK(status(R"({"otel.status_code":"ERROR","otel.status_description":"late","error":"true"})") ==
        "2 late {}");
  CHECK(status(R"({"otel.status_code":"ERROR","error":"late"})") == "2 late {}");
  CHECK(status(R"({"otel.status_code":"ERROR","otel.status_description":"late","error":"x"})") ==
        R"(2 late {"error":"x"})");
  CHECK(status(R"({"otel.status_code":"BAD"})") == R"(0  {"otel.status_code":"BAD"})");
  CHECK(status(R"({"otel.status_description":"x"})") == R"(0  {"otel.status_description":"x"})");
  CHECK(status(R"({"error":"true"})") == "2  {}");
  CHECK(status(R"({"error":true})") == "2  {}");
  CHECK(status(R"({"error":"timed out"})") == R"(2 timed out {"error":"timed out"})");
  CHECK(status(R"({"error":""})") == R"(2  {"error":""})");
  CHECK(status(R"({"error":"false"})") == R"(0  {"error":"false"})");
  CHECK(status(R"({"otel.status_code":"OK","error":"true"})") == "2  {}");
  CHECK(status(R"({"otel.status_code":"OK","error":"false"})") == R"(1  {"error":"false"})");
  SECTION("what counts in v1 alone does not count here") {
    CHECK(status(R"({"http.status_code":"500"})") == R"(0  {"http.status_code":"500"})");
    CHECK(status(R"({"census.status_code":"5"})") == R"(0  {"census.status_code":"5"})");
  }
}

TEST_CASE("a failure's text may be nearly the whole request", "[zipkin]") {
  const std::string text(GENERATE(40'000u, 1'000'000u), 'x');
  const TranslatedSpan span = v2_span(",\"tags\":{\"error\":\"" + text + "\"}");
  CHECK(span.attributes["error"] == text);
  CHECK(span.span["status"]["code"] == 2);
}

TEST_CASE("the trace state is a field", "[zipkin]") {
  const TranslatedSpan span = v2_span(R"(,"timestamp":1,"tags":{"w3c.tracestate":"a=1,b=2"})");
  CHECK(span.text("traceState") == "a=1,b=2");
  CHECK(span.attributes == Json::object());
}

TEST_CASE("links are numbered tags without a gap", "[zipkin]") {
  const std::string link =
      R"("463ac35c9f6413ad48485a3953bb6124|352bff9a74ca9ad2|a=1|{\"k\":\"a|b\",\"n\":3}|2")";
  const std::string plain = R"("463ac35c9f6413ad48485a3953bb6124|352bff9a74ca9ad2||{}|0")";
  TranslatedSpan span = v2_span(R"(,"timestamp":1,"tags":{"otlp.link.1":)" + plain +
                                R"(,"otlp.link.0":)" + link + R"(,"otlp.link.3":)" + plain + "}");
  Json links = span.span["links"];
  REQUIRE(links.size() == 2);
  CHECK(attributes_of(links[0]) == Json::parse(R"({"k":"a|b","n":3})"));
  links[0].erase("attributes");
  CHECK(links[0] == Json::parse(R"({"traceId":"463ac35c9f6413ad48485a3953bb6124",
    "spanId":"352bff9a74ca9ad2","traceState":"a=1","droppedAttributesCount":2})"));
  CHECK(links[1] == Json::parse(R"({"traceId":"463ac35c9f6413ad48485a3953bb6124",
    "spanId":"352bff9a74ca9ad2"})"));
  REQUIRE(span.attributes.size() == 1);
  CHECK(span.attributes.contains("otlp.link.3"));
  SECTION("a text of another form stays a tag") {
    for (const char* bad :
         {"", "x", "1|2||{}|0", "463ac35c9f6413ad48485a3953bb6124|352bff9a74ca9ad2||{}",
          "463ac35c9f6413ad48485a3953bb6124|352bff9a74ca9ad2||{|0",
          "463ac35c9f6413ad48485a3953bb6124|352bff9a74ca9ad2||{}|x",
          "463ac35c9f6413ad48485a3953bb612g|352bff9a74ca9ad2||{}|0"}) {
      span = v2_span(R"(,"timestamp":1,"tags":{"otlp.link.0":)" + Json(bad).dump() + "}");
      CHECK_FALSE(span.span.contains("links"));
      CHECK(span.attributes["otlp.link.0"] == bad);
    }
  }
  SECTION("so does one with another number") {
    for (const char* key : {"otlp.link.", "otlp.link.00", "otlp.link.128", "otlp.link.x"}) {
      span = v2_span(R"(,"timestamp":1,"tags":{")" + std::string(key) + "\":" + plain + "}");
      CHECK_FALSE(span.span.contains("links"));
      CHECK(span.attributes.contains(key));
    }
  }
}

TEST_CASE("what says something about the resource or the scope goes there", "[zipkin]") {
  const TranslatedSpan span = v2_span(
      R"(,"timestamp":1,"localEndpoint":{"serviceName":"shop"},"tags":{"host.name":"h","k8s.pod.name":"p",
        "process.pid":"7","telemetry.sdk.name":"otel","cloud.region":"r","service.version":"1",
        "container.id":"c","deployment.environment":"e","faas.name":"f","os.type":"linux",
        "aws.ecs.task.arn":"t","faas.trigger":"http","host":"x","service.peer.namespace":"n",
        "otel.scope.name":"lib","otel.scope.version":"2"})");
  CHECK(span.resource == Json::parse(R"({"service.name":"shop","host.name":"h","k8s.pod.name":"p",
    "process.pid":"7","telemetry.sdk.name":"otel","cloud.region":"r","service.version":"1",
    "container.id":"c","deployment.environment":"e","faas.name":"f","os.type":"linux",
    "aws.ecs.task.arn":"t"})"));
  CHECK(span.scope == Json::parse(R"({"name":"lib","version":"2"})"));
  CHECK(span.attributes ==
        Json::parse(R"({"faas.trigger":"http","host":"x","service.peer.namespace":"n"})"));
  SECTION("scopes by their older names") {
    CHECK(v2_span(R"(,"tags":{"otel.library.name":"lib","otel.library.version":"2"})").scope ==
          Json::parse(R"({"name":"lib","version":"2"})"));
  }
}

TEST_CASE("the service name is the resource's, under the key that a tag names", "[zipkin]") {
  const auto resource = [](const std::string& members) { return v2_span(members).resource.dump(); };
  CHECK(resource("") == "{}");
  CHECK(resource(R"(,"localEndpoint":{"serviceName":"shop"})") == R"({"service.name":"shop"})");
  CHECK(resource(R"(,"localEndpoint":{"serviceName":""})") == "{}");
  CHECK(resource(R"(,"localEndpoint":null)") == "{}");
  CHECK(resource(R"(,"localEndpoint":{"serviceName":"OTLPResourceNoServiceName"})") == "{}");
  CHECK(
      resource(
          R"(,"localEndpoint":{"serviceName":"f"},"tags":{"otlp.service.name.source":"faas.name"})") ==
      R"({"faas.name":"f"})");
  CHECK(resource(R"(,"tags":{"service.name":"tagged"})") == R"({"service.name":"tagged"})");
  const TranslatedSpan both = v2_span(
      R"(,"timestamp":1,"localEndpoint":{"serviceName":"shop"},"tags":{"service.name":"x"})");
  CHECK(both.resource["service.name"] == "shop");
  CHECK(both.attributes["service.name"] == "x");
}

TEST_CASE("dropped counts are fields when they count something", "[zipkin]") {
  const TranslatedSpan span = v2_span(
      R"(,"timestamp":1,"tags":{"otel.dropped_attributes_count":"3","otel.dropped_events_count":"4",
         "otel.dropped_links_count":"x"})");
  CHECK(span.span["droppedAttributesCount"] == 3);
  CHECK(span.span["droppedEventsCount"] == 4);
  CHECK(span.attributes == Json::parse(R"({"otel.dropped_links_count":"x"})"));
}

TEST_CASE("tag values are text; numbers and booleans by their text", "[zipkin]") {
  CHECK(v2_span(R"(,"timestamp":1,"tags":{"a":"x","b":12,"c":-1.50,"d":true,"e":false,"":""})")
            .attributes ==
        Json::parse(R"({"a":"x","b":"12","c":"-1.50","d":"true","e":"false","":""})"));
  for (const char* value : {"null", "{}", "[]", "nul", "-", "tru"})
    CHECK_FALSE(
        from_v2(R"([{"traceId":"1","id":"1","tags":{"a":)" + std::string(value) + "}}]").read);
}

TEST_CASE("parse_string_tags makes values of their shapes", "[zipkin]") {
  const auto parsed = [](const std::string& value) {
    return v2_span(R"(,"timestamp":1,"tags":{"k":)" + Json(value).dump() + "}",
                   {.parse_string_tags = true})
        .attributes["k"];
  };
  CHECK(parsed("12") == Json(12));
  CHECK(parsed("-12") == Json(-12));
  CHECK(parsed("9007199254740993") == Json(9007199254740993));
  CHECK(parsed("1.5") == Json(1.5));
  CHECK(parsed("-0.25") == Json(-0.25));
  CHECK(parsed("true") == Json(true));
  CHECK(parsed("false") == Json(false));
  for (const char* text : {"", "-", "1.", ".5", "-.5", "1e3", "1.2.3", "0x1", "True", " 1", "1 ",
                           "9223372036854775808", "12-3", "NaN"})
    CHECK(parsed(text) == Json(text));
}

TEST_CASE("of a key given twice the last counts", "[zipkin]") {
  CHECK(v2_span(R"(,"timestamp":1,"tags":{"a":"1","b":"2","a":"3"})").attributes ==
        Json::parse(R"({"a":"3","b":"2"})"));
  CHECK(v2_span(R"(,"timestamp":1,"tags":{"a":"1","\u0061":"2"})").attributes ==
        Json::parse(R"({"a":"2"})"));
  CHECK(v2_span(R"(,"timestamp":1,"tags":{"a":"1","error":"x"},"tags":{"b":"2"})").attributes ==
        Json::parse(R"({"b":"2"})"));
  CHECK(v2_span(R"(,"timestamp":1,"tags":{"host.name":"1","host.name":"2"})").resource ==
        Json::parse(R"({"host.name":"2"})"));
  CHECK(v2_span(R"(,"name":"a","name":"b")").text("name") == "b");
  CHECK(v2_span(R"(,"id":"7")").text("spanId") == "0000000000000007");
  CHECK(v2_span(R"(,"localEndpoint":{"serviceName":"a"},"localEndpoint":{"serviceName":"b"})")
            .resource["service.name"] == "b");
  CHECK(v2_span(R"(,"annotations":[{"timestamp":1,"value":"a"}],"annotations":[])")
            .span.contains("events") == false);
}

TEST_CASE("escapes and surrogates come out as UTF-8, half a pair as U+FFFD", "[zipkin]") {
  const auto name = [](const std::string& text) {
    return v2_span(",\"name\":\"" + text + "\"").text("name");
  };
  CHECK(name(R"(a\"b\\c\/d\b\f\n\r\t)") == "a\"b\\c/d\b\f\n\r\t");
  CHECK(name(R"(\u00e9\u20AC\ud83d\ude00)") == "é€😀");
  CHECK(name("é€😀") == "é€😀");
  CHECK(name(R"(\ud83d)") == "\uFFFD");
  CHECK(name(R"(\ude00x)") == "\uFFFDx");
  CHECK(name(R"(\ud83d\u0041)") == "\uFFFDA");
  const TranslatedSpan span = v2_span(
      R"(,"timestamp":1,"tags":{"k\u00e9y":"v\n","error":"\u0074rue","w3c.tracestat\u0065":"a\u003d1"})");
  CHECK(span.attributes == Json::parse(R"({"kéy":"v\n"})"));
  CHECK(span.text("traceState") == "a=1");
  CHECK(span.span["status"]["code"] == 2);
  const std::string long_key(300, 'k');
  CHECK(v2_span(R"(,"timestamp":1,"tags":{"\u0061)" + long_key + "\":\"x\"}")
            .attributes.contains('a' + long_key));
  for (const char* bad : {R"(\x)", R"(\u12)", R"(\u12g4)", "\\", "a\nb"})
    CHECK_FALSE(from_v2(R"([{"traceId":"1","id":"1","name":")" + std::string(bad) + "\"}]").read);
}

TEST_CASE("spans are grouped by what their resource and scope are", "[zipkin]") {
  std::string json;
  for (int i = 0; i < 90; ++i) {
    json += (i == 0 ? "[" : ",") + std::string(R"({"traceId":"1","id":")") + std::to_string(i + 1) +
            R"(","name":")" + std::to_string(i) + R"(","localEndpoint":{"serviceName":"s)" +
            std::to_string(i % 3) + "\"}}";
  }
  const Translation translated = from_v2(json + "]");
  REQUIRE(translated.spans.size() == 90);
  CHECK(translated.resource_count == 3);
  for (std::size_t i = 0; i < 90; ++i) {
    CHECK(translated.spans[i].resource["service.name"] == "s" + std::to_string(i / 30));
    CHECK(translated.spans[i].text("name") == std::to_string(i % 30 * 3 + i / 30));
  }
}

TEST_CASE("any number of services and any size of span keeps its spans whole", "[zipkin]") {
  const std::size_t services = GENERATE(std::size_t{1}, std::size_t{2}, std::size_t{400});
  const std::size_t giant = GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{37});
  std::string json;
  for (std::size_t i = 0; i < 1000; ++i) {
    const bool big = giant != 0 && i % 100 == giant;
    json += (i == 0 ? "[" : ",") + std::string(R"({"traceId":"1","id":")") + std::to_string(i + 1) +
            R"(","tags":{"i":")" + std::to_string(i) + R"(","pad":")" +
            std::string(big ? 150'000 : i % 7 * 40, 'p') +
            R"("},"localEndpoint":{"serviceName":"s)" + std::to_string(i % services) + "\"}}";
  }
  const Translation translated = from_v2(json + "]", {.read_once = true});
  REQUIRE(translated.spans.size() == 1000);
  std::vector<bool> seen(1000);
  for (const TranslatedSpan& span : translated.spans) {
    const std::size_t i = std::stoul(span.attributes["i"].get<std::string>());
    seen[i] = true;
    if (span.resource["service.name"] != "s" + std::to_string(i % services)) FAIL(i);
    const bool big = giant != 0 && i % 100 == giant;
    if (span.attributes["pad"].get<std::string>().size() != (big ? 150'000 : i % 7 * 40)) FAIL(i);
  }
  CHECK(std::count(seen.begin(), seen.end(), true) == 1000);
}

TEST_CASE("a span may have more tags and annotations than are held at a time", "[zipkin]") {
  std::string tags, annotations;
  for (int i = 0; i < 1000; ++i) {
    tags += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":\"v\"";
    annotations += (i == 0 ? "" : ",") + std::string(R"({"timestamp":1,"value":"a"})");
  }
  const TranslatedSpan span =
      v2_span(",\"tags\":{" + tags + ",\"error\":\"true\"},\"annotations\":[" + annotations +
              "],\"timestamp\":5,\"localEndpoint\":{\"serviceName\":\"late\"}");
  CHECK(span.attributes.size() == 1000);
  CHECK(span.span["events"].size() == 1000);
  CHECK(span.span["status"]["code"] == 2);
  CHECK(span.resource["service.name"] == "late");
}

TEST_CASE("a span becomes the same whatever spans came before it", "[zipkin]") {
  // Keys, endpoints and ways to write them that a reader may remember from one span to the next.
  const std::vector<std::string> keys = {
      "http.method",
      "http.path",
      "http.status_code",
      "error",
      "a",
      "ab",
      "abc",
      "a\\u0062",
      "otel.scope.name",
      "service.version",
      "network.local.port",
      "peer.service",
      "",
      "a.key.that.is.rather.long.for.a.key.of.a.tag.but.that.still.is.a.key.like.any.other"};
  const std::vector<std::string> values = {R"("GET")",
                                           R"("")",
                                           R"("200")",
                                           R"("a \"quoted\" text")",
                                           "12",
                                           "true",
                                           '"' + std::string(16, 'x') + '"',
                                           '"' + std::string(120, 'y') + '"',
                                           R"("false")"};
  const std::vector<std::string> endpoints = {
      R"({"serviceName":"shop","ipv4":"10.0.12.7","port":8080})",
      R"({"serviceName":"shop","ipv4":"10.0.12.8","port":8080})",
      R"({"serviceName": "cart", "ipv6": "2001:db8::1"})",
      R"({"serviceName":"cart"})",
      R"({"port":1})",
      "{}"};
  const std::vector<std::pair<std::string, std::string>> separators = {
      {",", ":"}, {", ", ": "}, {" ,\n ", " :\t"}};
  const auto seed = GENERATE(range(1u, 41u));
  std::mt19937 random(seed);
  const auto below = [&](std::size_t limit) { return random() % limit; };
  std::string request;
  std::vector<std::string> spans;
  for (std::size_t i = 0; i < 60; ++i) {
    const auto& [comma, colon] = separators[below(20) < 18 ? seed % 3 : below(3)];
    std::string tags;
    const std::size_t first = below(3);
    for (std::size_t count = below(8); count > 0; --count) {
      const std::string& key = keys[below(3) == 0 ? below(keys.size()) : (first + count) % 7];
      tags += (tags.empty() ? "" : comma) + '"' + key + '"' + colon + values[below(values.size())];
    }
    std::string id = std::to_string(100 + i);
    spans.push_back("{\"traceId\":\"5af7183fb1d4cf5f\",\"id\":\"" + id + "\"" +
                    (below(2) == 0 ? ",\"kind\":\"SERVER\"" : "") + ",\"localEndpoint\":" +
                    endpoints[below(endpoints.size())] + ",\"tags\":{" + tags + "}}");
    request += (i == 0 ? "[" : ",") + spans.back();
  }
  const Translation together = from_v2(request + ']');
  REQUIRE(together.spans.size() == spans.size());
  std::map<std::string, const TranslatedSpan*> by_id;
  for (const TranslatedSpan& each : together.spans) by_id[each.text("spanId")] = &each;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    INFO(spans[i]);
    const TranslatedSpan alone = from_v2('[' + spans[i] + ']').only();
    const TranslatedSpan& found = *by_id.at(alone.text("spanId"));
    CHECK(found.span == alone.span);
    CHECK(found.attributes == alone.attributes);
    CHECK(found.resource == alone.resource);
    CHECK(found.scope == alone.scope);
  }
}

TEST_CASE("an empty request and an empty list have no spans", "[zipkin]") {
  for (const char* json : {"", "  \n", "[]", " [ ] "}) {
    CHECK(from_v2(json).read);
    CHECK(from_v1(json).read);
    CHECK(from_v2(json).spans.empty());
  }
}

TEST_CASE("what does not parse refuses the request, with the reason and the byte", "[zipkin]") {
  const auto error = [](std::string_view json) {
    const Translation translated = from_v2(json);
    CHECK(translated.bytes.empty());
    return translated.report.error;
  };
  CHECK(error("{}") == "at byte 0: expected an array, found {}");
  CHECK(error("[1]") == "at byte 1: expected an object, found 1]");
  CHECK(error("[{}") == "at byte 3: expected ',' or ']', found the end");
  CHECK(error(R"([{"traceId":1}])") == "at byte 12: expected a string near \"traceId\", found 1}]");
  CHECK(error(R"([{"traceId":"1","id":"1"}] x)") ==
        "at byte 27: text behind the end of the object");
  CHECK(error(R"([{"binaryAnnotations":[]}])") ==
        "at byte 22: \"binaryAnnotations\": this is the v1 format, which goes to /api/v1/spans");
  CHECK(error(R"([{"tags":[]}])") == "at byte 9: expected an object near \"tags\", found []}]");
  CHECK(error(R"([{"debug":1}])") ==
        "at byte 10: expected true or false near \"debug\", found 1}]");
  CHECK(error("[{\"a\":" + std::string(1'000'000, '[')).find("nested deeper than 64") !=
        std::string::npos);
  CHECK(error(std::string(1'000'000, '[')).find("expected an object") != std::string::npos);
}

TEST_CASE("a v2 request cut anywhere is refused and leaves nothing", "[zipkin]") {
  for (std::size_t size = 1; size + 1 < whole_span.size(); ++size) {
    const Translation translated = from_v2(whole_span.substr(0, size));
    INFO(size);
    REQUIRE_FALSE(translated.read);
    REQUIRE(translated.bytes.empty());
    REQUIRE(translated.report.error.starts_with("at byte "));
  }
}

}  // namespace sluice::test
