#include <atomic>

#include "test/extensions/sampling_fixture.h"
#include "test/support/h2_server.h"
#include "test/support/otlp_builder.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using Said = H2Server::Answer;
using Seen = H2Server::Seen;

/// A SamplingStrategyResponse with this many traces a second, and a field that nobody knows.
std::string limit(std::uint64_t traces) {
  return varint_field(1, 1) + length_field(3, varint_field(1, traces)) + length_field(99, "kept");
}
std::string told(std::uint64_t traces) {
  return R"({"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":)" +
         std::to_string(traces) + "}}";
}
Said answer(const std::string& message) {
  Said said;
  said.body = grpc_message(message);
  return said;
}
Said refusal(const std::string& code) {
  Said said;
  said.trailers = {{"grpc-status", code}, {"grpc-message", "why"}};
  return said;
}
std::string remote(const H2Server& server, const std::string& more = "") {
  return "source: {remote: {endpoint: '" + server.address() + "', tls: {insecure: true}" + more +
         "}}";
}
std::string kept(const H2Server& server, const std::string& lifetime) {
  return "source: {reload_interval: " + lifetime + ", remote: {endpoint: '" + server.address() +
         "', tls: {insecure: true}}}";
}

}  // namespace

TEST_CASE("an upstream is asked with the name and the headers of the configuration",
          "[remote_sampling]") {
  H2Server server([](const Seen&) { return answer(limit(9)); });
  SamplingFixture fixture(remote(server, ", headers: {X-Tenant: blue}"));
  fixture.start();
  CHECK(fixture.strategy("shop") == told(9));
  const Seen seen = server.seen().at(0);
  CHECK(seen.headers.at(":path") == sampling_method);
  CHECK(seen.headers.at("x-tenant") == "blue");
  CHECK(seen.headers.at("grpc-timeout").size() > 1);
  CHECK(seen.body == grpc_message(length_field(1, "shop")));
  // Bytes pass through, those that nobody knows too.
  CHECK(fixture.grpc("").data == grpc_message(limit(9)));
  CHECK(server.seen().at(1).body == grpc_message(""));
}

TEST_CASE("questions for an upstream are compressed where the block says so", "[remote_sampling]") {
  H2Server server([](const Seen&) { return answer(limit(9)); });
  SamplingFixture fixture(remote(server, ", compression: gzip"));
  fixture.start();
  CHECK(fixture.strategy("shop") == told(9));
  CHECK(server.seen().at(0).headers.at("grpc-encoding") == "gzip");
}

TEST_CASE("without an interval every question goes to the upstream", "[remote_sampling]") {
  std::atomic<std::uint64_t> asked{0};
  H2Server server([&](const Seen&) { return answer(limit(++asked)); });
  SamplingFixture fixture(remote(server));
  fixture.start();
  CHECK(fixture.strategy("shop") == told(1));
  CHECK(fixture.strategy("shop") == told(2));
}

TEST_CASE("an answer of the upstream is kept for the interval, by service", "[remote_sampling]") {
  std::atomic<std::uint64_t> asked{0};
  H2Server server([&](const Seen&) { return answer(limit(++asked)); });
  SamplingFixture fixture(kept(server, "1m"));
  fixture.start();
  CHECK(fixture.strategy("a") == told(1));
  CHECK(fixture.strategy("b") == told(2));
  fixture.executor.advance(59s);
  CHECK(fixture.strategy("a") == told(1));
  fixture.executor.advance(1s);
  CHECK(fixture.strategy("a") == told(3));
  CHECK(fixture.strategy("a") == told(3));
}

TEST_CASE("a kept answer outlives an upstream that fails, which is asked again after five seconds",
          "[remote_sampling]") {
  std::atomic<std::uint64_t> asked{0};
  H2Server server([&](const Seen&) {
    const std::uint64_t turn = ++asked;
    return turn == 1 ? answer(limit(1)) : turn < 4 ? refusal("14") : answer(limit(turn));
  });
  SamplingFixture fixture(kept(server, "1m"));
  fixture.start();
  CHECK(fixture.strategy("a") == told(1));
  fixture.executor.advance(2min);
  CHECK(fixture.strategy("a") == told(1));
  CHECK(fixture.requests("http", "stale") == 1);
  fixture.executor.advance(4s);
  CHECK(fixture.strategy("a") == told(1));
  CHECK(asked == 2);
  fixture.executor.advance(1s);
  CHECK(fixture.strategy("a") == told(1));
  CHECK(asked == 3);
  fixture.executor.advance(5s);
  CHECK(fixture.strategy("a") == told(4));
}

