#include "exporters/zipkin/zipkin.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "pipeline/net/compression.h"
#include "test/support/exporter_fixture.h"
#include "test/support/http_server.h"
#include "test/support/otlp_builder.h"
#include "test/support/readme.h"
#include "test/support/zipkin_translation.h"

namespace sluice::test {
namespace {

using Said = HttpServer::Answer;
using Seen = HttpServer::Seen;
using Lines = std::vector<std::string>;

SpanBatch spans(std::size_t count, const std::string& service = "shop") {
  return make_batch({{.service = service, .spans = numbered_spans(count)}});
}

std::string to(const HttpServer& server, const std::string& more = "") {
  return "{endpoint: \"http://" + server.address() + "/api/v2/spans\"" + more + "}";
}

Said answer(std::string_view status) { return {.bytes = http_response(status, "why")}; }

}  // namespace

TEST_CASE("zipkin: spans arrive as v2 JSON", "[zipkin_exporter]") {
  HttpServer server([](const Seen&) { return answer("202 Accepted"); });
  ExporterFixture fixture(zipkin_exporter(), to(server));
  fixture.start();
  fixture.send(spans(10));
  fixture.stop();
  const Seen seen = server.seen().at(0);
  CHECK(seen.line == "POST /api/v2/spans HTTP/1.1");
  CHECK(seen.headers.at("content-type") == "application/json");
  CHECK(seen.headers.count("content-encoding") == 0);
  const Json json = Json::parse(seen.body);
  REQUIRE(json.size() == 10);
  CHECK(json[3]["name"] == "span-3");
  CHECK(json[3]["localEndpoint"]["serviceName"] == "shop");
  CHECK(fixture.counters.out.value() == 10);
}

TEST_CASE("zipkin: spans arrive as protobuf", "[zipkin_exporter]") {
  HttpServer server([](const Seen&) { return answer("202 Accepted"); });
  ExporterFixture fixture(zipkin_exporter(), to(server, ", format: proto"), 2);
  fixture.start();
  fixture.send(spans(10));
  fixture.stop();
  const Seen seen = server.seen().at(0);
  CHECK(seen.headers.at("content-type") == "application/x-protobuf");
  const Translation read = translate(zipkin::read_v2_proto, seen.body);
  REQUIRE(read.spans.size() == 10);
  CHECK(read.spans[3].text("name") == "span-3");
}

TEST_CASE("zipkin: gzip can be undone", "[zipkin_exporter]") {
  HttpServer server([](const Seen&) { return answer("202 Accepted"); });
  ExporterFixture fixture(zipkin_exporter(), to(server, ", compression: gzip"));
  fixture.start();
  fixture.send(spans(10));
  fixture.stop();
  const Seen seen = server.seen().at(0);
  CHECK(seen.headers.at("content-encoding") == "gzip");
  BufferWriter out;
  REQUIRE(net::inflate(net::Encoding::gzip, seen.body, 1 << 20, out) == net::InflateError::none);
  CHECK(Json::parse(out.bytes()).size() == 10);
}

TEST_CASE("zipkin: a service without a name has the default one", "[zipkin_exporter]") {
  const auto [more, name] = GENERATE(table<std::string, std::string>(
      {{"", "<missing service name>"}, {", default_service_name: none", "none"}}));
  HttpServer server([](const Seen&) { return answer("202 Accepted"); });
  ExporterFixture fixture(zipkin_exporter(), to(server, more));
  fixture.start();
  fixture.send(spans(1, ""));
  fixture.stop();
  CHECK(Json::parse(server.seen().at(0).body)[0]["localEndpoint"]["serviceName"] == name);
}

TEST_CASE("zipkin: what the server answers decides", "[zipkin_exporter]") {
  const auto [status, reason] =
      GENERATE(table<std::string, std::string>({{"400 Bad Request", "invalid"},
                                                {"404 Not Found", "permanent"},
                                                {"302 Found", "permanent"}}));
  HttpServer server([said = status](const Seen&) { return answer(said); });
  ExporterFixture fixture(zipkin_exporter(), to(server));
  fixture.start();
  fixture.send(spans(1));
  fixture.stop();
  CHECK(fixture.dropped(reason) == 1);
}

TEST_CASE("zipkin: a server that fails is tried again", "[zipkin_exporter]") {
  const std::string status = GENERATE("429 Too Many", "500 Oops", "503 Busy");
  std::size_t turn = 0;
  HttpServer server([&, status](const Seen&) {
    return answer(turn++ == 0 ? status : std::string("202 Accepted"));
  });
  ExporterFixture fixture(zipkin_exporter(),
                          to(server, ", retry_on_failure: {initial_interval: 1ms}"));
  fixture.start();
  fixture.send(spans(2));
  fixture.stop();
  CHECK(server.seen().size() == 2);
  CHECK(fixture.counters.out.value() == 2);
}

TEST_CASE("zipkin: repaired text is counted", "[zipkin_exporter]") {
  HttpServer server([](const Seen&) { return answer("202 Accepted"); });
  ExporterFixture fixture(zipkin_exporter(), to(server));
  fixture.start();
  fixture.send(spans(3, "s\xff"));
  fixture.stop();
  CHECK(fixture.metrics.value("sluice_exporter_repaired_texts", {{"exporter", "test"}}) == 3);
}

TEST_CASE("zipkin: mistakes are named", "[zipkin_exporter]") {
  const auto lines = [](const std::string& yaml) { return mistakes(zipkin_exporter(), yaml); };
  CHECK(lines("{}").size() == 1);
  CHECK(lines("{endpoint: \"http://a/api/v2/spans\"}").empty());
  CHECK(lines("{endpoint: \"zipkin:9411\"}").size() == 1);
  CHECK(lines("{endpoint: \"http://a\", format: xml}") ==
        Lines{"test.yaml:1:32: format: expected one of \"json\", \"proto\", found \"xml\""});
  CHECK(lines("{endpoint: \"http://a\", default_service: x}") ==
        Lines{"test.yaml:1:24: default_service: unknown key; did you mean "
              "\"default_service_name\"?"});
}

TEST_CASE("zipkin: the README tells what is decoded", "[zipkin_exporter]") {
  CHECK(readme_mistakes("exporters/zipkin/README.md", "exporters", "zipkin",
                        zipkin_exporter().decode) == Lines{});
}

}  // namespace sluice::test
