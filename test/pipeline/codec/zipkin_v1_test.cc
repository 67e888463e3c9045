#include <bit>
#include <catch2/catch.hpp>
#include <string>

#include "pipeline/codec/thrift/compact_reader.h"
#include "test/support/zipkin_translation.h"

namespace sluice::test {
namespace {

constexpr std::uint64_t now = 1'600'000'000'000'000'000;

std::string endpoint(const std::string& service, const std::string& more = "") {
  return R"("endpoint":{"serviceName":")" + service + '"' + more + "}";
}
std::string event(const std::string& value, std::uint64_t at, const std::string& service = "app") {
  return R"({"timestamp":)" + std::to_string(at) + R"(,"value":")" + value + '"' +
         (service.empty() ? "" : ',' + endpoint(service)) + '}';
}
std::string address(const std::string& key, const std::string& service,
                    const std::string& more = "") {
  return R"({"key":")" + key + R"(","value":true,)" + endpoint(service, more) + '}';
}
std::string tag(const std::string& key, const std::string& value,
                const std::string& service = "app") {
  return R"({"key":")" + key + R"(","value":)" + value +
         (service.empty() ? "" : ',' + endpoint(service)) + '}';
}

/// One span; `members` behind its ids and name.
Translation v1(const std::string& annotations, const std::string& binary = "",
               const std::string& members = "") {
  return from_v1(R"([{"traceId":"1","id":"2","name":"n","annotations":[)" + annotations +
                     R"(],"binaryAnnotations":[)" + binary + "]" + members + "}]",
                 {.now_unix_nano = now});
}

/// "SERVER shared 10+5 app" for each span: kind, shared, start and duration in microseconds,
/// service.
std::string shape(const Translation& translated) {
  std::string out;
  const char* const kinds[] = {"none", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"};
  for (const TranslatedSpan& each : translated.spans) {
    if (!out.empty()) out += ", ";
    out += kinds[each.span.value("kind", 0)];
    if (each.attributes.value("zipkin.shared", false)) out += " shared";
    const std::uint64_t start = std::stoull(each.span.value("startTimeUnixNano", "0"));
    const std::uint64_t end = std::stoull(each.span.value("endTimeUnixNano", "0"));
    const bool absent = each.attributes.value("otel.zipkin.absentField.startTime", false);
    out += absent ? " absent" : " " + std::to_string(start / 1000);
    out +=
        "+" + std::to_string((end - start) / 1000) + ' ' + each.resource.value("service.name", "");
    for (const Json& found : each.span.value("events", Json::array()))
      out += ' ' + found.value("name", "");
  }
  return out;
}

}  // namespace

TEST_CASE("core annotations give the kind and the times", "[zipkin]") {
  CHECK(shape(v1(event("cs", 10) + ',' + event("cr", 15))) == "CLIENT 10+5 app");
  CHECK(shape(v1(event("sr", 10) + ',' + event("ss", 15), "", R"(,"timestamp":10,"duration":5)")) ==
        "SERVER 10+5 app");
  CHECK(shape(v1(event("ms", 10) + ',' + event("ws", 12))) == "PRODUCER 10+2 app");
  CHECK(shape(v1(event("wr", 10) + ',' + event("mr", 12))) == "CONSUMER 10+2 app");
  CHECK(shape(v1(event("ms", 10))) == "PRODUCER 10+0 app");
  CHECK(shape(v1(event("mr", 10))) == "CONSUMER 10+0 app");
  SECTION("the span's own times are better") {
    CHECK(shape(v1(event("cs", 10) + ',' + event("cr", 15), "",
                   R"(,"timestamp":9,"duration":7)")) == "CLIENT 9+7 app");
  }
  SECTION("other annotations are events, in order") {
    CHECK(shape(v1(event("cs", 10) + ',' + event("csf", 11) + ',' + event("error", 12) + ',' +
                   event("cr", 15))) == "CLIENT 10+5 app csf error");
  }
  SECTION("core annotations without an endpoint are events") {
    CHECK(shape(v1(event("cs", 10, "") + ',' + event("foo", 11))) == "none absent+0 app cs foo");
  }
  SECTION("ws and wr without ms and mr are events") {
    CHECK(shape(v1(event("ws", 10) + ',' + event("wr", 11))) == "none absent+0 app ws wr");
  }
}

