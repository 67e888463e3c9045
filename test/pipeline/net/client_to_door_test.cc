// The clients against the doors of the same product: what one says the other must understand.
#include <catch2/catch.hpp>

#include <future>
#include <memory>
#include <string>

#include "pipeline/codec/otlp_response.h"
#include "pipeline/net/client.h"
#include "pipeline/net/client_headers.h"
#include "test/support/client_calls.h"
#include "test/support/net_service.h"

namespace sluice::net {

namespace {

using namespace std::chrono_literals;
using test::body_of;
using test::pattern;
using test::request_of;

/// Doors on two loops, and clients on the first of them.
class Doors {
 public:
  Doors() {
    std::string error;
    const Endpoint any = *Endpoint::parse("127.0.0.1:0");
    RouteOptions options;
    REQUIRE(listeners.route("test", any, {}, "/test.Service/Method", options, service, error));
    loops.start();
    REQUIRE(listeners.open(error));
    port = listeners.port(any);
  }
  ~Doors() {
    grpc.reset();
    http.reset();
    stop();
    loops.stop();
  }
  void stop() {
    std::promise<void> stopped;
    listeners.stop(5s, [&] { stopped.set_value(); });
    stopped.get_future().get();
  }
  ClientResponse call(ClientRequest request) {
    if (grpc == nullptr) {
      GrpcClientOptions options;
      options.target = parse_grpc_target("127.0.0.1:" + std::to_string(port)).value();
      options.user_agent = "sluice/test";
      grpc = std::make_unique<GrpcClient>(loops[0], std::move(options), nullptr);
    }
    return test::start_call(*grpc, std::move(request)).get();
  }
  ClientResponse post(ClientRequest request) {
    if (http == nullptr) {
      http = std::make_unique<HttpClient>(
          loops[0], HttpClientOptions{.host = "127.0.0.1", .port = port}, nullptr);
    }
    return test::start_post(*http, std::move(request)).get();
  }

  Metrics metrics;
  Ledger ledger{256 << 20};
  EventLoops loops{2};
  test::NetService service;
  Listeners listeners{loops, ledger, metrics};
  std::uint16_t port = 0;
  std::unique_ptr<GrpcClient> grpc;
  std::unique_ptr<HttpClient> http;
};

ClientRequest packed(const std::string& text, Encoding encoding) {
  ClientRequest request = request_of(body_of(text, 1517));
  if (encoding != Encoding::none) request.body = deflated(request.body, encoding, 0);
  request.encoding = encoding;
  return request;
}

}  // namespace

TEST_CASE("gRPC from our client to our door, in every encoding", "[client_to_door]") {
  const Encoding encoding =
      GENERATE(Encoding::none, Encoding::gzip, Encoding::zstd, Encoding::snappy_framed);
  const std::size_t size = GENERATE(0u, 10u, 3'300'000u);
  Doors doors;
  const std::string text = pattern(size);
  const ClientResponse response = doors.call(packed(text, encoding));
  CHECK_FALSE(response.failed);
  CHECK(response.grpc == GrpcCode::ok);
  CHECK(response.body == "seen " + std::to_string(size));
  CHECK((doors.service.seen.at(0).body == text));
  CHECK(doors.service.seen.at(0).is_grpc);
}

TEST_CASE("HTTP/1.1 from our client to our door, in every encoding", "[client_to_door]") {
  const Encoding encoding =
      GENERATE(Encoding::none, Encoding::gzip, Encoding::zstd, Encoding::zlib, Encoding::deflate,
               Encoding::snappy, Encoding::snappy_framed, Encoding::lz4);
  Doors doors;
  const std::string text = pattern(1'000'000);
  for (int index = 0; index < 2; ++index) {
    const ClientResponse response = doors.post(packed(text, encoding));
    CHECK(response.status == 200);
    CHECK(response.body == "seen 1000000");
    CHECK((doors.service.seen.back().body == text));
  }
}

TEST_CASE("a refusal and its delay reach our client", "[client_to_door]") {
  Doors doors;
  Response busy;
  busy.status = 503;
  busy.grpc = GrpcCode::unavailable;
  busy.message = "100 % busy";
  busy.retry_after = 3000ms;
  doors.service.answer = busy;
  const ClientResponse by_grpc = doors.call(request_of(body_of("x")));
  CHECK(by_grpc.grpc == GrpcCode::unavailable);
  CHECK(by_grpc.message == "100 % busy");
  CHECK(read_rpc_status(by_grpc.status_details).retry_delay == 3000ms);
  const ClientResponse by_http = doors.post(request_of(body_of("x")));
  CHECK(by_http.status == 503);
  CHECK(by_http.retry_after == "3");
}

TEST_CASE("a door that stops answers what is under way, and the next call finds nobody",
          "[client_to_door]") {
  Doors doors;
  CHECK(doors.call(request_of(body_of("x"))).grpc == GrpcCode::ok);
  doors.stop();
  CHECK(doors.call(request_of(body_of("x"))).failed);
}

}  // namespace sluice::net
