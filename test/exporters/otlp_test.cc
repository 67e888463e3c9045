#include "exporters/otlp/otlp.h"

#include <catch2/catch.hpp>

#include "pipeline/export/otlp_sender.h"
#include "test/support/certificates.h"
#include "test/support/client_calls.h"
#include "test/support/exporter_fixture.h"
#include "test/support/h2_server.h"
#include "test/support/otlp_builder.h"
#include "test/support/readme.h"

using namespace sluice;
using namespace std::chrono_literals;
using test::ExporterFixture;
using test::grpc_message;
using test::H2Server;
using test::length_field;
using test::varint_field;
using Said = H2Server::Answer;
using Kind = SendResult::Kind;
using Lines = std::vector<std::string>;
using Seen = H2Server::Seen;

namespace {

SpanBatch spans(std::size_t count) {
  return test::make_batch({{.service = "shop", .spans = test::numbered_spans(count)}});
}

Said ok(const std::string& message = "") {
  Said answer;
  answer.body = grpc_message(message);
  return answer;
}

Said status(const std::string& code) {
  Said answer;
  answer.trailers = {{"grpc-status", code}, {"grpc-message", "why"}};
  return answer;
}

std::string plain(const H2Server& server, const std::string& more = "") {
  return "{endpoint: \"" + server.address() + "\", tls: {insecure: true}" + more + "}";
}

net::ClientResponse response(net::GrpcCode code) {
  net::ClientResponse made;
  made.grpc = code;
  made.message = "why";
  return made;
}

std::string any(const std::string& type, const std::string& value) {
  return length_field(3, length_field(1, "type.googleapis.com/" + type) + length_field(2, value));
}

std::string retry_info(std::uint64_t seconds, std::uint64_t nanos) {
  return any("google.rpc.RetryInfo",
             length_field(1, varint_field(1, seconds) + varint_field(2, nanos)));
}

}  // namespace