TEST_CASE("a span of which only one end is known keeps the other as it is", "[zipkin]") {
  CHECK(shape(v1(event("cs", 10))) == "CLIENT 10+0 app");
  CHECK(shape(v1(event("sr", 10))) == "SERVER shared 10+0 app");
  CHECK(shape(v1(event("cr", 15))) == "CLIENT absent+0 app cr");
  CHECK(shape(v1(event("ss", 15))) == "SERVER absent+0 app ss");
  CHECK(shape(v1(event("cs", 10), "", R"(,"timestamp":9,"duration":7)")) == "CLIENT 9+7 app");
  SECTION("an end that fits the span's times tells the start") {
    CHECK(shape(v1(event("cr", 15), "", R"(,"timestamp":9,"duration":6)")) == "CLIENT 9+6 app");
    CHECK(shape(v1(event("ss", 15), "", R"(,"timestamp":9,"duration":6)")) == "SERVER 9+6 app");
    CHECK(shape(v1(event("cr", 15), "", R"(,"timestamp":9,"duration":5)")) == "CLIENT 9+5 app cr");
  }
}

TEST_CASE("both halves of a call in one span become two spans with one id", "[zipkin]") {
  const std::string client = event("cs", 10, "web") + ',' + event("cr", 20, "web");
  const std::string server = event("sr", 12, "api") + ',' + event("ss", 17, "api");
  const Translation both = v1(client + ',' + server);
  CHECK(shape(both) == "CLIENT 10+10 web, SERVER shared 12+5 api");
  CHECK(both.spans.at(0).text("spanId") == both.spans.at(1).text("spanId"));
  CHECK(shape(v1(client + ',' + server, "", R"(,"timestamp":9,"duration":12)")) ==
        "CLIENT 9+12 web, SERVER shared 12+5 api");
  CHECK(shape(v1(server + ',' + client)) == "SERVER shared 12+5 api, CLIENT 10+10 web");
  SECTION("one way") {
    CHECK(shape(v1(event("cs", 10, "web") + ',' + event("sr", 12, "api"))) ==
          "CLIENT 10+0 web, SERVER shared 12+0 api");
  }
  SECTION("a service that calls itself") {
    CHECK(shape(v1(event("cs", 10) + ',' + event("sr", 12) + ',' + event("ss", 17) + ',' +
                   event("cr", 20) + ',' + event("x", 13))) ==
          "CLIENT 10+10 app x, SERVER shared 12+5 app");
  }
  SECTION("messages likewise") {
    CHECK(shape(v1(event("ms", 10, "a") + ',' + event("ws", 11, "a") + ',' + event("wr", 14, "b") +
                   ',' + event("mr", 16, "b"))) == "PRODUCER 10+1 a, CONSUMER shared 14+2 b");
    CHECK(shape(v1(event("ms", 10, "a") + ',' + event("mr", 16, "b"))) ==
          "PRODUCER 10+0 a, CONSUMER shared 16+0 b");
    CHECK(shape(v1(event("ms", 10) + ',' + event("mr", 16))) ==
          "PRODUCER 10+0 app, CONSUMER shared 16+0 app");
  }
  SECTION("annotations and tags go to the half of their service") {
    const Translation split =
        v1(client + ',' + server + ',' + event("c", 11, "web") + ',' + event("s", 13, "api"),
           tag("k", "\"w\"", "web") + ',' + tag("k", "\"a\"", "api") + ',' + tag("l", "\"f\"", ""));
    CHECK(shape(split) == "CLIENT 10+10 web c, SERVER shared 12+5 api s");
    CHECK(split.spans.at(0).attributes["k"] == "w");
    CHECK(split.spans.at(0).attributes["l"] == "f");
    CHECK(split.spans.at(1).attributes["k"] == "a");
  }
}

