#include "config/document.h"

#include <catch2/catch.hpp>

#include "config/connections.h"
#include "test/config/problems.h"

using namespace sluice;
using namespace std::chrono_literals;
using config::Document;
using test::Lines;

namespace {

// Line 1 opens the pipeline that everything below may use.
const std::string minimal =
    "receivers: {otlp: }\n"
    "processors: {batch: }\n"
    "exporters: {debug: }\n"
    "service:\n"
    "  pipelines:\n"
    "    traces: {receivers: [otlp], processors: [batch], exporters: [debug]}\n";

Lines mistakes(const std::string& text, bool traces_only = false) {
  config::Problems problems;
  config::load_text(text, "a.yaml", problems, traces_only);
  return test::lines(problems);
}

config::ServiceSection service_of(const std::string& more) {
  config::Problems problems;
  const Document document = config::load_text(minimal + more, "a.yaml", problems);
  CHECK(test::lines(problems) == Lines{});
  return document.service;
}

std::vector<std::string> ids(
    const std::vector<std::pair<config::ComponentId, config::Node>>& section) {
  std::vector<std::string> out;
  for (const auto& [id, node] : section) out.push_back(id.text);
  return out;
}

}  // namespace

TEST_CASE("a document holds components and the pipelines that connect them", "[config][document]") {
  config::Problems problems;
  const Document document = config::load_text(R"(
receivers:
  otlp: {protocols: {grpc: }}
processors:
  batch/small: {timeout: 1s}
exporters:
  debug:
  file / out: {path: x}
extensions:
  health_check:
service:
  extensions: [health_check]
  pipelines:
    traces/fast:
      receivers: [otlp]
      processors: [batch/small]
      exporters: [debug, file/out]
)",
                                              "a.yaml", problems);
  CHECK(test::lines(problems) == Lines{});
  CHECK(ids(document.receivers) == std::vector<std::string>{"otlp"});
  CHECK(ids(document.exporters) == std::vector<std::string>{"debug", "file/out"});
  CHECK(document.processors[0].first.type() == "batch");
  CHECK(document.processors[0].second.path() == "processors.batch/small");
  REQUIRE(document.service.pipelines.size() == 1);
  const config::PipelineSection& pipeline = document.service.pipelines[0];
  CHECK(pipeline.id == "traces/fast");
  CHECK(pipeline.position.line == 14);
  CHECK(pipeline.exporters.at(1).id == "file/out");
  CHECK(pipeline.exporters.at(1).position.column == 26);
  CHECK(document.service.extensions.at(0).id == "health_check");
}

TEST_CASE("the service has the collector's defaults", "[config][document]") {
  const config::ServiceSection service = service_of("");
  CHECK(service.logs_level == "info");
  CHECK(service.logs_encoding == "console");
  CHECK(service.metrics_level == "normal");
  REQUIRE(service.prometheus.size() == 1);
  CHECK(service.prometheus[0].host == "localhost");
  CHECK(service.prometheus[0].port == 8888);
  CHECK(service.in_flight_bytes == 0);
  CHECK(service.drain_timeout == 10s);
  CHECK(service.resource.empty());
}

TEST_CASE("every option of the service is read", "[config][document]") {
  const config::ServiceSection service = service_of(R"(
  drain_timeout: 3s
  limits: {in_flight: 64MiB}
  telemetry:
    logs: {level: WARN, encoding: json, output_paths: [stderr], error_output_paths: [stderr]}
    metrics:
      level: Detailed
      readers:
        - {pull: {exporter: {prometheus: {host: 127.0.0.1, port: 9999}}}}
        - pull: {exporter: {prometheus: }}
    resource: {service.name: edge, service.version: }
)");
  CHECK(service.drain_timeout == 3s);
  CHECK(service.in_flight_bytes == 64 << 20);
  CHECK(service.logs_level == "warn");
  CHECK(service.logs_encoding == "json");
  CHECK(service.metrics_level == "detailed");
  REQUIRE(service.prometheus.size() == 2);
  CHECK(service.prometheus[0].host == "127.0.0.1");
  CHECK(service.prometheus[0].port == 9999);
  CHECK(service.prometheus[1].port == 8888);
  CHECK(service.resource == std::vector<std::pair<std::string, std::string>>{
                                {"service.name", "edge"}, {"service.version", ""}});
}

