#include "exporters/otlphttp/otlphttp.h"

#include <catch2/catch.hpp>

#include "exporters/otlphttp/otlphttp_sender.h"
#include "pipeline/codec/otlp_json.h"
#include "test/support/certificates.h"
#include "test/support/exporter_fixture.h"
#include "test/support/http_server.h"
#include "test/support/otlp_builder.h"
#include "test/support/readme.h"

using namespace sluice;
using namespace std::chrono_literals;
using test::ExporterFixture;
using test::http_response;
using test::HttpServer;
using test::length_field;
using test::varint_field;
using Said = HttpServer::Answer;
using Kind = SendResult::Kind;
using Lines = std::vector<std::string>;
using Seen = HttpServer::Seen;

namespace {

SpanBatch spans(std::size_t count) {
  return test::make_batch({{.service = "shop", .spans = test::numbered_spans(count)}});
}

Said answer(std::string_view status, std::string_view body = "", std::string_view headers = "") {
  return {.bytes = http_response(status, body, headers)};
}

std::string to(const HttpServer& server, const std::string& more = "") {
  return "{endpoint: \"http://" + server.address() + "\"" + more + "}";
}

net::ClientResponse response(int status, std::string body = "",
                             std::string content_type = "application/x-protobuf") {
  net::ClientResponse made;
  made.status = status;
  made.body = std::move(body);
  made.content_type = std::move(content_type);
  return made;
}

SendResult read(const net::ClientResponse& made) {
  return read_http_response(made, std::chrono::system_clock::now());
}

}  // namespace

TEST_CASE("otlphttp: a batch arrives as the bytes it came as", "[otlphttp_exporter]") {
  HttpServer server([](const Seen&) { return answer("200 OK"); });
  ExporterFixture fixture(otlphttp_exporter(),
                          to(server, ", compression: none, headers: {X-Tenant: blue}"));
  fixture.start();
  const SpanBatch batch = spans(100);
  fixture.send(batch);
  fixture.stop();
  const Seen seen = server.seen().at(0);
  CHECK((seen.body == batch.encode().to_string()));
  CHECK(seen.line == "POST /v1/traces HTTP/1.1");
  CHECK(seen.headers.at("content-type") == "application/x-protobuf");
  CHECK(seen.headers.at("user-agent") == "sluice/" SLUICE_VERSION);
  CHECK(seen.headers.at("x-tenant") == "blue");
  CHECK(seen.headers.count("content-encoding") == 0);
  CHECK(fixture.counters.out.value() == 100);
}

TEST_CASE("otlphttp: JSON is the same spans", "[otlphttp_exporter]") {
  HttpServer server(
      [](const Seen&) { return answer("200 OK", "{}", "Content-Type: application/json\r\n"); });
  ExporterFixture fixture(otlphttp_exporter(), to(server, ", compression: none, encoding: json"),
                          2);
  fixture.start();
  const SpanBatch batch = spans(10);
  fixture.send(batch);
  fixture.stop();
  const Seen seen = server.seen().at(0);
  CHECK(seen.headers.at("content-type") == "application/json");
  BufferWriter out;
  JsonReport report;
  REQUIRE(otlp_json_to_proto(seen.body, out, report));
  CHECK(test::span_names(test::parse_batch(out.bytes())) == test::span_names(batch));
}

TEST_CASE("otlphttp: each compression says its name and can be undone", "[otlphttp_exporter]") {
  const auto [key, name, encoding] = GENERATE(table<std::string, std::string, net::Encoding>(
      {{"", "gzip", net::Encoding::gzip},
       {", compression: gzip, compression_params: {level: 9}", "gzip", net::Encoding::gzip},
       {", compression: zstd, compression_params: {level: 5}", "zstd", net::Encoding::zstd},
       {", compression: zlib", "zlib", net::Encoding::zlib},
       {", compression: deflate", "deflate", net::Encoding::deflate},
       {", compression: snappy", "snappy", net::Encoding::snappy},
       {", compression: x-snappy-framed", "x-snappy-framed", net::Encoding::snappy_framed},
       {", compression: lz4", "lz4", net::Encoding::lz4}}));
  HttpServer server([](const Seen&) { return answer("200 OK"); });
  ExporterFixture fixture(otlphttp_exporter(), to(server, key));
  fixture.start();
  const SpanBatch batch = spans(100);
  fixture.send(batch);
  fixture.stop();
  const Seen seen = server.seen().at(0);
  CHECK(seen.headers.at("content-encoding") == name);
  BufferWriter out;
  REQUIRE(net::inflate(encoding, seen.body, 1 << 20, out) == net::InflateError::none);
  CHECK((out.bytes() == batch.encode().to_string()));
}