TEST_CASE("a server whose caller has the times is a shared span", "[zipkin]") {
  const std::string server = event("sr", 10) + ',' + event("ss", 15);
  CHECK(shape(v1(server)) == "SERVER shared 10+5 app");
  CHECK(shape(v1(server, "", R"(,"timestamp":10)")) == "SERVER shared 10+5 app");
  CHECK(shape(v1(server, "", R"(,"timestamp":10,"duration":5)")) == "SERVER 10+5 app");
}

TEST_CASE("addresses are the other end", "[zipkin]") {
  const auto peer = [](const Translation& translated, std::size_t index = 0) {
    return translated.spans.at(index).attributes.value("service.peer.name", "") + ' ' +
           translated.spans.at(index).attributes.value("network.peer.address", "");
  };
  const std::string client = event("cs", 10) + ',' + event("cr", 15);
  const std::string server = event("sr", 10) + ',' + event("ss", 15);
  CHECK(peer(v1(client, address("sa", "db", R"(,"ipv4":"1.2.3.4")"))) == "db 1.2.3.4");
  CHECK(peer(v1(event("cr", 15), address("sa", "db"))) == "db ");
  CHECK(peer(v1(server, address("ca", "web"))) == "web ");
  CHECK(peer(v1(server, address("ca", "app", R"(,"ipv4":"1.2.3.4")"))) == " 1.2.3.4");
  CHECK(peer(v1(server, address("ca", "app"))) == " ");
  CHECK(peer(v1(client, address("ca", "web"))) == " ");
  CHECK(peer(v1(event("ms", 1), address("ma", "kafka"))) == "kafka ");
  CHECK(peer(v1(event("mr", 1), address("ma", "kafka"))) == "kafka ");
  const Translation both =
      v1(event("cs", 1) + ',' + event("sr", 2), address("sa", "s") + ',' + address("ca", "c"));
  CHECK(peer(both, 0) == "s ");
  CHECK(peer(both, 1) == "c ");
  SECTION("without core annotations") {
    CHECK(shape(v1("", address("ca", "web") + ',' + address("sa", "db"))) == "none absent+0 web");
    CHECK(peer(v1("", address("ca", "web") + ',' + address("sa", "db"))) == "db ");
    CHECK(shape(v1(event("x", 1), address("sa", "db"))) == "none absent+0 app x");
    CHECK(peer(v1(event("x", 1), address("sa", "db"))) == "db ");
    CHECK(shape(v1(event("x", 1), address("ca", "web"))) == "SERVER absent+0 app x");
    CHECK(peer(v1(event("x", 1), address("ca", "web"))) == "web ");
  }
  SECTION("a text or false is no address") {
    CHECK(v1(client, tag("sa", "\"x\"")).only().attributes["sa"] == "x");
    CHECK(peer(v1(client, tag("sa", "false"))) == " ");
    CHECK_FALSE(v1(client, tag("sa", "true", "")).only().attributes.contains("sa"));
  }
}

TEST_CASE("binary annotations of text are tags, others do not count in JSON", "[zipkin]") {
  const TranslatedSpan span =
      v1(event("cs", 1), tag("a", "\"x\"") + ',' + tag("b", "5") + ',' + tag("c", "true") + ',' +
                             tag("d", "null") + ',' + tag("error", "\"late\""))
          .only();
  CHECK(span.attributes == Json::parse(R"({"a":"x","error":"late"})"));
  CHECK(span.span["status"] == Json::parse(R"({"code":2,"message":"late"})"));
}

TEST_CASE("a service without an endpoint is its local component, or unknown", "[zipkin]") {
  CHECK(shape(v1("")) == "none absent+0 unknown-service");
  const TranslatedSpan named = v1("", tag("lc", "\"cache\"", "")).only();
  CHECK(named.resource["service.name"] == "cache");
  CHECK(named.attributes["component"] == "cache");
  CHECK_FALSE(named.attributes.contains("lc"));
  const TranslatedSpan both = v1(event("x", 1), tag("lc", "\"cache\"")).only();
  CHECK(both.resource["service.name"] == "app");
  CHECK(both.attributes["lc"] == "cache");
  const TranslatedSpan marker = v1("", tag("lc", "\"\"", "app")).only();
  CHECK(marker.resource["service.name"] == "app");
  CHECK_FALSE(marker.attributes.contains("lc"));
}