TEST_CASE("older and newer forms of telemetry are read", "[config][document]") {
  const config::ServiceSection service = service_of(R"(
  limits: {in_flight: 1048576}
  telemetry:
    metrics: {address: "127.0.0.1:7777"}
    resource: {attributes: [{name: a, value: 1, type: int}, {name: b}]}
)");
  CHECK(service.in_flight_bytes == 1048576);
  REQUIRE(service.prometheus.size() == 1);
  CHECK(service.prometheus[0].port == 7777);
  CHECK(service.resource ==
        std::vector<std::pair<std::string, std::string>>{{"a", "1"}, {"b", ""}});
  CHECK(service_of("  telemetry: {metrics: {readers: []}}\n").prometheus.empty());
  CHECK(service_of("  telemetry: {metrics: {address: '[::1]:7777'}}\n").prometheus[0].host ==
        "::1");
}

TEST_CASE("keys of the service that mean nothing here are named", "[config][document]") {
  config::Problems problems;
  config::load_text(minimal + R"(
  telemetry:
    logs: {sampling: {enabled: true}, development: true}
    metrics:
      views: []
      readers: [{pull: {exporter: {prometheus: {without_units: true}}}}]
    traces: {level: none}
)",
                    "a.yaml", problems);
  CHECK(test::lines(problems) == Lines{});
  CHECK(problems.keys_without_effect() ==
        std::vector<std::string>{
            "service.telemetry.logs.development", "service.telemetry.logs.sampling",
            "service.telemetry.metrics.readers[0].pull.exporter.prometheus.without_units",
            "service.telemetry.metrics.views", "service.telemetry.traces"});
}

TEST_CASE("mistakes in the service are named with their places", "[config][document]") {
  CHECK(
      mistakes(minimal + R"(
  drain_timeout: soon
  limit: {}
  limits: {in_flight: 5, out: 1}
  telemetry:
    logs: {level: verbose, encoding: jsn, output_paths: [/var/log/x]}
    metrics:
      level: norml
      address: nowhere
      readers:
        - {periodic: {}}
        - {pull: {exporter: {prometheus: {port: 70000, hots: x}}}}
        - {}
    log: {}
  pipline: {}
)") ==
      Lines{
          R"(a.yaml:8:18: service.drain_timeout: expected a duration such as "200ms", found "soon")",
          R"(a.yaml:9:3: service.limit: unknown key; did you mean "limits"?)",
          R"(a.yaml:10:23: service.limits.in_flight: expected at least 1 MiB, such as "128MiB", found "5")",
          "a.yaml:10:26: service.limits.out: unknown key",
          R"(a.yaml:12:19: service.telemetry.logs.level: expected one of "debug", "info", "warn", "error", found "verbose")",
          R"(a.yaml:12:38: service.telemetry.logs.encoding: expected one of "console", "json", found "jsn"; did you mean "json"?)",
          R"(a.yaml:12:57: service.telemetry.logs.output_paths: logs go to standard error only, found "/var/log/x")",
          R"(a.yaml:14:14: service.telemetry.metrics.level: expected one of "none", "basic", "normal", "detailed", found "norml"; did you mean "normal"?)",
          R"(a.yaml:15:16: service.telemetry.metrics.address: expected an address such as "localhost:8888", found "nowhere")",
          "a.yaml:17:22: service.telemetry.metrics.readers[0].periodic: sluice serves its metrics "
          "to Prometheus; it does not push them yet",
          "a.yaml:18:49: service.telemetry.metrics.readers[1].pull.exporter.prometheus.port: "
          "expected a port from 0 to 65535",
          R"(a.yaml:18:56: service.telemetry.metrics.readers[1].pull.exporter.prometheus.hots: unknown key; did you mean "host"?)",
          "a.yaml:19:11: service.telemetry.metrics.readers[2]: expected pull.exporter.prometheus",
          R"(a.yaml:20:5: service.telemetry.log: unknown key; did you mean "logs"?)",
          R"(a.yaml:21:3: service.pipline: unknown key; did you mean "pipelines"?)",
      });
}

TEST_CASE("own metrics beyond this host are a warning", "[config][document]") {
  config::Problems problems;
  config::load_text(minimal + "  telemetry: {metrics: {address: ':8888'}}\n", "a.yaml", problems);
  CHECK_FALSE(problems.any_errors());
  CHECK(test::lines(problems) == Lines{"a.yaml:7:34: service.telemetry.metrics.address: metrics "
                                       "are served beyond this host without "
                                       "TLS and authentication"});
}

