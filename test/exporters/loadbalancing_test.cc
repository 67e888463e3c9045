#include "exporters/loadbalancing/loadbalancing.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "exporters/loadbalancing/member_source.h"
#include "test/exporters/loadbalancing_traces.h"
#include "test/exporters/temporary_directory.h"
#include "test/support/exporter_fixture.h"
#include "test/support/h2_server.h"
#include "test/support/manual_executor.h"
#include "test/support/otlp_builder.h"
#include "test/support/readme.h"

using namespace sluice;
using namespace std::chrono_literals;
using test::H2Server;
using test::traces;
using Names = std::vector<std::string>;
using Lines = std::vector<std::string>;

namespace {

/// A member that says `status` to all that comes.
struct Member {
  explicit Member(std::string status = "0")
      : server([code = std::move(status)](const H2Server::Seen&) {
          H2Server::Answer answer;
          answer.trailers = {{"grpc-status", code}};
          if (code == "0") answer.body = test::grpc_message("");
          return answer;
        }) {}

  std::string address() const { return server.address(); }
  Names names() const {
    Names all;
    for (const H2Server::Seen& seen : server.seen()) {
      for (std::string& name : test::span_names(test::parse_batch(seen.body.substr(5)))) {
        all.push_back(std::move(name));
      }
    }
    return all;
  }

  H2Server server;
};

/// An answer that a member's thread gives.
struct PostedAnswer final : AckTarget {
  explicit PostedAnswer(Executor& where) : executor(where) {}
  void answered(Answer answer) noexcept override {
    executor.post([this, given = answer.verdict] { verdict = given; });
  }
  Executor& executor;
  std::optional<Verdict> verdict;
};

/// The exporter from YAML: its own clock stands still, its connections are real.
class Fixture {
 public:
  explicit Fixture(const std::string& yaml) {
    config::Problems problems;
    const auto decoded =
        loadbalancing_exporter().decode(config::parse_text(yaml, "test.yaml", problems));
    for (const auto& problem : problems.list()) FAIL(problem.to_string());
    loops.start();
    exporter = decoded.build({{"lb", executor, metrics, ledger}, counters, loops});
  }
  ~Fixture() {
    exporter.reset();
    executor.run();
    loops.stop();
  }

  void start() {
    std::string error;
    REQUIRE(exporter->start(error));
    executor.run();
  }
  void send(SpanBatch batch, Ack ack = {}) {
    exporter->consume(std::move(batch), std::move(ack));
    executor.run();
  }
  void until(const std::function<bool()>& condition) {
    while (!condition()) {
      executor.wait_for_posts(1);
      executor.run();
    }
  }
  void stop() {
    bool stopped = false;
    exporter->stop([&] { stopped = true; });
    until([&] { return stopped; });
  }