TEST_CASE("a v1 span without times is of now, and says so", "[zipkin]") {
  const TranslatedSpan span = v1("").only();
  CHECK(span.text("startTimeUnixNano") == std::to_string(now));
  CHECK(span.text("endTimeUnixNano") == std::to_string(now));
  CHECK(span.attributes["otel.zipkin.absentField.startTime"] == true);
}

TEST_CASE("the status of a v1 span has four sources in order", "[zipkin]") {
  const auto status = [](const std::string& tags) {
    const TranslatedSpan span = v1(event("cs", 1), tags).only();
    const Json found = span.span.value("status", Json::object());
    return std::to_string(found.value("code", 0)) + ' ' + found.value("message", "") + ' ' +
           span.attributes.dump();
  };
  CHECK(status(tag("census.status_code", "\"0\"")) == "1  {}");
  CHECK(status(tag("census.status_code", "\"5\"") + ',' +
               tag("census.status_description", "\"no\"")) == "2 no {}");
  CHECK(status(tag("census.status_code", "\"5\"") + ',' +
               tag("opencensus.status_description", "\"no\"")) == "2 no {}");
  CHECK(status(tag("census.status_code", "\"x\"")) == R"(0  {"census.status_code":"x"})");
  CHECK(status(tag("census.status_code", "\"0\"") + ',' + tag("otel.status_code", "\"2\"")) ==
        R"(1  {"otel.status_code":"2"})");
  CHECK(status(tag("otel.status_code", "\"2\"") + ',' +
               tag("otel.status_description", "\"late\"")) == "2 late {}");
  CHECK(status(tag("otel.status_code", "\"1\"") + ',' + tag("http.status_code", "\"500\"")) ==
        R"(1  {"http.status_code":"500"})");
  CHECK(status(tag("error", "\"\"")) == R"(2  {"error":""})");
  CHECK(status(tag("http.status_code", "\"200\"")) == R"(0  {"http.status_code":"200"})");
  CHECK(status(tag("http.status_code", "\"404\"") + ',' + tag("http.status_message", "\"gone\"")) ==
        R"(2 gone {"http.status_code":"404","http.status_message":"gone"})");
  CHECK(status(tag("http.status_code", "\"99\"")) == R"(2  {"http.status_code":"99"})");
}

TEST_CASE("ids, name, debug and parents of v1 are those of v2", "[zipkin]") {
  const Translation translated = from_v1(
      R"([{"traceId":"463ac35c9f6413ad48485a3953bb6124","id":"0A","parentId":"b","name":"unknown",
          "debug":true,"timestamp":5,"duration":2}])");
  const TranslatedSpan& span = translated.only();
  CHECK(span.text("traceId") == "463ac35c9f6413ad48485a3953bb6124");
  CHECK(span.text("spanId") == "000000000000000a");
  CHECK(span.text("parentSpanId") == "000000000000000b");
  CHECK(span.text("name").empty());
  CHECK(span.attributes == Json::parse(R"({"zipkin.debug":true})"));
  CHECK(from_v1(R"([{"traceId":"x","id":"1"}])").report.first_invalid ==
        "at byte 1: a span whose trace id is not 1 to 32 hexadecimal digits");
}

TEST_CASE("v1 JSON that does not fit refuses the request, with the byte", "[zipkin]") {
  const auto error = [](const std::string& members) {
    const Translation translated = from_v1(R"([{"traceId":"1","id":"2",)" + members + "}]");
    CHECK(translated.bytes.empty());
    return translated.report.error;
  };
  CHECK(error(R"("annotations":[{"value":"x"}])") ==
        "at byte 40: an annotation without timestamp or value");
  CHECK(error(R"("binaryAnnotations":[{"value":"x"}])") ==
        "at byte 46: a binary annotation without a key");
  CHECK(error(R"("annotations":{})") ==
        "at byte 39: expected an array near \"annotations\", found {}}]");
  CHECK(error(R"("annotations":[{"timestamp":"x","value":"y"}])").starts_with("at byte 53: "));
  for (const char* member : {"tags", "localEndpoint", "remoteEndpoint"})
    CHECK(error('"' + std::string(member) + "\":{}").find("this is the v2 format") !=
          std::string::npos);
}