TEST_CASE("references to what is not there name the nearest that is", "[config][document]") {
  CHECK(
      mistakes(R"(
receivers: {otlp: }
processors: {batch: }
exporters: {debug: }
service:
  extensions: [health_check]
  pipelines:
    traces: {receivers: [otpl], processors: [bacth, x], exporters: [debug, debug]}
)") ==
      Lines{
          "a.yaml:2:13: receivers.otlp: no pipeline uses it",
          "a.yaml:3:14: processors.batch: no pipeline uses it",
          R"(a.yaml:6:16: service.extensions: no extension is named "health_check")",
          R"(a.yaml:8:26: service.pipelines.traces.receivers: no receiver is named "otpl"; did you mean "otlp"?)",
          R"(a.yaml:8:46: service.pipelines.traces.processors: no processor is named "bacth"; did you mean "batch"?)",
          R"(a.yaml:8:53: service.pipelines.traces.processors: no processor is named "x"; there is "batch")",
          R"(a.yaml:8:76: service.pipelines.traces.exporters[1]: "debug" is listed twice)",
      });
}

TEST_CASE("a pipeline needs receivers and exporters", "[config][document]") {
  CHECK(mistakes("receivers: {otlp: }\nservice:\n  pipelines:\n    traces: {receivers: []}\n    "
                 "traces/b:\n"
                 "    traces/c: {receivers: otlp, exporters: [[x]]}\n") ==
        Lines{
            "a.yaml:1:13: receivers.otlp: no pipeline uses it",
            "a.yaml:4:13: service.pipelines.traces.exporters: required, but missing",
            "a.yaml:4:25: service.pipelines.traces.receivers: expected at least one receiver, "
            "found none",
            "a.yaml:5:5: service.pipelines.traces/b.receivers: required, but missing",
            "a.yaml:5:5: service.pipelines.traces/b.exporters: required, but missing",
            R"(a.yaml:6:27: service.pipelines.traces/c.receivers: expected a list, found "otlp")",
            "a.yaml:6:45: service.pipelines.traces/c.exporters[0]: expected text, found a list",
        });
}

TEST_CASE("a configuration without pipelines is an error", "[config][document]") {
  CHECK(mistakes("") == Lines{"a.yaml:1:1: the configuration is empty"});
  CHECK(mistakes("receivers:\n") == Lines{"a.yaml:1:1: service: required, but missing"});
  CHECK(mistakes("service:\n  extensions:\n") ==
        Lines{"a.yaml:1:1: service.pipelines: required, but missing"});
  CHECK(
      mistakes("service:\n  pipelines:\n") ==
      Lines{"a.yaml:2:3: service.pipelines: expected at least one pipeline of traces, found none"});
  CHECK(mistakes("just text") == Lines{R"(a.yaml:1:1: expected a map, found "just text")"});
}

TEST_CASE("an unknown section is an error with the nearest known one", "[config][document]") {
  CHECK(mistakes(minimal + "exporter: {}\n") ==
        Lines{R"(a.yaml:7:1: exporter: unknown key; did you mean "exporters"?)"});
}

TEST_CASE("ids are checked and compared without blanks", "[config][document]") {
  CHECK(
      mistakes("receivers: {1x: , 'otlp/': , otlp/a b: , ' otlp': , otlp: }\n" +
               minimal.substr(minimal.find('\n') + 1)) ==
      Lines{
          R"(a.yaml:1:13: receivers.1x: expected an id such as "batch" or "batch/small", found "1x")",
          R"(a.yaml:1:19: receivers.otlp/: expected an id such as "batch" or "batch/small", found "otlp/")",
          R"(a.yaml:1:30: receivers.otlp/a b: expected an id such as "batch" or "batch/small", found "otlp/a b")",
          R"(a.yaml:1:53: receivers.otlp: "otlp" is there twice)",
      });
}

