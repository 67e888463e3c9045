#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <string>

#include "pipeline/net/client.h"
#include "pipeline/net/grpc_call.h"
#include "test/support/client_calls.h"
#include "test/support/h2_server.h"

namespace sluice::net {

namespace {

using namespace std::chrono_literals;
using test::body_of;
using test::grpc_message;
using test::H2Server;
using test::pattern;
using test::request_of;
using Answer = H2Server::Answer;
using Seen = H2Server::Seen;

/// A loop with a client on it; the client goes first.
class Fixture {
 public:
  Fixture() { loop.start(); }
  ~Fixture() {
    client.reset();
    loop.stop();
  }
  void connect(GrpcClientOptions options, const std::string& target) {
    options.target = parse_grpc_target(target).value();
    if (options.user_agent.empty()) options.user_agent = "sluice/test";
    client = std::make_unique<GrpcClient>(loop, std::move(options), nullptr);
  }
  void connect(const std::string& target) { connect({}, target); }
  std::future<ClientResponse> start(ClientRequest request) {
    return test::start_call(*client, std::move(request));
  }
  ClientResponse call(ClientRequest request) { return start(std::move(request)).get(); }
  ClientResponse call() { return call(request_of(body_of("hello"))); }

  EventLoop loop{0};
  std::unique_ptr<GrpcClient> client;
};

Answer ok(std::string message = "") {
  Answer answer;
  answer.body = grpc_message(message);
  return answer;
}

Answer status(const std::string& code, const std::string& message = "") {
  Answer answer;
  answer.trailers = {{"grpc-status", code}, {"grpc-message", message}};
  return answer;
}

}  // namespace

TEST_CASE("a unary call carries its message and headers there, and the answer back",
          "[grpc_client]") {
  H2Server server([](const Seen&) { return ok("answer"); });
  Fixture fixture;
  fixture.connect(server.address());
  ClientRequest request = request_of(body_of("hello"), 3s);
  request.headers = {{"x-tenant", "blue"}};
  const ClientResponse response = fixture.call(std::move(request));
  CHECK_FALSE(response.failed);
  CHECK(response.grpc == GrpcCode::ok);
  CHECK(response.body == "answer");
  const Seen seen = server.seen().at(0);
  CHECK(seen.body == grpc_message("hello"));
  CHECK(seen.headers.at(":method") == "POST");
  CHECK(seen.headers.at(":scheme") == "http");
  CHECK(seen.headers.at(":path") == "/test.Service/Method");
  CHECK(seen.headers.at(":authority") == server.address());
  CHECK(seen.headers.at("te") == "trailers");
  CHECK(seen.headers.at("content-type") == "application/grpc");
  CHECK(seen.headers.at("user-agent") == "sluice/test");
  CHECK(seen.headers.at("x-tenant") == "blue");
  CHECK(seen.headers.count("grpc-encoding") == 0);
  CHECK(seen.headers.at("grpc-timeout").ends_with("u"));
}

TEST_CASE("a compressed message says in what", "[grpc_client]") {
  H2Server server([](const Seen&) { return ok(); });
  Fixture fixture;
  fixture.connect(server.address());
  ClientRequest request = request_of(body_of("squeezed"));
  request.encoding = Encoding::zstd;
  CHECK(fixture.call(std::move(request)).grpc == GrpcCode::ok);
  CHECK(server.seen().at(0).headers.at("grpc-encoding") == "zstd");
  CHECK(server.seen().at(0).body == grpc_message("squeezed", true));
}

TEST_CASE("a large body of many slices arrives as it was, whatever the windows", "[grpc_client]") {
  H2Server::Options options;
  options.window = GENERATE(1000u, 65535u, 4u << 20);
  H2Server server(options, [](const Seen&) { return ok(); });
  Fixture fixture;
  fixture.connect(server.address());
  const std::string text = pattern(3'300'000);
  const std::size_t slice = GENERATE(1u << 20, 37u * 41u);
  std::vector<std::future<ClientResponse>> answers;
  for (int index = 0; index < 3; ++index)
    answers.push_back(fixture.start(request_of(body_of(text, slice))));
  for (auto& answer : answers) CHECK(answer.get().grpc == GrpcCode::ok);
  for (const Seen& seen : server.seen()) CHECK((seen.body == grpc_message(text)));
}

TEST_CASE("an empty message is five bytes", "[grpc_client]") {
  H2Server server([](const Seen&) { return ok(); });
  Fixture fixture;
  fixture.connect(server.address());
  CHECK(fixture.call(request_of({})).grpc == GrpcCode::ok);
  CHECK(server.seen().at(0).body == std::string(5, '\0'));
}

TEST_CASE("a status comes back with its message decoded and its details", "[grpc_client]") {
  Answer answer;
  SECTION("in trailers") {
    answer = status("8", "too%20much %E2%82%AC %zz");
    answer.trailers.emplace_back("grpc-status-details-bin", "CAgSAWE");
  }
  SECTION("in trailers alone") {
    answer.headers = {{":status", "200"},
                      {"grpc-status", "8"},
                      {"grpc-message", "too%20much %E2%82%AC %zz"},
                      {"grpc-status-details-bin", "CAgSAWE="}};
    answer.trailers.clear();
  }
  H2Server server([answer](const Seen&) { return answer; });
  Fixture fixture;
  fixture.connect(server.address());
  const ClientResponse response = fixture.call();
  CHECK_FALSE(response.failed);
  CHECK(response.grpc == GrpcCode::resource_exhausted);
  CHECK(response.message == "too much € %zz");
  CHECK(response.status_details == std::string("\x08\x08\x12\x01"
                                               "a"));
}

TEST_CASE("an HTTP status without a grpc-status becomes the code that gRPC gives it",
          "[grpc_client]") {
  const auto [http, code] =
      GENERATE(table<std::string, GrpcCode>({{"400", GrpcCode::internal},
                                             {"401", GrpcCode::unauthenticated},
                                             {"403", GrpcCode::permission_denied},
                                             {"404", GrpcCode::unimplemented},
                                             {"429", GrpcCode::unavailable},
                                             {"503", GrpcCode::unavailable},
                                             {"500", GrpcCode::unknown}}));
  Answer answer;
  answer.headers = {{":status", http}};
  answer.body = "<html>";
  answer.trailers.clear();
  H2Server server([answer](const Seen&) { return answer; });
  Fixture fixture;
  fixture.connect(server.address());
  const ClientResponse response = fixture.call();
  CHECK_FALSE(response.failed);
  CHECK(response.grpc == code);
}

TEST_CASE("a response message under gzip is inflated", "[grpc_client]") {
  const Buffer packed = deflate(Encoding::gzip, body_of("partial success"));
  Answer answer = ok();
  answer.headers.emplace_back("grpc-encoding", "gzip");
  answer.body = grpc_message(packed.bytes(), true);
  H2Server server([answer](const Seen&) { return answer; });
  Fixture fixture;
  fixture.connect(server.address());
  CHECK(fixture.call().body == "partial success");
}

TEST_CASE("a response that is no gRPC message is an internal error", "[grpc_client]") {
  Answer answer = ok();
  answer.body = GENERATE(std::string("abc"), grpc_message("abc") + "d",
                         std::string("\7\0\0\0\0", 5), std::string());
  H2Server server([answer](const Seen&) { return answer; });
  Fixture fixture;
  fixture.connect(server.address());
  CHECK(fixture.call().grpc == GrpcCode::internal);
}

TEST_CASE("a response past 4 MiB is cut off", "[grpc_client]") {
  Answer answer = ok(std::string((4 << 20) + 1, 'x'));
  H2Server server([answer](const Seen&) { return answer; });
  Fixture fixture;
  fixture.connect(server.address());
  const ClientResponse response = fixture.call();
  CHECK(response.failed);
  CHECK(response.message == "the response is larger than 4 MiB");
}

TEST_CASE("a call that is not answered in time ends, and its stream is reset", "[grpc_client]") {
  H2Server server([](const Seen& seen) {
    Answer answer = ok();
    answer.silent = seen.body == grpc_message("slow");
    return answer;
  });
  Fixture fixture;
  fixture.connect(server.address());
  const ClientResponse response = fixture.call(request_of(body_of("slow"), 50ms));
  CHECK(response.failed);
  CHECK(response.timed_out);
  server.wait_for_resets(1);
  CHECK(fixture.call().grpc == GrpcCode::ok);
  CHECK(server.sockets().connection_count() == 1);
}

TEST_CASE("a timeout in the middle of a body leaves the connection to the others",
          "[grpc_client]") {
  H2Server::Options options;
  options.window = 0;  // nothing of a body gets through
  H2Server server(options, [](const Seen&) { return ok(); });
  Fixture fixture;
  fixture.connect(server.address());
  CHECK(fixture.call(request_of(body_of(pattern(100'000)), 50ms)).timed_out);
  server.wait_for_resets(1);
  CHECK(fixture.call(request_of(body_of("x"), 50ms)).timed_out);
  CHECK(server.sockets().connection_count() == 1);
}

TEST_CASE("an answer before the body is through counts, and the rest is not sent",
          "[grpc_client]") {
  H2Server::Options options;
  options.answer_at_headers = true;
  options.window = 1000;
  H2Server server(options, [](const Seen&) { return status("8", "too large"); });
  Fixture fixture;
  fixture.connect(server.address());
  const ClientResponse response = fixture.call(request_of(body_of(pattern(1'000'000))));
  CHECK_FALSE(response.failed);
  CHECK(response.grpc == GrpcCode::resource_exhausted);
  CHECK(response.message == "too large");
}

TEST_CASE("a reset stream is a failed call", "[grpc_client]") {
  H2Server server([](const Seen&) {
    Answer answer;
    answer.reset = 11;
    return answer;
  });
  Fixture fixture;
  fixture.connect(server.address());
  const ClientResponse response = fixture.call();
  CHECK(response.failed);
  CHECK_FALSE(response.timed_out);
  CHECK(response.message == "stream reset with ENHANCE_YOUR_CALM");
}

TEST_CASE("a connection that breaks fails what is under way, and the next call opens another",
          "[grpc_client]") {
  H2Server server([](const Seen& seen) {
    Answer answer = ok();
    answer.close = seen.connection == 1;
    return answer;
  });
  Fixture fixture;
  fixture.connect(server.address());
  CHECK(fixture.call().failed);
  CHECK(fixture.call().grpc == GrpcCode::ok);
  CHECK(server.seen().back().connection == 2);
}

TEST_CASE("a stream that the peer never looked at goes to another connection", "[grpc_client]") {
  H2Server server([](const Seen& seen) {
    Answer answer = ok("late");
    answer.goaway_before = seen.connection == 1;
    return answer;
  });
  Fixture fixture;
  fixture.connect(server.address());
  const ClientResponse response = fixture.call();
  CHECK(response.grpc == GrpcCode::ok);
  CHECK(response.body == "late");
  CHECK(server.seen().size() == 2);
}

TEST_CASE("a refused stream is tried once more, not for ever", "[grpc_client]") {
  H2Server server([](const Seen&) {
    Answer answer;
    answer.reset = 7;
    return answer;
  });
  Fixture fixture;
  fixture.connect(server.address());
  const ClientResponse response = fixture.call();
  CHECK(response.failed);
  CHECK(response.message == "stream reset with REFUSED_STREAM");
  CHECK(server.seen().size() == 2);
}

TEST_CASE("after GOAWAY what is under way ends, and the next call takes a new connection",
          "[grpc_client]") {
  H2Server server([](const Seen&) {
    Answer answer = ok();
    answer.goaway_after = true;
    return answer;
  });
  Fixture fixture;
  fixture.connect(server.address());
  for (int index = 0; index < 3; ++index) CHECK(fixture.call().grpc == GrpcCode::ok);
  CHECK(server.seen().back().connection == 3);
}

TEST_CASE("no more streams are open at once than the peer allows", "[grpc_client]") {
  H2Server::Options options;
  options.streams_max = 2;
  H2Server server(options, [](const Seen&) { return ok(); });
  Fixture fixture;
  fixture.connect(server.address());
  std::vector<std::future<ClientResponse>> answers;
  for (int index = 0; index < 20; ++index)
    answers.push_back(fixture.start(request_of(body_of(pattern(50'000)))));
  for (auto& answer : answers) CHECK(answer.get().grpc == GrpcCode::ok);
  CHECK(server.streams_at_once() == 2);
  CHECK(server.sockets().connection_count() == 1);
}

TEST_CASE("calls fail at once where nobody listens, also while the address rests",
          "[grpc_client]") {
  Fixture fixture;
  const std::string address = "127.0.0.1:" + std::to_string(test::free_port());
  fixture.connect(address);
  for (int index = 0; index < 2; ++index) {
    const ClientResponse response = fixture.call();
    CHECK(response.failed);
    CHECK_FALSE(response.timed_out);
    CHECK(response.message == "cannot connect to " + address + ": Connection refused");
  }
}

TEST_CASE("with wait_for_ready a call waits for a connection until its time is up",
          "[grpc_client]") {
  Fixture fixture;
  const std::string address = "127.0.0.1:" + std::to_string(test::free_port());
  fixture.connect({.wait_for_ready = true}, address);
  const ClientResponse response = fixture.call(request_of(body_of("x"), 50ms));
  CHECK(response.timed_out);
  CHECK(response.message ==
        "no connection in time: cannot connect to " + address + ": Connection refused");
}

TEST_CASE("a peer that does not speak HTTP/2 is named as that", "[grpc_client]") {
  test::SocketServer server([](test::Peer& peer) {
    peer.read();
    peer.write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  });
  Fixture fixture;
  fixture.connect(server.address());
  const ClientResponse response = fixture.call();
  CHECK(response.failed);
  CHECK(response.message == "the peer does not speak HTTP/2");
}

TEST_CASE("a peer that accepts and says nothing costs a call its own time and no more",
          "[grpc_client]") {
  H2Server::Options options;
  options.settings = false;
  H2Server server(options, [](const Seen&) { return ok(); });
  Fixture fixture;
  fixture.connect(server.address());
  CHECK(fixture.call(request_of(body_of("x"), 50ms)).timed_out);
}

TEST_CASE("a peer that accepts and says nothing is given up, so that its name is asked for again",
          "[grpc_client]") {
  H2Server::Options options;
  options.settings = false;
  H2Server server(options, [](const Seen&) { return ok(); });
  Fixture fixture;
  fixture.connect({.keepalive_timeout = 100ms}, server.address());
  const ClientResponse response = fixture.call(request_of(body_of("x"), 10s));
  CHECK(response.failed);
  CHECK_FALSE(response.timed_out);
  CHECK(response.message == "the peer does not begin to speak HTTP/2");
}

TEST_CASE("a unix socket is as good as an address", "[grpc_client]") {
  const test::TemporaryFile place("");
  H2Server::Options options;
  options.socket.unix_path = place.path();
  H2Server server(options, [](const Seen&) { return ok(); });
  Fixture fixture;
  fixture.connect("unix://" + place.path());
  CHECK(fixture.call().grpc == GrpcCode::ok);
  CHECK(server.seen().at(0).headers.at(":authority") == "localhost");
}

TEST_CASE("a name is resolved, and the address that answers is used", "[grpc_client]") {
  H2Server server([](const Seen&) { return ok(); });
  Fixture fixture;
  const bool round_robin = GENERATE(true, false);
  fixture.connect({.round_robin = round_robin},
                  "dns:///localhost:" + std::to_string(server.port()));
  CHECK(fixture.call().grpc == GrpcCode::ok);
  CHECK(server.seen().at(0).headers.at(":authority") ==
        "localhost:" + std::to_string(server.port()));
}

TEST_CASE("a name that does not exist fails the call and says so", "[grpc_client]") {
  Fixture fixture;
  fixture.connect("no-such-host.invalid:4317");
  const ClientResponse response = fixture.call();
  CHECK(response.failed);
  CHECK_THAT(response.message, Catch::StartsWith("cannot resolve \"no-such-host.invalid\""));
}

TEST_CASE("silence is asked about by PING, and an answer keeps the connection", "[grpc_client]") {
  H2Server server([](const Seen&) { return ok(); });
  Fixture fixture;
  fixture.connect(
      {.keepalive_time = 5ms, .keepalive_timeout = 10s, .keepalive_without_stream = true},
      server.address());
  CHECK(fixture.call().grpc == GrpcCode::ok);
  server.wait_for_pings(3);
  CHECK(fixture.call().grpc == GrpcCode::ok);
  CHECK(server.seen().back().connection == 1);
}

TEST_CASE("a PING without an answer ends the connection and what is under way on it",
          "[grpc_client]") {
  H2Server::Options options;
  options.ack_pings = false;
  H2Server server(options, [](const Seen&) {
    Answer answer;
    answer.silent = true;
    return answer;
  });
  Fixture fixture;
  fixture.connect({.keepalive_time = 5ms, .keepalive_timeout = 5ms}, server.address());
  const ClientResponse response = fixture.call();
  CHECK(response.failed);
  CHECK_FALSE(response.timed_out);
  CHECK(response.message == "no answer to a keepalive ping");
}

TEST_CASE("destroying the client ends what is under way as failed", "[grpc_client]") {
  H2Server server([](const Seen&) {
    Answer answer;
    answer.silent = true;
    return answer;
  });
  Fixture fixture;
  fixture.connect(server.address());
  std::future<ClientResponse> answer = fixture.start(request_of(body_of("x")));
  server.wait_for_seen(1);
  fixture.client.reset();
  CHECK(answer.get().failed);
}

TEST_CASE("targets are read in every form that the collector takes", "[grpc_client]") {
  const auto read = [](std::string_view text) { return parse_grpc_target(text).value(); };
  CHECK(read("gateway:4317").host == "gateway");
  CHECK(read("gateway:4317").port == 4317);
  CHECK(read("gateway:4317").authority == "gateway:4317");
  CHECK(read("dns:///gateway:4317").authority == "gateway:4317");
  CHECK(read("dns:gateway:4317").host == "gateway");
  CHECK(read("http://gateway:4317/").authority == "gateway:4317");
  CHECK_FALSE(read("http://gateway:4317").https);
  CHECK(read("https://gateway:4317").https);
  CHECK(read("[::1]:4317").host == "::1");
  CHECK(read("[::1]:4317").authority == "[::1]:4317");
  CHECK(read(":4317").host == "localhost");
  CHECK(read(":4317").authority == "localhost:4317");
  CHECK(read("unix:///run/x.sock").unix_path == "/run/x.sock");
  for (const char* text :
       {"", "gateway", "gateway:", "gateway:0", "gateway:65536", "gateway:x", "::1:4317", "a/b:1",
        "http://gateway:4317/path", "dns://8.8.8.8/gateway:4317", "unix://", "user@host:1"}) {
    INFO(text);
    CHECK_FALSE(parse_grpc_target(text).has_value());
  }
}

TEST_CASE("a timeout is written in at most eight digits, never rounded down", "[grpc_client]") {
  CHECK(grpc_timeout(1ns) == "1u");
  CHECK(grpc_timeout(5s) == "5000000u");
  CHECK(grpc_timeout(99'999'999us) == "99999999u");
  CHECK(grpc_timeout(100s) == "100000m");
  CHECK(grpc_timeout(99'999'999ms + 1ns) == "100000S");
  CHECK(grpc_timeout(std::chrono::hours(40000)) == "99999999S");
}

}  // namespace sluice::net