TEST_CASE("an upstream that fails is answered for with the reason", "[remote_sampling]") {
  H2Server server([](const Seen&) { return refusal("7"); });
  SamplingFixture fixture(kept(server, "1m"));
  fixture.start();
  const std::string answered = fixture.get("/sampling?service=a");
  CHECK(answered.starts_with("HTTP/1.1 500 "));
  CHECK(answered.ends_with("no sampling strategy: the upstream fails: PERMISSION_DENIED: why\n"));
  const Http2Peer::Reply reply = fixture.grpc("");
  CHECK(reply.field("grpc-status") == "7");
  CHECK(reply.field("grpc-message") ==
        "no sampling strategy: the upstream fails: PERMISSION_DENIED: why");
  CHECK(fixture.requests("http", "failed") == 1);
  CHECK(fixture.requests("grpc", "failed") == 1);
}

TEST_CASE("an upstream that is not there is unavailable", "[remote_sampling]") {
  SamplingFixture fixture("source: {remote: {endpoint: '127.0.0.1:1', tls: {insecure: true}}}");
  fixture.start();
  CHECK(fixture.get("/sampling?service=a").starts_with("HTTP/1.1 500 "));
  CHECK(fixture.grpc("").field("grpc-status") == "14");
}

TEST_CASE("what an upstream answers must be a strategy", "[remote_sampling]") {
  H2Server server([](const Seen&) { return answer("\x12\x05"); });
  SamplingFixture fixture(kept(server, "1m"));
  fixture.start();
  CHECK(fixture.get("/sampling?service=a").ends_with("the answer is not valid\n"));
  CHECK(fixture.grpc("").field("grpc-status") == "14");
}

TEST_CASE("those who ask for a service at once share one question", "[remote_sampling]") {
  H2Server server([](const Seen&) { return answer(limit(1)); });
  SamplingFixture fixture(remote(server));
  fixture.start();
  // Both have come in on their socket before the extension gets to work.
  std::future<std::string> first = fixture.ask("/sampling?service=a");
  std::future<std::string> second = fixture.ask("/sampling?service=a");
  fixture.executor.wait_for_posts(2);
  CHECK(fixture.settle(std::move(first)).ends_with(told(1)));
  CHECK(fixture.settle(std::move(second)).ends_with(told(1)));
  CHECK(server.seen().size() == 1);
}

TEST_CASE("of an upstream's answers a thousand services are kept", "[remote_sampling]") {
  std::atomic<std::uint64_t> asked{0};
  H2Server server([&](const Seen&) { return answer(limit(++asked)); });
  SamplingFixture fixture(kept(server, "1h"));
  fixture.start();
  const auto ask = [&](int first, int end) {
    fixture.settle(std::async(std::launch::async, [&, first, end] {
      GrpcSocketClient client(fixture.port);
      for (int i = first; i < end; ++i)
        client.call(sampling_method, length_field(1, std::to_string(i)));
    }));
  };
  ask(0, 1001);
  CHECK(asked == 1001);
  ask(1, 2);
  CHECK(asked == 1001);
  ask(0, 1);  // the oldest made room
  CHECK(asked == 1002);
}

TEST_CASE("who still waits for an upstream when the daemon stops is told to come back",
          "[remote_sampling]") {
  H2Server server([](const Seen&) { return Said{.silent = true}; });
  SamplingFixture fixture(remote(server));
  fixture.start();
  std::future<std::string> waiting = fixture.ask("/sampling?service=a");
  fixture.executor.wait_for_posts(1);
  fixture.executor.run();
  server.wait_for_seen(1);
  fixture.extension->stop();
  CHECK(fixture.settle(std::move(waiting)).starts_with("HTTP/1.1 503 "));
}

TEST_CASE("a certificate that cannot be read keeps the extension from starting",
          "[remote_sampling]") {
  SamplingFixture fixture(
      "source: {remote: {endpoint: 'localhost:1', tls: {ca_file: /nowhere/ca.pem}}}");
  CHECK(fixture.try_start().find("/nowhere/ca.pem") != std::string::npos);
}

}  // namespace sluice::test