TEST_CASE("otlphttp: the path is the endpoint's and /v1/traces, or traces_endpoint as it is",
          "[otlphttp_exporter]") {
  HttpServer server([](const Seen&) { return answer("200 OK"); });
  const std::string base = "http://user:secret@" + server.address();
  std::string yaml;
  std::string line;
  SECTION("endpoint") {
    yaml = "{endpoint: \"" + base + "/otlp/\"}";
    line = "POST /otlp/v1/traces HTTP/1.1";
  }
  SECTION("traces_endpoint") {
    yaml = "{endpoint: \"http://other.invalid\", traces_endpoint: \"" + base + "/in?k=v\"}";
    line = "POST /in?k=v HTTP/1.1";
  }
  ExporterFixture fixture(otlphttp_exporter(), yaml);
  fixture.start();
  fixture.send(spans(1));
  fixture.stop();
  CHECK(server.seen().at(0).line == line);
  CHECK(server.seen().at(0).headers.at("authorization") == "Basic dXNlcjpzZWNyZXQ=");
}

TEST_CASE("otlphttp: https goes to a server whose certificate fits", "[otlphttp_exporter]") {
  const test::Certificate authority =
      test::make_certificate({.name = "test authority", .authority = true});
  const test::TemporaryFile ca(authority.certificate);
  HttpServer server({.tls = test::make_certificate({.issuer = &authority})},
                    [](const Seen&) { return answer("200 OK"); });
  ExporterFixture fixture(otlphttp_exporter(),
                          "{endpoint: \"https://localhost:" + std::to_string(server.port()) +
                              "\", tls: {ca_file: \"" + ca.path() + "\"}}");
  fixture.start();
  fixture.send(spans(3));
  fixture.stop();
  CHECK(fixture.counters.out.value() == 3);
}

TEST_CASE("otlphttp: a certificate that cannot be read is named at start", "[otlphttp_exporter]") {
  ExporterFixture fixture(otlphttp_exporter(),
                          "{endpoint: \"https://localhost\", tls: {ca_file: /nowhere/ca.pem}}");
  std::string error;
  CHECK_FALSE(fixture.exporter->start(error));
  CHECK(error == "tls.ca_file \"/nowhere/ca.pem\": cannot read: No such file or directory");
}

TEST_CASE("otlphttp: what is rejected in part is counted and not sent again",
          "[otlphttp_exporter]") {
  const bool json = GENERATE(true, false);
  const std::string body =
      json ? R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}})"
           : length_field(1, varint_field(1, 3) + length_field(2, "too old"));
  const std::string type = json ? "Content-Type: application/json; charset=utf-8\r\n"
                                : "Content-Type: application/x-protobuf\r\n";
  HttpServer server([=](const Seen&) { return answer("200 OK", body, type); });
  ExporterFixture fixture(otlphttp_exporter(), to(server, json ? ", encoding: json" : ""));
  fixture.start();
  fixture.send(spans(10));
  fixture.stop();
  CHECK(server.seen().size() == 1);
  CHECK(fixture.counters.out.value() == 7);
  CHECK(fixture.dropped("partial_success") == 3);
}

TEST_CASE("otlphttp: each status means what the specification says", "[otlphttp_exporter]") {
  CHECK(read(response(200)).kind == Kind::delivered);
  CHECK(read(response(204)).kind == Kind::delivered);
  for (const int status : {429, 502, 503, 504}) CHECK(read(response(status)).kind == Kind::retry);
  for (const int status : {301, 302, 401, 403, 404, 405, 415, 500, 501})
    CHECK(read(response(status)).kind == Kind::permanent);
  CHECK(read(response(413)).kind == Kind::too_large);
  CHECK(read(response(400)).kind == Kind::invalid);
  net::ClientResponse failed;
  failed.failed = true;
  CHECK(read(failed).kind == Kind::retry);
}