TEST_CASE("a v1 request cut anywhere is refused and leaves nothing", "[zipkin]") {
  const std::string whole = R"([{"traceId":"1","id":"2","name":"n","annotations":[)" +
                            event("cs", 1) + "],\"binaryAnnotations\":[" + tag("k", "\"v\"") + "," +
                            address("sa", "db") + "],\"timestamp\":5}]";
  REQUIRE(from_v1(whole).read);
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const Translation translated = from_v1(whole.substr(0, size));
    REQUIRE_FALSE(translated.read);
    REQUIRE(translated.bytes.empty());
  }
}

TEST_CASE("a v1 span with more services than are told apart loses nothing", "[zipkin]") {
  std::string annotations;
  for (int i = 0; i < 100; ++i)
    annotations += (i == 0 ? "" : ",") + event("e" + std::to_string(i), 5, "s" + std::to_string(i));
  const Translation translated = v1(annotations);
  CHECK(translated.spans.size() == 16);
  std::size_t events = 0;
  for (const TranslatedSpan& span : translated.spans) events += span.span["events"].size();
  CHECK(events == 100);
}

// --- Thrift -----------------------------------------------------------------------------------

namespace {

std::string number(std::uint64_t value, std::size_t size) {
  std::string out;
  for (std::size_t i = size; i-- > 0;) out += static_cast<char>(value >> (8 * i));
  return out;
}
std::string head(int type, int id) {
  return number(static_cast<unsigned>(type), 1) + number(static_cast<unsigned>(id), 2);
}
std::string i64(int id, std::uint64_t value) { return head(10, id) + number(value, 8); }
std::string i32(int id, std::uint32_t value) { return head(8, id) + number(value, 4); }
std::string i16(int id, std::uint16_t value) { return head(6, id) + number(value, 2); }
std::string text(int id, const std::string& value) {
  return head(11, id) + number(value.size(), 4) + value;
}
std::string structure(int id, const std::string& fields) { return head(12, id) + fields + '\0'; }
std::string list(int id, const std::vector<std::string>& structs) {
  std::string out = head(15, id) + '\x0c' + number(structs.size(), 4);
  for (const std::string& each : structs) out += each + '\0';
  return out;
}
std::string spans(const std::vector<std::string>& structs) { return list(0, structs).substr(3); }
const std::string app = structure(3, i32(1, 0x0a000c07) + i16(2, 0x8000) + text(3, "app"));
std::string typed(const std::string& key, int type, const std::string& value) {
  return text(1, key) + text(2, value) + i32(3, static_cast<std::uint32_t>(type));
}
Translation from_thrift(const std::string& bytes) {
  return translate(zipkin::read_v1_thrift, bytes, {.now_unix_nano = now});
}

}  // namespace

TEST_CASE("every field of zipkincore finds its place", "[zipkin]") {
  const TranslatedSpan span =
      from_thrift(
          spans({i64(1, 0x1234) + i64(12, 0xabcd000000000000) + text(3, "name") +
                 i64(4, 0xff00000000000001) + i64(5, 7) +
                 list(6, {i64(1, 10) + text(2, "cs") + app, i64(1, 15) + text(2, "cr") + app,
                          i64(1, 12) + text(2, "event")}) +
                 list(8, {text(1, "sa") + text(2, "\x01") + i32(3, 0) +
                          structure(4, i32(1, 0x01020304) + text(3, "db") +
                                           text(4, std::string(15, '\0') + '\x01'))}) +
                 head(2, 9) + '\x01' + i64(10, 9) + i64(11, 7) + i32(99, 5)}))
          .only();
  CHECK(span.resource == Json::parse(R"({"service.name":"app"})"));
  CHECK(span.span == Json::parse(R"({"traceId":"abcd0000000000000000000000001234",
    "spanId":"ff00000000000001","parentSpanId":"0000000000000007","name":"name","kind":3,
    "startTimeUnixNano":"9000","endTimeUnixNano":"16000",
    "events":[{"timeUnixNano":"12000","name":"event"}]})"));
  CHECK(span.attributes == Json::parse(R"({"zipkin.debug":true,
    "network.local.address":"10.0.12.7","network.local.port":32768,"service.peer.name":"db",
    "network.peer.address":"1.2.3.4","zipkin.peer.ipv6":"::1"})"));
}

