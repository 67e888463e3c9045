#include <string>

#include <catch2/catch.hpp>

#include "pipeline/net/server.h"
#include "test/config/problems.h"

namespace sluice::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using test::Lines;

struct Decoded {
  ServerBlock block;
  Lines problems;
};

Decoded decode(ServerBlock (*function)(const config::Node&, std::string_view),
               std::string_view text) {
  config::Problems problems;
  const config::Node node = config::parse_text(text, "test.yaml", problems);
  Decoded decoded;
  decoded.block = function(node, "localhost:4317");
  node.no_other_keys();
  decoded.problems = test::lines(problems);
  return decoded;
}

Decoded grpc(std::string_view text) { return decode(decode_grpc_server, text); }
Decoded http(std::string_view text) { return decode(decode_http_server, text); }

}  // namespace

TEST_CASE("an empty server block has the defaults", "[server_block]") {
  for (const Decoded& decoded : {grpc("{}"), http("{}")}) {
    CHECK(decoded.problems == Lines{});
    CHECK(decoded.block.endpoint.to_string() == "localhost:4317");
    CHECK(decoded.block.body_bytes_max == 64 << 20);
    CHECK(decoded.block.server == ServerOptions{});
    CHECK_FALSE(decoded.block.route.include_metadata);
  }
  CHECK(grpc("{}").block.route.encodings == std::vector<std::string>{"", "gzip", "zstd", "snappy"});
  CHECK(http("{}").block.route.encodings == RouteOptions{}.encodings);
}

TEST_CASE("every key of a gRPC server block is read", "[server_block]") {
  const Decoded decoded = grpc(R"(
endpoint: 0.0.0.0:1
transport: tcp
tls:
auth:
middlewares: []
max_recv_msg_size_mib: 16
max_concurrent_streams: 7
read_buffer_size: 1
write_buffer_size: 2
include_metadata: true
keepalive:
  server_parameters:
    max_connection_idle: 11s
    max_connection_age: 12s
    max_connection_age_grace: 13s
    time: 14s
    timeout: 15s
  enforcement_policy:
    min_time: 16s
    permit_without_stream: true
)");
  CHECK(decoded.problems == Lines{});
  CHECK(decoded.block.endpoint.to_string() == "0.0.0.0:1");
  CHECK(decoded.block.body_bytes_max == 16 << 20);
  CHECK(decoded.block.server.streams_max == 7);
  CHECK(decoded.block.route.include_metadata);
  CHECK(decoded.block.server.idle_timeout == seconds(11));
  CHECK(decoded.block.server.connection_age_max == seconds(12));
  CHECK(decoded.block.server.connection_age_grace == seconds(13));
  CHECK(decoded.block.server.keepalive_time == seconds(14));
  CHECK(decoded.block.server.keepalive_timeout == seconds(15));
  CHECK(decoded.block.server.ping_interval_min == seconds(16));
  CHECK(decoded.block.server.ping_without_stream);
}

TEST_CASE("every key of an HTTP server block is read", "[server_block]") {
  const Decoded decoded = http(R"(
endpoint: /run/s.sock
transport: unix
max_request_body_size: 1000
read_timeout: 11s
read_header_timeout: 12s
write_timeout: 13s
keep_alives_enabled: false
idle_timeout: 14s
include_metadata: true
response_headers:
  X-Frame-Options: DENY
compression_algorithms: ["", gzip]
cors:
  allowed_origins: ["http://*.test"]
  allowed_headers: [X-A]
  exposed_headers: [X-B]
  max_age: 7
)");
  CHECK(decoded.problems == Lines{});
  CHECK(decoded.block.endpoint.to_string() == "unix:///run/s.sock");
  CHECK(decoded.block.body_bytes_max == 1000);
  CHECK(decoded.block.server.read_timeout == seconds(11));
  CHECK(decoded.block.server.header_timeout == seconds(12));
  CHECK(decoded.block.server.write_timeout == seconds(13));
  CHECK_FALSE(decoded.block.server.http1_keep_alive);
  CHECK(decoded.block.server.idle_timeout == seconds(14));
  const RouteOptions& route = decoded.block.route;
  CHECK(route.include_metadata);
  CHECK(route.response_headers ==
        std::vector<std::pair<std::string, std::string>>{{"x-frame-options", "DENY"}});
  CHECK(route.encodings == std::vector<std::string>{"", "gzip"});
  CHECK(route.cors_origins == std::vector<std::string>{"http://*.test"});
  CHECK(route.cors_headers == std::vector<std::string>{"X-A"});
  CHECK(route.cors_exposed_headers == std::vector<std::string>{"X-B"});
  CHECK(route.cors_max_age == seconds(7));
}

