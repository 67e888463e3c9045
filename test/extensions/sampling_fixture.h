#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "extensions/jaegerremotesampling/jaegerremotesampling.h"
#include "pipeline/net/event_loop.h"
#include "pipeline/net/server.h"
#include "test/support/http2_peer.h"
#include "test/support/manual_executor.h"
#include "test/support/socket_client.h"

namespace sluice::test {

inline constexpr std::string_view sampling_method =
    "/jaeger.api_v2.SamplingManager/GetSamplingStrategy";

/// The extension of one YAML text behind real sockets, with a clock that the test moves. Where the
/// YAML names no `http` or `grpc`, they share a free port.
class SamplingFixture {
 public:
  explicit SamplingFixture(const std::string& yaml, bool free_ports = true) {
    executor.current = false;  // what comes in on a socket crosses over to it
    const std::string ports =
        free_ports ? "http: {endpoint: '127.0.0.1:0'}\ngrpc: {endpoint: '127.0.0.1:0'}\n" : "";
    const auto decoded = jaegerremotesampling_extension().decode(
        config::parse_text(ports + yaml, "test.yaml", problems));
    if (problems.any_errors()) return;
    extension = decoded.build(ExtensionContext{
        {"jaegerremotesampling", executor, metrics, ledger}, own, doors, loops, &errors});
  }
  ~SamplingFixture() {
    if (extension != nullptr) extension->stop();
    loops.stop();
    executor.run();
    extension.reset();
  }

  /// Empty, or why it does not start.
  std::string try_start() {
    std::string error;
    return extension->start(error) ? "" : error;
  }
  void start() {
    REQUIRE(mistakes() == std::vector<std::string>{});
    REQUIRE(errors == std::vector<std::string>{});
    REQUIRE(try_start() == "");
    std::string error;
    REQUIRE(doors.open(error));
    loops.start();
    port = doors.port(*net::Endpoint::parse("127.0.0.1:0"));
  }

  /// The whole answer to one HTTP request for `target`.
  std::future<std::string> ask(const std::string& target, const std::string& verb = "GET") {
    return std::async(std::launch::async, [this, target, verb] {
      SocketClient client(port);
      client.send(verb + ' ' + target + " HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
      return client.receive_to_end();
    });
  }
  std::string get(const std::string& target, const std::string& verb = "GET") {
    return settle(ask(target, verb));
  }
  /// The body of the answer to a service's question.
  std::string strategy(const std::string& service) {
    const std::string answer = get("/sampling?service=" + service);
    REQUIRE(answer.starts_with("HTTP/1.1 200 "));
    return answer.substr(answer.find("\r\n\r\n") + 4);
  }
  Http2Peer::Reply grpc(const std::string& message) {
    return settle(std::async(std::launch::async, [this, message] {
      GrpcSocketClient client(port);
      return Http2Peer::Reply(client.call(sampling_method, message));
    }));
  }

  /// Lets the extension work until there is an answer.
  template <typename Value>
  Value settle(std::future<Value> future) {
    while (future.wait_for(std::chrono::microseconds(200)) != std::future_status::ready)
      executor.run();
    return future.get();
  }
  std::vector<std::string> mistakes() const {
    std::vector<std::string> lines;
    for (const config::Problem& each : problems.list()) lines.push_back(each.to_string());
    return lines;
  }
  double requests(const std::string& protocol, const std::string& outcome) const {
    return metrics.value("sluice_remote_sampling_requests",
                         {{"protocol", protocol}, {"outcome", outcome}});
  }
  double loads(const std::string& outcome) const {
    return metrics.value("sluice_remote_sampling_loads", {{"outcome", outcome}});
  }

  config::Problems problems;
  ManualExecutor executor;
  Metrics metrics;
  Ledger ledger{16 << 20};
  net::EventLoops loops{1};
  net::Listeners own{loops, ledger, metrics}, doors{loops, ledger, metrics};
  std::vector<std::string> errors;
  std::unique_ptr<Extension> extension;
  std::uint16_t port = 0;
};

}  // namespace sluice::test
