#include "extensions/health_check/health_check.h"

#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "extensions/without_effect/without_effect.h"
#include "pipeline/net/event_loop.h"
#include "pipeline/net/server.h"
#include "test/support/manual_executor.h"

namespace sluice {
namespace {

using Lines = std::vector<std::string>;

class CaptureReply final : public net::Reply::Target {
 public:
  void respond(net::Response response) noexcept override { last = std::move(response); }
  net::Response last;
};

/// The extension of one YAML text, and a way to ask it as its door would.
struct Checked {
  explicit Checked(std::string_view yaml) {
    const auto built =
        health_check_extension().decode(config::parse_text(yaml, "test.yaml", problems));
    extension = built.build(ExtensionContext{
        {"health_check", executor, metrics, ledger}, listeners, listeners, loops, &errors});
  }
  net::Response ask() {
    const auto target = std::make_shared<CaptureReply>();
    dynamic_cast<net::Service&>(*extension).serve({}, net::Reply(target));
    return target->last;
  }
  Lines mistakes() const {
    Lines lines;
    for (const config::Problem& each : problems.list()) lines.push_back(each.to_string());
    return lines;
  }

  config::Problems problems;
  test::ManualExecutor executor;
  Metrics metrics;
  Ledger ledger{1 << 20};
  net::EventLoops loops{1};
  net::Listeners listeners{loops, ledger, metrics};
  Lines errors;
  std::unique_ptr<Extension> extension;
};

TEST_CASE("health is 503 until the pipelines have started, and again when they drain",
          "[health_check]") {
  Checked health("{}");
  CHECK(health.ask().status == 503);
  health.extension->ready(true);
  CHECK(health.ask().status == 200);
  CHECK(health.ask().body.starts_with(R"({"status":"Server available","upSince":"20)"));
  health.extension->ready(false);
  CHECK(health.ask().status == 503);
  CHECK(health.ask().body ==
        R"({"status":"Server not available","upSince":"0001-01-01T00:00:00Z","uptime":""})");
}

TEST_CASE("health says what the configuration wants it to say", "[health_check]") {
  Checked health(
      "response_body: {healthy: fine, unhealthy: not now}\ncheck_collector_pipeline: {enabled: "
      "true}\n");
  CHECK(health.mistakes().empty());
  CHECK(health.ask().body == "not now");
  CHECK(health.ask().content_type == "text/plain; charset=utf-8");
  health.extension->ready(true);
  CHECK(health.ask().body == "fine");
}

TEST_CASE("mistakes in a health check are named", "[health_check]") {
  CHECK(Checked("pth: /x\npath: health\n").mistakes() ==
        Lines{"test.yaml:1:1: pth: unknown key; did you mean \"path\"?",
              "test.yaml:2:7: path: must begin with \"/\""});
}

TEST_CASE("a health check at another one's place is a mistake", "[health_check]") {
  Checked health("endpoint: 127.0.0.1:13133\npath: /a");
  const auto built = health_check_extension().decode(
      config::parse_text("endpoint: 127.0.0.1:13133", "t.yaml", health.problems));
  CHECK(health.errors.empty());
  const auto second = built.build(
      ExtensionContext{{"health_check/2", health.executor, health.metrics, health.ledger},
                       health.listeners,
                       health.listeners,
                       health.loops,
                       &health.errors});
  CHECK(health.errors.size() == 1);  // both answer /ready
}

TEST_CASE("pprof and zpages load, say that they do nothing, and refuse unknown keys",
          "[health_check]") {
  config::Problems problems;
  pprof_extension().decode(config::parse_text("endpoint: localhost:1777", "t.yaml", problems));
  zpages_extension().decode(config::parse_text("endpoint: localhost:55679", "t.yaml", problems));
  CHECK_FALSE(problems.any_errors());
  CHECK(problems.keys_without_effect() == Lines{"endpoint"});
  zpages_extension().decode(config::parse_text("endpont: x", "t.yaml", problems));
  CHECK(problems.any_errors());
}

}  // namespace
}  // namespace sluice