TEST_CASE("pipelines of other signals are errors that name them", "[config][document]") {
  CHECK(
      mistakes(minimal + "    metrics: {}\n    logs/x: {}\n    trace: {}\n    traces/: {}\n") ==
      Lines{
          "a.yaml:7:14: service.pipelines.metrics: sluice carries traces, not metrics; "
          "--traces-only skips this "
          "pipeline",
          "a.yaml:8:13: service.pipelines.logs/x: sluice carries traces, not logs; --traces-only "
          "skips this "
          "pipeline",
          R"(a.yaml:9:12: service.pipelines.trace: unknown signal "trace"; did you mean "traces"?)",
          R"(a.yaml:10:14: service.pipelines.traces/: expected an id such as "traces" or "traces/fast", found "traces/")",
      });
}

TEST_CASE("traces only leaves out other pipelines and what only they use", "[config][document]") {
  const std::string text = R"(
receivers: {otlp: , hostmetrics: }
processors: {batch: , cumulativetodelta: {x: y}}
exporters: {debug: , prometheus: }
service:
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [debug]}
    metrics: {receivers: [otlp, hostmetrics], processors: [batch, cumulativetodelta], exporters: [prometheus]}
)";
  config::Problems problems;
  const Document document = config::load_text(text, "a.yaml", problems, true);
  CHECK(test::lines(problems) == Lines{});
  CHECK(ids(document.receivers) == std::vector<std::string>{"otlp"});
  CHECK(ids(document.processors) == std::vector<std::string>{"batch"});
  CHECK(ids(document.exporters) == std::vector<std::string>{"debug"});
  CHECK(document.service.pipelines.size() == 1);
  CHECK(
      mistakes("service:\n  pipelines:\n    metrics: {}\n", true) ==
      Lines{"a.yaml:2:3: service.pipelines: expected at least one pipeline of traces, found none"});
}

TEST_CASE("what nothing uses is a warning and stays", "[config][document]") {
  config::Problems problems;
  const Document document = config::load_text(
      minimal + "extensions: {pprof: }\nconnectors: {forward: }\n", "a.yaml", problems);
  CHECK_FALSE(problems.any_errors());
  CHECK(test::lines(problems) ==
        Lines{"a.yaml:7:14: extensions.pprof: service.extensions does not list it",
              "a.yaml:8:14: connectors.forward: no pipeline uses it"});
  CHECK(document.extensions.size() == 1);
}

TEST_CASE("connectors are exporters of some pipelines and receivers of others",
          "[config][document]") {
  config::Problems problems;
  const Document document = config::load_text(R"(
receivers: {otlp: }
exporters: {debug: }
connectors: {forward: , forward/2: {}, forward/idle: }
service:
  pipelines:
    traces/out: {receivers: [forward/2, otlp], exporters: [debug]}
    traces/in: {receivers: [otlp], exporters: [debug, forward]}
    traces/middle: {receivers: [forward], exporters: [forward/2]}
)",
                                              "a.yaml", problems);
  CHECK(test::lines(problems) ==
        Lines{"a.yaml:4:40: connectors.forward/idle: no pipeline uses it"});
  CHECK(ids(document.connectors) ==
        std::vector<std::string>{"forward", "forward/2", "forward/idle"});
  CHECK(config::downstream_first(document) == std::vector<std::size_t>{0, 2, 1});
}

TEST_CASE("a connector needs both sides, and an id of its own", "[config][document]") {
  CHECK(
      mistakes(R"(
receivers: {otlp: , forward/r: }
exporters: {debug: , forward/e: }
connectors: {forward/r: , forward/e: , forward/in: , forward/out: }
service:
  pipelines:
    traces/1: {receivers: [otlp, forward/r, forward/out], exporters: [forward/in, forward/e]}
    traces/2: {receivers: [otlp, forward/out, forward/on], exporters: [debug]}
)") ==
      Lines{
          "a.yaml:4:14: connectors.forward/r: a receiver has the id \"forward/r\" too, so that "
          "pipelines cannot say which they mean",
          "a.yaml:4:27: connectors.forward/e: an exporter has the id \"forward/e\" too, so that "
          "pipelines cannot say which they mean",
          "a.yaml:7:34: service.pipelines.traces/1.receivers: no pipeline of traces has the "
          "connector \"forward/r\" among its exporters",
          "a.yaml:7:45: service.pipelines.traces/1.receivers: no pipeline of traces has the "
          "connector \"forward/out\" among its exporters",
          "a.yaml:7:71: service.pipelines.traces/1.exporters: no pipeline of traces has the "
          "connector \"forward/in\" among its receivers",
          "a.yaml:7:83: service.pipelines.traces/1.exporters: no pipeline of traces has the "
          "connector \"forward/e\" among its receivers",
          "a.yaml:8:34: service.pipelines.traces/2.receivers: no pipeline of traces has the "
          "connector \"forward/out\" among its exporters",
          "a.yaml:8:47: service.pipelines.traces/2.receivers: no receiver is named \"forward/on\"; "
          "did you mean \"forward/in\"?",
      });
}