TEST_CASE("binary annotations of every type are attributes of that type", "[zipkin]") {
  const auto attributes = [](const std::vector<std::string>& annotations) {
    return from_thrift(spans({i64(1, 1) + i64(4, 2) + i64(10, 5) + list(8, annotations)}))
        .only()
        .attributes;
  };
  CHECK(attributes({typed("bool", 0, "\x01"), typed("no", 0, std::string(1, '\0')),
                    typed("bytes", 1, "\xff\x01"), typed("i16", 2, number(0xfffe, 2)),
                    typed("i32", 3, number(0x7fffffff, 4)),
                    typed("i64", 4, number(0x8000000000000000, 8)),
                    typed("double", 5, number(std::bit_cast<std::uint64_t>(-0.5), 8)),
                    typed("string", 6, "text"), typed("later", 7, "text"),
                    typed("short", 3, "\x01\x02")}) ==
        Json::parse(R"({"bool":true,"no":false,"bytes":"/wE=","i16":-2,"i32":2147483647,
          "i64":-9223372036854775808,"double":-0.5,"string":"text","later":"text","short":"AQI="})"));
  SECTION("numbers tell the status too") {
    const TranslatedSpan span =
        from_thrift(spans({i64(1, 1) + i64(4, 2) +
                           list(8, {typed("http.status_code", 2, number(503, 2))})}))
            .only();
    CHECK(span.span["status"]["code"] == 2);
    CHECK(span.attributes["http.status_code"] == 503);
  }
}

TEST_CASE("the compact protocol has the same spans", "[zipkin]") {
  using namespace std::string_literals;
  // A list of one struct: trace_id 1 = 2, name = "n", id 4 = 3, annotations.
  const std::string bytes = "\x1c\x16\x04\x28\x01n\x16\x06\x29\x1c\x16\x14\x18\x01x\0\0"s;
  thrift::CompactReader in(bytes);
  SpanWriter out(16);
  zipkin::ReadReport report;
  REQUIRE(zipkin::read_v1_thrift_list(in, {}, out, report));
  CHECK(report.spans_taken == 1);
  CHECK(in.left() == 0);
  ParseReport parsed;
  const auto batch = SpanBatch::parse(std::move(out).take().freeze(), parsed);
  REQUIRE(batch);
  CHECK(SpanView(batch->span_bytes(std::uint32_t{0})).name() == "n");
}

TEST_CASE("Thrift that does not parse is refused and leaves nothing", "[zipkin]") {
  const std::string whole =
      spans({i64(1, 1) + i64(4, 2) + list(6, {i64(1, 10) + text(2, "cs") + app}) +
             list(8, {typed("k", 6, "v")})});
  REQUIRE(from_thrift(whole).read);
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const Translation translated = from_thrift(whole.substr(0, size));
    REQUIRE_FALSE(translated.read);
    REQUIRE(translated.bytes.empty());
  }
  CHECK(from_thrift(whole + "x").report.error.starts_with("bytes behind the end of the list"));
  CHECK(from_thrift(std::string("\x0b\0\0\0\x01", 5)).read == false);
  CHECK(from_thrift(std::string("\x0c\x7f\xff\xff\xff", 5))
            .report.error.starts_with("more elements are declared"));
  CHECK(from_thrift("").read);
  CHECK(from_thrift(std::string("\x0c\0\0\0\0", 5)).read);
  CHECK(from_thrift(std::string("\x0c\0\0\0\x02\0\0", 7)).report.spans_invalid_id == 2);
}

}  // namespace sluice::test
