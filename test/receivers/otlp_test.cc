#include "receivers/otlp/otlp.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "pipeline/net/event_loop.h"
#include "pipeline/net/server.h"
#include "test/support/capture.h"
#include "test/support/manual_executor.h"
#include "test/support/readme.h"

namespace sluice::test {
namespace {

std::vector<std::string> mistakes(std::string_view yaml) {
  config::Problems problems;
  (void)otlp_receiver().decode(config::parse_text(yaml, "test.yaml", problems));
  std::vector<std::string> lines;
  for (const config::Problem& problem : problems.list()) lines.push_back(problem.to_string());
  return lines;
}

/// A receiver built from YAML as a user writes it, with what it says about its routes.
struct Built {
  explicit Built(std::string_view yaml) {
    config::Problems problems;
    const auto decoded = otlp_receiver().decode(config::parse_text(yaml, "test.yaml", problems));
    REQUIRE(problems.list().empty());
    ReceiverContext context{{"otlp", executor, metrics, ledger}, counters, listeners, {&next}};
    context.errors = &errors;
    receiver = decoded.build(context);
  }
  ManualExecutor executor;
  Metrics metrics;
  Ledger ledger{1 << 20};
  net::EventLoops loops{1};
  net::Listeners listeners{loops, ledger, metrics};
  SpanCounters counters{metrics, "receiver", "otlp"};
  CaptureConsumer next;
  std::vector<std::string> errors;
  std::unique_ptr<Receiver> receiver;
};

}  // namespace

TEST_CASE("the otlp receiver's README is what it decodes", "[otlp_receiver]") {
  CHECK(readme_mistakes("receivers/otlp/README.md", "receivers", "otlp", otlp_receiver().decode) ==
        std::vector<std::string>{});
}

TEST_CASE("naming a protocol is enough to switch it on", "[otlp_receiver]") {
  CHECK(mistakes("protocols:\n  grpc:\n  http:\n").empty());
  CHECK(mistakes("protocols: {grpc: {}}").empty());
  CHECK(mistakes("protocols:\n  http:\n    endpoint: 0.0.0.0:4318\n").empty());
}

TEST_CASE("an otlp receiver without protocols is told how to name one", "[otlp_receiver]") {
  const std::string lesson =
      "name at least one protocol: \"grpc:\" or \"http:\" (a name alone has all defaults)";
  CHECK(mistakes("protocols:\n") ==
        std::vector<std::string>{"test.yaml:1:1: protocols: " + lesson});
  CHECK(mistakes("{}") == std::vector<std::string>{"test.yaml:1:1: protocols: " + lesson});
}

TEST_CASE("mistakes in an otlp receiver are named with their place", "[otlp_receiver]") {
  CHECK(mistakes("protocols:\n  grcp:\n") ==
        std::vector<std::string>{
            "test.yaml:1:1: protocols: name at least one protocol: \"grpc:\" or \"http:\" "
            "(a name alone has all defaults)",
            "test.yaml:2:3: protocols.grcp: unknown key; did you mean \"grpc\"?"});
  CHECK(mistakes("protocols:\n  http:\n    trace_url_path: /t\n") ==
        std::vector<std::string>{"test.yaml:3:5: protocols.http.trace_url_path: unknown key; did "
                                 "you mean \"traces_url_path\"?"});
  CHECK(mistakes("protocols:\n  grpc:\n    max_recv_msg_size: 4\n") ==
        std::vector<std::string>{"test.yaml:3:5: protocols.grpc.max_recv_msg_size: unknown key; "
                                 "did you mean \"max_recv_msg_size_mib\"?"});
  CHECK(mistakes("protocols:\n  http:\n    metrics_url_path: v1/traces\n") ==
        std::vector<std::string>{
            "test.yaml:3:23: protocols.http.metrics_url_path: is the path of traces too"});
  CHECK(mistakes("protocols:\n  grpc:\ncompression: gzip\n") ==
        std::vector<std::string>{"test.yaml:3:1: compression: unknown key"});
}

TEST_CASE("an otlp receiver offers its routes when it is built, each once", "[otlp_receiver]") {
  CHECK(Built("protocols:\n  grpc:\n  http:\n").errors.empty());
  CHECK(Built("protocols: {grpc: {endpoint: 'localhost:4317'}, http: {endpoint: 'localhost:4317'}}")
            .errors.empty());
  CHECK(
      Built("protocols: {http: {metrics_url_path: /other, logs_url_path: /other}}").errors.empty());
  Built first("protocols:\n  grpc:\n");
  config::Problems problems;
  const auto decoded =
      otlp_receiver().decode(config::parse_text("protocols:\n  grpc:\n", "test.yaml", problems));
  std::vector<std::string> errors;
  ReceiverContext context{{"otlp/2", first.executor, first.metrics, first.ledger},
                          first.counters,
                          first.listeners,
                          {&first.next}};
  context.errors = &errors;
  const auto second = decoded.build(context);
  CHECK_FALSE(errors.empty());
}

}  // namespace sluice::test