  test::ManualExecutor executor;
  Metrics metrics;
  Ledger ledger{1 << 30};
  net::EventLoops loops{1};
  SpanCounters counters{metrics, "exporter", "lb"};
  std::unique_ptr<Exporter> exporter;
};

std::string yaml(const std::string& resolver, const std::string& otlp = "",
                 const std::string& more = "") {
  return "{protocol: {otlp: {tls: {insecure: true}, compression: none" + otlp + "}}, resolver: {" +
         resolver + "}" + more + "}";
}

std::string fixed(const std::vector<const Member*>& members) {
  std::string list;
  for (const Member* member : members) {
    list += (list.empty() ? "\"" : ", \"") + member->address() + "\"";
  }
  return "static: {hostnames: [" + list + "]}";
}

Lines mistakes(const std::string& text) { return test::mistakes(loadbalancing_exporter(), text); }
Lines resolver_mistakes(const std::string& resolver) {
  return mistakes("{resolver: {" + resolver + "}}");
}

bool is_in(const std::string& name, const Names& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

TEST_CASE("loadbalancing: each trace arrives whole at one member", "[loadbalancing]") {
  const Member a, b;
  Fixture fixture(yaml(fixed({&a, &b})));
  fixture.start();
  fixture.send(traces(1, 50));
  fixture.send(traces(1, 50));
  fixture.stop();
  const Names at_a = a.names(), at_b = b.names();
  CHECK(at_a.size() + at_b.size() == 100);
  CHECK(at_a.size() > 10);
  CHECK(at_b.size() > 10);
  for (const std::string& name : at_a) CHECK_FALSE(is_in(name, at_b));
  CHECK(fixture.counters.in.value() == 100);
  CHECK(fixture.counters.out.value() == 100);
  CHECK(fixture.exporter->held() == 0);
}

TEST_CASE("loadbalancing: routing by service and by attributes comes from the options",
          "[loadbalancing]") {
  const Member a, b;
  const std::string more = GENERATE(", routing_key: service",
                                    ", routing_key: attributes, "
                                    "routing_attributes: [service.name]");
  Fixture fixture(yaml(fixed({&a, &b}), "", more));
  fixture.start();
  fixture.send(traces(1, 50));  // all of one service
  fixture.stop();
  CHECK(std::max(a.names().size(), b.names().size()) == 50);
}

TEST_CASE("loadbalancing: what members answer is measured by member", "[loadbalancing]") {
  const Member a, b("16");
  Fixture fixture(yaml(fixed({&a, &b})));
  fixture.start();
  fixture.send(traces(1, 50));
  fixture.stop();
  const auto outcome = [&](const Member& member, const std::string& success) {
    return fixture.metrics.value("otelcol_loadbalancer_backend_outcome",
                                 {{"endpoint", member.address()}, {"success", success}});
  };
  CHECK(outcome(a, "true") == 1);
  CHECK(outcome(a, "false") == 0);
  CHECK(outcome(b, "true") == 0);
  CHECK(outcome(b, "false") == 1);
  CHECK(fixture.metrics.value("otelcol_loadbalancer_backend_latency",
                              {{"endpoint", a.address()}}) == 1);
  CHECK(fixture.counters.dropped.value() == b.names().size());
}

TEST_CASE("loadbalancing: the file of members is read again, and a bad one changes nothing",
          "[loadbalancing]") {
  const Member a, b;
  test::TemporaryDirectory directory;
  const std::string path = directory.path() + "/members";
  const auto write = [&](const std::string& text) { std::ofstream(path) << text; };
  Fixture fixture(yaml("file: {path: \"" + path + "\", interval: 2s}"));
  fixture.start();

  // Nobody is known while there is no file.
  test::CaptureAnswer answer;
  fixture.send(traces(1, 10), answer.ack());
  CHECK(answer.answers.at(0).verdict == Verdict::retry_later);
  CHECK(fixture.counters.refused("no_members").value() == 10);

  write("# the tier\n\n  " + a.address() + "  # rack 7\r\n");
  fixture.executor.advance(2s);
  fixture.send(traces(1, 10), answer.ack());
  CHECK(answer.answers.at(1).verdict == Verdict::accepted);
  fixture.until([&] { return fixture.counters.out.value() == 10; });
  CHECK(a.names().size() == 10);

  const std::string bad = GENERATE("", "# none\n", "host:port:more\n");
  write(bad);
  fixture.executor.advance(2s);
  CHECK(fixture.metrics.value("otelcol_loadbalancer_num_backends") == 1);
  std::filesystem::remove(path);
  fixture.executor.advance(2s);
  CHECK(fixture.metrics.value("otelcol_loadbalancer_num_backends") == 1);
  CHECK(fixture.metrics.value("otelcol_loadbalancer_num_resolutions", {{"success", "false"}}) == 3);

  write(b.address() + "\n");
  fixture.executor.advance(2s);
  fixture.send(traces(1, 10));
  fixture.stop();
  CHECK(a.names().size() == 10);
  CHECK(b.names().size() == 10);
  CHECK(fixture.metrics.value("otelcol_loadbalancer_num_backend_updates", {{"resolver", "file"}}) ==
        2);
}

TEST_CASE("loadbalancing: a name stands for its addresses", "[loadbalancing]") {
  const Member a;
  const std::string port = std::to_string(a.server.port());
  test::ExporterFixture fixture(
      loadbalancing_exporter(),
      yaml("dns: {hostname: 127.0.0.1, port: " + port + "}", ", wait_for_ready: true"));
  std::string error;
  std::promise<void> started;
  fixture.loops[0].post([&] {
    CHECK(fixture.exporter->start(error));
    // The look-up was posted before this.
    fixture.loops[0].post([&] { started.set_value(); });
  });
  started.get_future().get();
  fixture.send(traces(1, 10));
  fixture.stop();
  CHECK(a.names().size() == 10);
  CHECK(fixture.metrics.value("otelcol_loadbalancer_num_resolutions",
                              {{"resolver", "dns"}, {"success", "true"}}) == 1);
}

TEST_CASE("loadbalancing: endpoints get a port where they have none", "[loadbalancing]") {
  using loadbalancing::with_port;
  CHECK(with_port("sampler-1") == "sampler-1:4317");
  CHECK(with_port("sampler-1:5317") == "sampler-1:5317");
  CHECK(with_port("[::1]") == "[::1]:4317");
  CHECK(with_port("[::1]:5317") == "[::1]:5317");
}

TEST_CASE("loadbalancing: a queue ahead of the members counts as the exporter, they as its members",
          "[loadbalancing]") {
  const Member a, b;
  const std::string more = GENERATE(", sending_queue: {}", ", retry_on_failure: {enabled: true}");
  Fixture fixture(yaml(fixed({&a, &b}), ", sending_queue: {enabled: false}", more));
  fixture.start();
  fixture.send(traces(1, 50));
  fixture.stop();
  CHECK(a.names().size() + b.names().size() == 50);
  for (const std::string component : {"lb", "lb:members"}) {
    CAPTURE(component);
    for (const std::string flow : {"in", "out"}) {
      CHECK(fixture.metrics.value("sluice_component_spans",
                                  {{"component", component}, {"flow", flow}}) == 50);
    }
    CHECK(fixture.metrics.value("sluice_component_held_spans", {{"component", component}}) == 0);
  }
}

TEST_CASE("loadbalancing: a member without a queue may take as long as the timeout at the top",
          "[loadbalancing]") {
  const Member a("14");
  Fixture fixture(yaml(fixed({&a}),
                       ", sending_queue: {enabled: false}, timeout: 10s, "
                       "retry_on_failure: {initial_interval: 3s, randomization_factor: 0}",
                       ", timeout: 2s"));
  fixture.start();
  PostedAnswer answer(fixture.executor);
  fixture.send(traces(1, 10), Ack(answer));
  fixture.until([&] { return answer.verdict.has_value(); });
  CHECK(answer.verdict == Verdict::retry_later);
  CHECK(fixture.counters.refused("unavailable").value() == 10);
  CHECK(a.names().size() == 10);
  fixture.stop();
}

TEST_CASE("loadbalancing: a certificate that cannot be read is named at start", "[loadbalancing]") {
  Fixture fixture(
      "{protocol: {otlp: {tls: {ca_file: /nowhere/ca.pem}}}, resolver: {file: {path: none}}}");
  std::string error;
  CHECK_FALSE(fixture.exporter->start(error));
  CHECK(error == "tls.ca_file \"/nowhere/ca.pem\": cannot read: No such file or directory");
}

TEST_CASE("loadbalancing: both names are the same type", "[loadbalancing]") {
  CHECK(loadbalancing_exporter().name == "loadbalancing");
  CHECK(loadbalancing_exporter().aliases == std::vector<std::string_view>{"load_balancing"});
}

TEST_CASE("loadbalancing: mistakes about routing are named", "[loadbalancing]") {
  const auto with = [](const std::string& more) {
    return mistakes("{resolver: {static: {hostnames: [a]}}, " + more + "}");
  };
  CHECK(with("routing_key: traceID").empty());
  CHECK(with("routing_key: metric") ==
        Lines{"test.yaml:1:53: routing_key: \"metric\" is not for traces; expected \"traceID\", "
              "\"service\" or \"attributes\""});
  CHECK(with("routing_key: span") ==
        Lines{"test.yaml:1:53: routing_key: expected one of \"traceID\", \"service\", "
              "\"attributes\", found \"span\""});
  CHECK(with("routing_key: attributes") == Lines{"test.yaml:1:1: routing_attributes: at least one "
                                                 "is needed with routing_key: attributes"});
  CHECK(with("routing_attributes: [a]") ==
        Lines{"test.yaml:1:60: routing_attributes: only with routing_key: attributes"});
  CHECK(with("routing_ky: service") ==
        Lines{"test.yaml:1:40: routing_ky: unknown key; did you mean \"routing_key\"?"});
  CHECK(with("protocol: {otlp: {endpoint: \"a:1\"}}").empty());
  CHECK(with("protocol: {http: {}}") == Lines{"test.yaml:1:51: protocol.http: unknown key"});
  CHECK(with("protocol: {otlp: {endpont: a}}") ==
        Lines{"test.yaml:1:58: protocol.otlp.endpont: unknown key; did you mean \"endpoint\"?"});
}

TEST_CASE("loadbalancing: mistakes about the resolver are named", "[loadbalancing]") {
  CHECK(mistakes("{}") ==
        Lines{"test.yaml:1:1: resolver: expected static, dns or file, found none of them"});
  CHECK(resolver_mistakes("") ==
        Lines{"test.yaml:1:12: resolver: expected static, dns or file, found none of them"});
  CHECK(resolver_mistakes("static: {hostnames: [a]}, file: {path: b}") ==
        Lines{"test.yaml:1:12: resolver: expected one of static, dns and file, found several"});
  CHECK(resolver_mistakes("k8s: {service: a}") ==
        Lines{"test.yaml:1:18: resolver.k8s: Kubernetes is not asked for its endpoints; use dns "
              "with the name of a headless service"});
  CHECK(resolver_mistakes("aws_cloud_map: {namespace: a}") ==
        Lines{"test.yaml:1:28: resolver.aws_cloud_map: AWS Cloud Map is not supported; use dns, or "
              "file with a list that is kept up to date"});
  CHECK(resolver_mistakes("consul: {}") ==
        Lines{"test.yaml:1:12: resolver: expected static, dns or file, found none of them",
              "test.yaml:1:13: resolver.consul: unknown key"});
  CHECK(resolver_mistakes("static: {}") ==
        Lines{"test.yaml:1:21: resolver.static.hostnames: required, but missing"});
  CHECK(resolver_mistakes("static: {hostnames: []}") ==
        Lines{"test.yaml:1:33: resolver.static.hostnames: at least one is needed"});
  CHECK(resolver_mistakes("static: {hostnames: [\"a:b:c\"]}") ==
        Lines{"test.yaml:1:33: resolver.static.hostnames: \"a:b:c\" is no address such as "
              "\"sampler-1\" or \"sampler-1:4317\""});
  CHECK(resolver_mistakes("dns: {port: 4317}") ==
        Lines{"test.yaml:1:18: resolver.dns.hostname: required, but missing"});
  CHECK(resolver_mistakes("dns: {hostname: a, port: otlp}") ==
        Lines{"test.yaml:1:38: resolver.dns.port: must be 1 to 65535"});
  CHECK(resolver_mistakes("dns: {hostname: a, interval: -1s}") ==
        Lines{"test.yaml:1:42: resolver.dns.interval: must not be negative"});
  CHECK(resolver_mistakes("dns: {hostname: a, timeout: -1s}") ==
        Lines{"test.yaml:1:41: resolver.dns.timeout: must not be negative"});
  CHECK(resolver_mistakes("file: {}") ==
        Lines{"test.yaml:1:19: resolver.file.path: required, but missing"});
  CHECK(resolver_mistakes("file: {path: a, interval: -1s}") ==
        Lines{"test.yaml:1:39: resolver.file.interval: must not be negative"});
  CHECK(resolver_mistakes("file: {path: a, timeout: 1s}") ==
        Lines{"test.yaml:1:29: resolver.file.timeout: unknown key"});
}

TEST_CASE("loadbalancing: the README tells what is decoded", "[loadbalancing]") {
  CHECK(test::readme_mistakes("exporters/loadbalancing/README.md", "exporters", "loadbalancing",
                              loadbalancing_exporter().decode) == Lines{});
}