TEST_CASE("otlp: a batch arrives as the bytes it came as", "[otlp_exporter]") {
  H2Server server([](const Seen&) { return ok(); });
  ExporterFixture fixture(
      otlp_exporter(),
      plain(server, ", compression: none, headers: {X-Tenant: blue, token-bin: a}"));
  fixture.start();
  const SpanBatch batch = spans(100);
  fixture.send(batch);
  fixture.stop();
  const Seen seen = server.seen().at(0);
  CHECK((seen.body == grpc_message(batch.encode().to_string())));
  CHECK(seen.headers.at(":path") == "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
  CHECK(seen.headers.at("user-agent") == "sluice/" SLUICE_VERSION);
  CHECK(seen.headers.at("x-tenant") == "blue");
  CHECK(seen.headers.at("token-bin") == "YQ==");
  CHECK(fixture.counters.out.value() == 100);
  CHECK(fixture.counters.held.value() == 0);
}

TEST_CASE("otlp: each compression says its name and can be undone", "[otlp_exporter]") {
  const auto [key, name, encoding] = GENERATE(table<std::string, std::string, net::Encoding>(
      {{"", "gzip", net::Encoding::gzip},
       {", compression: gzip", "gzip", net::Encoding::gzip},
       {", compression: zstd", "zstd", net::Encoding::zstd},
       {", compression: snappy", "snappy", net::Encoding::snappy_framed}}));
  const std::size_t workers = GENERATE(1u, 2u);
  H2Server server([](const Seen&) { return ok(); });
  ExporterFixture fixture(otlp_exporter(), plain(server, key), workers);
  fixture.start();
  const SpanBatch batch = spans(100);
  for (int index = 0; index < 3; ++index) fixture.send(batch);
  fixture.stop();
  CHECK(fixture.counters.out.value() == 300);
  for (const Seen& seen : server.seen()) {
    CHECK(seen.headers.at("grpc-encoding") == name);
    CHECK(seen.body.at(0) == 1);
    BufferWriter out;
    REQUIRE(net::inflate(encoding, std::string_view(seen.body).substr(5), 1 << 20, out) ==
            net::InflateError::none);
    CHECK((out.bytes() == batch.encode().to_string()));
  }
}

TEST_CASE("otlp: options reach the wire", "[otlp_exporter]") {
  H2Server server([](const Seen&) { return ok(); });
  ExporterFixture fixture(otlp_exporter(),
                          plain(server,
                                ", authority: other.example, user_agent: me/1, timeout: 2s, "
                                "balancer_name: pick_first, wait_for_ready: true, keepalive: {}"));
  fixture.start();
  fixture.send(spans(1));
  fixture.stop();
  const Seen seen = server.seen().at(0);
  CHECK(seen.headers.at(":authority") == "other.example");
  CHECK(seen.headers.at("user-agent") == "me/1");
  CHECK(seen.headers.at("grpc-timeout").size() <= 8);
}

TEST_CASE("otlp: TLS is on unless it is switched off", "[otlp_exporter]") {
  const test::Certificate authority =
      test::make_certificate({.name = "test authority", .authority = true});
  const test::TemporaryFile ca(authority.certificate);
  H2Server::Options options;
  options.socket.tls = test::make_certificate({.name = "gateway.example", .issuer = &authority});
  H2Server server(options, [](const Seen&) { return ok(); });
  const std::string port = std::to_string(server.port());
  const std::string tls = "ca_file: \"" + ca.path() + "\", server_name_override: gateway.example";
  std::string yaml;
  SECTION("by default") { yaml = "{endpoint: \"localhost:" + port + "\", tls: {" + tls + "}}"; }
  SECTION("with a CA, whatever insecure says") {
    yaml = "{endpoint: \"localhost:" + port + "\", tls: {insecure: true, " + tls + "}}";
  }
  ExporterFixture fixture(otlp_exporter(), yaml);
  fixture.start();
  fixture.send(spans(1));
  fixture.stop();
  CHECK(fixture.counters.out.value() == 1);
  CHECK(server.seen().at(0).server_name == "gateway.example");
  CHECK(server.seen().at(0).headers.at(":authority") == "gateway.example");
}

TEST_CASE("otlp: a certificate that cannot be read is named at start", "[otlp_exporter]") {
  ExporterFixture fixture(otlp_exporter(),
                          "{endpoint: \"localhost:4317\", tls: {ca_file: /nowhere/ca.pem}}");
  std::string error;
  CHECK_FALSE(fixture.exporter->start(error));
  CHECK(error == "tls.ca_file \"/nowhere/ca.pem\": cannot read: No such file or directory");
}

TEST_CASE("otlp: what is rejected in part is counted and not sent again", "[otlp_exporter]") {
  H2Server server([](const Seen&) {
    return ok(length_field(1, varint_field(1, 3) + length_field(2, "too old")));
  });
  ExporterFixture fixture(otlp_exporter(), plain(server));
  fixture.start();
  fixture.send(spans(10));
  fixture.stop();
  CHECK(server.seen().size() == 1);
  CHECK(fixture.counters.out.value() == 7);
  CHECK(fixture.dropped("partial_success") == 3);
}

TEST_CASE("otlp: a request that is too large goes in halves", "[otlp_exporter]") {
  const SpanBatch batch = spans(8);
  const std::size_t most = batch.encode().size / 2;
  H2Server server(
      [most](const Seen& seen) { return seen.body.size() > most ? status("8") : ok(); });
  ExporterFixture fixture(otlp_exporter(), plain(server, ", compression: none"));
  fixture.start();
  fixture.send(batch);
  fixture.stop();
  CHECK(fixture.counters.out.value() == 8);
  CHECK(server.seen().size() > 2);
}

TEST_CASE("otlp: what is permanent is dropped at once", "[otlp_exporter]") {
  H2Server server([](const Seen&) { return status("16"); });
  ExporterFixture fixture(otlp_exporter(), plain(server));
  fixture.start();
  fixture.send(spans(5));
  fixture.stop();
  CHECK(server.seen().size() == 1);
  CHECK(fixture.dropped("permanent") == 5);
}

TEST_CASE("otlp: a backend that was not there gets the spans when it is", "[otlp_exporter]") {
  auto calls = std::make_shared<std::atomic<int>>(0);
  H2Server server([calls](const Seen&) { return (*calls)++ == 0 ? status("14") : ok(); });
  ExporterFixture fixture(
      otlp_exporter(),
      plain(server, ", retry_on_failure: {initial_interval: 1ms, max_interval: 1ms}"));
  fixture.start();
  fixture.send(spans(5));
  server.wait_for_seen(2);
  fixture.stop();
  CHECK(fixture.counters.out.value() == 5);
}

TEST_CASE("otlp: each code means what the specification says", "[otlp_exporter]") {
  using net::GrpcCode;
  const auto kind = [](GrpcCode code) { return read_grpc_response(response(code)).kind; };
  for (const GrpcCode code : {GrpcCode::cancelled, GrpcCode::deadline_exceeded, GrpcCode::aborted,
                              GrpcCode::out_of_range, GrpcCode::unavailable, GrpcCode::data_loss}) {
    CHECK(kind(code) == Kind::retry);
  }
  for (const GrpcCode code :
       {GrpcCode::unknown, GrpcCode::not_found, GrpcCode::already_exists,
        GrpcCode::permission_denied, GrpcCode::failed_precondition, GrpcCode::unimplemented,
        GrpcCode::internal, GrpcCode::unauthenticated}) {
    CHECK(kind(code) == Kind::permanent);
  }
  CHECK(kind(GrpcCode::invalid_argument) == Kind::invalid);
  CHECK(kind(GrpcCode::resource_exhausted) == Kind::too_large);
  CHECK(read_grpc_response(response(GrpcCode::unavailable)).message == "UNAVAILABLE: why");
  net::ClientResponse failed;
  failed.failed = true;
  CHECK(read_grpc_response(failed).kind == Kind::retry);
}

TEST_CASE("otlp: RetryInfo among the details sets the delay", "[otlp_exporter]") {
  net::ClientResponse made = response(net::GrpcCode::resource_exhausted);
  made.status_details =
      varint_field(1, 8) + any("google.rpc.Help", "x") + retry_info(2, 500'000'000);
  CHECK(read_grpc_response(made).kind == Kind::retry);
  CHECK(read_grpc_response(made).delay == 2500ms);
  made.grpc = net::GrpcCode::unavailable;
  CHECK(read_grpc_response(made).delay == 2500ms);
  made.status_details = retry_info(static_cast<std::uint64_t>(-5), 0);
  CHECK(read_grpc_response(made).delay == 0ms);
  made.status_details = retry_info(UINT64_MAX / 4, 0);
  CHECK(read_grpc_response(made).delay == 24h);
  made.status_details = "\xff\xff";
  CHECK(read_grpc_response(made).delay == 0ms);
}

TEST_CASE("otlp: both names are the same type", "[otlp_exporter]") {
  CHECK(otlp_exporter().name == "otlp");
  CHECK(otlp_exporter().aliases == std::vector<std::string_view>{"otlp_grpc"});
}

TEST_CASE("otlp: mistakes are named", "[otlp_exporter]") {
  const auto lines = [](const std::string& yaml) { return test::mistakes(otlp_exporter(), yaml); };
  const auto with = [&](const std::string& more) {
    return lines("{endpoint: \"a:1\", " + more + "}");
  };
  CHECK(lines("{}") == Lines{"test.yaml:1:1: endpoint: required, but missing"});
  CHECK(lines("{endpoint: gateway}") == Lines{"test.yaml:1:12: endpoint: expected an address such "
                                              "as \"gateway:4317\", \"dns:///gateway:4317\" or "
                                              "\"unix:///run/x.sock\", found \"gateway\""});
  CHECK(with("compression: lz4") == Lines{"test.yaml:1:32: compression: expected one of \"gzip\", "
                                          "\"zstd\", \"snappy\", \"none\", \"\", found \"lz4\""});
  CHECK(with("balancer_name: random") ==
        Lines{"test.yaml:1:34: balancer_name: expected one of \"round_robin\", \"pick_first\", "
              "found \"random\""});
  CHECK(with("auth: {authenticator: oauth2}") ==
        Lines{"test.yaml:1:25: auth: authenticators come later; until then give the credential in "
              "headers"});
  CHECK(with("middlewares: [x]") ==
        Lines{"test.yaml:1:32: middlewares: middlewares are not supported"});
  CHECK(with("headers: {te: x}") ==
        Lines{"test.yaml:1:28: headers: \"te\" is set by sluice itself"});
  CHECK(with("headers: {\"a b\": x}") ==
        Lines{"test.yaml:1:28: headers: \"a b\" is no name of a header"});
  CHECK(with("headers: {a: \"x\\n\"}") == Lines{"test.yaml:1:28: headers: the value of \"a\" holds "
                                                "a line break or another control character"});
  CHECK(with("headers: [{name: a, value: b}]").empty());
  CHECK(with("keepalive: {time: -1s}") ==
        Lines{"test.yaml:1:37: keepalive.time: must not be negative"});
  CHECK(with("keepalive: {timeout: 0}") ==
        Lines{"test.yaml:1:40: keepalive.timeout: must be more than 0"});
  CHECK(with("endpont: x") ==
        Lines{"test.yaml:1:19: endpont: unknown key; did you mean \"endpoint\"?"});
}

TEST_CASE("otlp: the README tells what is decoded", "[otlp_exporter]") {
  CHECK(test::readme_mistakes("exporters/otlp/README.md", "exporters", "otlp",
                              otlp_exporter().decode) == Lines{});
}