TEST_CASE("keep-alive of an HTTP server has an older and a newer form", "[server_block]") {
  const Decoded newer = http("keepalive: {enabled: false, idle_timeout: 9s}");
  CHECK(newer.problems == Lines{});
  CHECK_FALSE(newer.block.server.http1_keep_alive);
  CHECK(newer.block.server.idle_timeout == seconds(9));
  CHECK(http("keepalive: {enabled: false}\nidle_timeout: 1s").problems ==
        Lines{"test.yaml:2:15: idle_timeout: cannot stand beside keepalive, which replaces it"});
}

TEST_CASE("zero sizes mean the default", "[server_block]") {
  CHECK(grpc("max_recv_msg_size_mib: 0").block.body_bytes_max == 64 << 20);
  CHECK(grpc("max_concurrent_streams: 0").block.server.streams_max == 100);
  CHECK(http("max_request_body_size: 0").block.body_bytes_max == 64 << 20);
}

TEST_CASE("what a server block cannot have is said", "[server_block]") {
  CHECK(grpc("tls: {cert_file: c}").problems ==
        Lines{"test.yaml:1:6: tls: TLS on the receiving side comes with a later release of sluice; "
              "terminate TLS in front of it until then"});
  CHECK(http("auth: {authenticator: a}").problems ==
        Lines{"test.yaml:1:7: auth: authentication on the receiving side comes with a later "
              "release of sluice; "
              "authenticate in front of it until then"});
  CHECK(http("middlewares: [{id: a}]").problems ==
        Lines{"test.yaml:1:14: middlewares: sluice has no middleware extensions"});
  CHECK(grpc("endpoint: nowhere").problems ==
        Lines{"test.yaml:1:11: endpoint: expected an address such as \"localhost:4317\" or "
              "\"unix:///run/sluice.sock\", found \"nowhere\""});
  CHECK(grpc("transport: udp").problems ==
        Lines{"test.yaml:1:12: transport: expected one of \"tcp\", \"unix\", found \"udp\""});
  CHECK(grpc("max_recv_msg_size_mib: 1025").problems ==
        Lines{"test.yaml:1:24: max_recv_msg_size_mib: must be at most 1024"});
  CHECK(http("max_request_body_size: 1073741825").problems ==
        Lines{"test.yaml:1:24: max_request_body_size: must be at most 1073741824"});
  CHECK(http("read_timeout: -1s").problems ==
        Lines{"test.yaml:1:15: read_timeout: must not be negative"});
  CHECK(grpc("keepalive: {server_parameters: {age: 1s}}").problems.size() == 1);
  CHECK(grpc("keepalive: {enforcement_policy: {min: 1s}}").problems.size() == 1);
  CHECK(grpc("keepalive: {client: 1}").problems.size() == 1);
  CHECK(http("cors: {allowed_origins: [\"http://*.*\"]}").problems ==
        Lines{"test.yaml:1:25: cors.allowed_origins: an origin may hold one \"*\""});
  CHECK(http("response_headers: {\"a b\": c}").problems ==
        Lines{"test.yaml:1:19: response_headers: \"a b\" is no header name"});
  CHECK(http("compression_algorithms: [br]").problems ==
        Lines{"test.yaml:1:25: compression_algorithms: \"br\" is not known"});
}

}  // namespace sluice::net