TEST_CASE("circles are found and drawn, each once", "[config][document]") {
  const auto circles = [](const std::string& pipelines) {
    return mistakes(
        "receivers: {otlp: }\nexporters: {debug: }\n"
        "connectors: {forward: , forward/2: , forward/3: }\n"
        "service:\n  pipelines:\n" +
        pipelines);
  };
  SECTION("of one pipeline") {
    CHECK(circles(R"(
    traces: {receivers: [otlp, forward], exporters: [debug, forward]}
    traces/2: {receivers: [forward/2, forward/3], exporters: [forward/3, forward/2]}
)") == Lines{
           "a.yaml:7:61: service.pipelines.traces.exporters: spans would go in a circle: traces → "
           "forward → traces",
           "a.yaml:8:63: service.pipelines.traces/2.exporters: spans would go in a circle: "
           "traces/2 → forward/3 → traces/2"});
  }
  SECTION("of several, with ways that lead in and out") {
    CHECK(circles(R"(
    traces/in: {receivers: [otlp], exporters: [forward/3]}
    traces/b: {receivers: [forward], exporters: [forward/2, debug]}
    traces/a: {receivers: [forward/2, forward/3], exporters: [debug, forward]}
    traces/out: {receivers: [forward/2], exporters: [debug]}
)") == Lines{"a.yaml:8:50: service.pipelines.traces/b.exporters: spans would go in a circle: "
             "traces/b "
             "→ forward/2 → traces/a → forward → traces/b"});
  }
  SECTION("a way that comes together again is none") {
    CHECK(circles(R"(
    traces/in: {receivers: [otlp], exporters: [forward, forward/2]}
    traces/1: {receivers: [forward], exporters: [forward/3]}
    traces/2: {receivers: [forward/2, forward], exporters: [forward/3]}
    traces/out: {receivers: [forward/3, forward/2], exporters: [debug]}
)") == Lines{});
  }
}

TEST_CASE("as many pipelines in a row as a file can hold are no matter", "[config][document]") {
  constexpr int count = 500;
  std::string connectors, pipelines;
  for (int i = 0; i < count; ++i) {
    const std::string n = std::to_string(i);
    connectors += "  f/" + n + ":\n";
    pipelines += "    traces/" + n + ": {receivers: [" +
                 (i == 0 ? "otlp" : "f/" + std::to_string(i - 1)) + "], exporters: [f/" + n +
                 "]}\n";
  }
  pipelines +=
      "    traces/end: {receivers: [f/" + std::to_string(count - 1) + "], exporters: [debug]}\n";
  config::Problems problems;
  const Document document =
      config::load_text("receivers: {otlp: }\nexporters: {debug: }\nconnectors:\n" + connectors +
                            "service:\n  pipelines:\n" + pipelines,
                        "a.yaml", problems);
  CHECK(test::lines(problems) == Lines{});
  const std::vector<std::size_t> order = config::downstream_first(document);
  REQUIRE(order.size() == count + 1);
  CHECK(order.front() == count);
  CHECK(order.back() == 0);
}

TEST_CASE("mistakes of every kind come in one run, in order of position", "[config][document]") {
  CHECK(mistakes(R"(
receivers:
  otlp:
  otlp:
procesors:
  batch:
exporters:
  debug: {a: 1, a: 2}
service:
  drain_timeout: 5
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [debug]}
)") == Lines{
           "a.yaml:4:3: receivers.otlp: duplicate key; the first is at 3:3",
           R"(a.yaml:5:1: procesors: unknown key; did you mean "processors"?)",
           "a.yaml:8:17: exporters.debug.a: duplicate key; the first is at 8:11",
           R"(a.yaml:10:18: service.drain_timeout: expected a duration such as "200ms", found "5")",
           R"(a.yaml:12:46: service.pipelines.traces.processors: no processor is named "batch")",
       });
}