TEST_CASE("otlphttp: the reason is taken from the body, whatever its form", "[otlphttp_exporter]") {
  CHECK(read(response(400, length_field(2, "bad span"))).message == "HTTP status 400: bad span");
  CHECK(read(response(400, R"({"code":3,"message":"bad span"})", "application/json")).message ==
        "HTTP status 400: bad span");
  CHECK(read(response(400, "bad span", "text/plain")).message == "HTTP status 400: bad span");
  CHECK(read(response(400, std::string(10'000, 'x'), "text/html")).message.size() < 600);
  net::ClientResponse bare = response(400);
  bare.message = "Bad Request";
  CHECK(read(bare).message == "HTTP status 400: Bad Request");
  for (const char* body : {"{", "[]", "\xff", "{\"message\":1}"}) {
    CHECK(read(response(400, body, "application/json")).message == "HTTP status 400");
  }
}

TEST_CASE("otlphttp: a partial success that cannot be read is a success", "[otlphttp_exporter]") {
  for (const char* body :
       {"", "{", "[]", "{\"partialSuccess\":3}", "{\"partialSuccess\":{\"rejectedSpans\":\"x\"}}",
        "{\"partialSuccess\":{\"rejectedSpans\":-5}}"}) {
    const SendResult result = read(response(200, body, "application/json"));
    CHECK(result.kind == Kind::delivered);
    CHECK(result.rejected_spans == 0);
  }
  CHECK(read(response(200, R"({"partialSuccess":{"rejectedSpans":7}})", "application/json"))
            .rejected_spans == 7);
  CHECK(read(response(200, "\x0a\xff")).rejected_spans == 0);
}

TEST_CASE("otlphttp: Retry-After is seconds or a date", "[otlphttp_exporter]") {
  const std::chrono::system_clock::time_point now{784111777s};  // Sun, 06 Nov 1994 08:49:37 GMT
  const auto delay = [now](std::string_view text) { return parse_retry_after(text, now); };
  CHECK(delay("120") == 120s);
  CHECK(delay("0") == 0s);
  CHECK(delay("-1") == 0s);
  CHECK(delay("99999999999") == 24h);
  CHECK(delay("Sun, 06 Nov 1994 08:50:07 GMT") == 30s);
  CHECK(delay("Sun, 06 Nov 1994 08:49:07 GMT") == 0s);
  CHECK(delay("Sun, 06 Nov 2094 08:49:07 GMT") == 24h);
  CHECK(delay("") == 0s);
  CHECK(delay("soon") == 0s);
  net::ClientResponse busy = response(503);
  busy.retry_after = "7";
  CHECK(read(busy).delay == 7s);
}

TEST_CASE("otlphttp: mistakes are named", "[otlphttp_exporter]") {
  const auto lines = [](const std::string& yaml) {
    return test::mistakes(otlphttp_exporter(), yaml);
  };
  const auto with = [&](const std::string& more) {
    return lines("{endpoint: \"http://a\", " + more + "}");
  };
  CHECK(lines("{}").size() == 1);
  CHECK(lines("{endpoint: \"gateway:4318\"}") ==
        Lines{"test.yaml:1:12: endpoint: expected a URL such as \"https://gateway:4318\", found "
              "\"gateway:4318\""});
  CHECK(with("encoding: xml") ==
        Lines{"test.yaml:1:34: encoding: expected one of \"proto\", \"json\", found \"xml\""});
  CHECK(with("compression_params: {level: 10}") ==
        Lines{"test.yaml:1:52: compression_params.level: must be between 1 and 9, or 0 for the "
              "default"});
  CHECK(with("compression: lz4, compression_params: {level: 1}") ==
        Lines{"test.yaml:1:70: compression_params.level: this compression has no levels"});
  CHECK(with("cookies: {enabled: true}") ==
        Lines{"test.yaml:1:33: cookies: cookies are not kept; remove the block"});
  CHECK(with("auth: {authenticator: oauth2}") ==
        Lines{"test.yaml:1:30: auth: authenticators come later; until then give the credential in "
              "headers"});
  CHECK(with("headers: {content-length: 5}") ==
        Lines{"test.yaml:1:33: headers: \"content-length\" is set by sluice itself"});
  CHECK(with("proxy_url: \"https://proxy\"") ==
        Lines{"test.yaml:1:35: proxy_url: the proxy itself is spoken to without TLS: expected "
              "http://"});
  CHECK(with("keepalive: {idle_conn_timeout: -1s}") ==
        Lines{"test.yaml:1:55: keepalive.idle_conn_timeout: must not be negative"});
  CHECK(with("keepalive: {enabled: false}, max_conns_per_host: 3, disable_keep_alives: true")
            .empty());
}

TEST_CASE("otlphttp: the README tells what is decoded", "[otlphttp_exporter]") {
  CHECK(otlphttp_exporter().aliases == std::vector<std::string_view>{"otlp_http"});
  CHECK(test::readme_mistakes("exporters/otlphttp/README.md", "exporters", "otlphttp",
                              otlphttp_exporter().decode) == Lines{});
}
