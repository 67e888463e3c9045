/// Whole files, as users of the collector have them: they load unchanged, and every way to break
/// one is answered at the place of the mistake.
#include <catch2/catch.hpp>

#include "config/document.h"
#include "exporters/otlp/otlp.h"
#include "processors/attributes/attributes.h"
#include "processors/batch/batch.h"
#include "receivers/otlp/otlp.h"
#include "test/config/problems.h"

using namespace sluice;
using test::Lines;

namespace {

const std::string receivers = R"(receivers:
  otlp:
    protocols:
      grpc: {endpoint: 127.0.0.1:4317, max_recv_msg_size_mib: 64}
      http: {endpoint: 127.0.0.1:4318}
processors:
)";

const std::string attributes = R"(  attributes:
    actions:
      - {key: env, value: prod, action: insert}
      - {key: app.user.id, action: hash}
      - {key: user_agent.original, action: delete}
      - {key: http.request.method, value: X, action: update}
)";

std::string file(const std::string& more, const std::string& compression,
                 const std::string& order) {
  return receivers + more + R"(  batch: {send_batch_size: 8192, timeout: 200ms}
exporters:
  otlp_grpc:
    endpoint: 127.0.0.1:5317
    compression: )" +
         compression + R"(
    tls: {insecure: true}
service:
  telemetry: {metrics: {level: basic, readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: 8888}}}}]}, logs: {level: warn}}
  pipelines:
    traces: {receivers: [otlp], processors: )" +
         order + ", exporters: [otlp_grpc]}\n";
}

const std::vector<std::string> files = {file("", "none", "[batch]"), file("", "gzip", "[batch]"),
                                        file(attributes, "none", "[attributes, batch]")};

/// One way to break a file: `from` becomes `to`, and the mistake stands at `mark` in the result.
struct Break {
  std::string from, to, mark, line;
};

const std::vector<Break> breaks = {
    {"receivers:\n", "reciever:\n",
     "reciever:", R"(reciever: unknown key; did you mean "receivers"?)"},
    {"traces:", "trace:", "{receivers: [otlp]",
     R"(service.pipelines.trace: unknown signal "trace"; did you mean "traces"?)"},
    {"batch]", "bach]", "bach]",
     R"(service.pipelines.traces.processors: no processor is named "bach"; did you mean "batch"?)"},
    {"[otlp_grpc]", "[otlp_gcp]", "otlp_gcp]",
     R"(service.pipelines.traces.exporters: no exporter is named "otlp_gcp"; did you mean "otlp_grpc"?)"},
    {"[otlp]", "otlp", "otlp, p",
     R"(service.pipelines.traces.receivers: expected a list, found "otlp")"},
    {"level: warn", "level: wran", "wran",
     R"(service.telemetry.logs.level: expected one of "debug", "info", "warn", "error", found "wran"; did you mean "warn"?)"},
    {"port: 8888", "port: http", "http}}",
     R"(service.telemetry.metrics.readers[0].pull.exporter.prometheus.port: expected an integer from 0 to 4294967295, found "http")"},
    {"  pipelines:", "  drain_timeout: 5\n  pipelines:", "5\n",
     R"(service.drain_timeout: expected a duration such as "200ms", found "5")"},
    {"  pipelines:", "  extension: []\n  pipelines:", "extension:",
     R"(service.extension: unknown key; did you mean "extensions"?)"},
    {"    tls: {insecure: true}", "    compression: zstd\n    tls: {insecure: true}",
     "compression: zstd", "exporters.otlp_grpc.compression: duplicate key; the first is at "},
    {"processors:\n", "processors:\n  1st: {}\n", "1st",
     R"(processors.1st: expected an id such as "batch" or "batch/small", found "1st")"},
    {"{level: basic", "{level: basic, levels: 1", "levels",
     "service.telemetry.metrics.levels: unknown key; did you mean \"level\"?"},
    {"timeout: 200ms", "timeout: fast", "fast",
     R"(processors.batch.timeout: expected a duration such as "200ms", found "fast")"},
    {"send_batch_size", "send_batch_siz", "send_batch_siz",
     R"(processors.batch.send_batch_siz: unknown key; did you mean "send_batch_size"?)"},
    {"max_recv_msg_size_mib", "max_recv_msg_size_mb", "max_recv_msg_size_mb",
     R"(receivers.otlp.protocols.grpc.max_recv_msg_size_mb: unknown key; did you mean "max_recv_msg_size_mib"?)"},
    {"http:", "htpp:", "htpp",
     R"(receivers.otlp.protocols.htpp: unknown key; did you mean "http"?)"},
    {"insecure: true", "insecure: yes", "yes",
     R"(exporters.otlp_grpc.tls.insecure: expected true or false, found "yes")"},
    {"compression: ", "compression: sna", "sna", "exporters.otlp_grpc.compression: expected "},
    {"127.0.0.1:5317", "127.0.0.1:port", "127.0.0.1:port", "exporters.otlp_grpc.endpoint: "},
    {"action: hash", "action: hsh", "hsh", "processors.attributes.actions[1].action: expected "},
};

bool applies(const std::string& text, const Break& one) {
  return text.find(one.from) != std::string::npos;
}

std::string broken(std::string text, const Break& one) {
  return text.replace(text.find(one.from), one.from.size(), one.to);
}

std::string place(const std::string& text, const std::string& mark) {
  const std::size_t at = text.find(mark);
  const auto begin = text.rfind('\n', at) + 1;
  const auto line =
      std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n') + 1;
  return "x.yaml:" + std::to_string(line) + ':' + std::to_string(at - begin + 1) + ": ";
}

void decode(const config::Document& document) {
  for (const auto& [id, node] : document.receivers) otlp_receiver().decode(node);
  for (const auto& [id, node] : document.processors) {
    if (id.type() == "batch") batch_processor().decode(node);
    if (id.type() == "attributes") attributes_processor().decode(node);
  }
  for (const auto& [id, node] : document.exporters) otlp_exporter().decode(node);
}

Lines mistakes(const std::string& text) {
  config::Problems problems;
  decode(config::load_text(text, "x.yaml", problems));
  return test::lines(problems);
}

bool has(const Lines& lines, const std::string& start) {
  return std::ranges::any_of(lines,
                             [&start](const std::string& line) { return line.starts_with(start); });
}

}  // namespace

TEST_CASE("files of the collector load unchanged", "[config][files]") {
  for (const std::string& text : files) CHECK(mistakes(text) == Lines{});
}

TEST_CASE("each way to break a file is answered at its place", "[config][files]") {
  for (const std::string& text : files) {
    for (const Break& one : breaks) {
      if (!applies(text, one)) continue;
      const std::string changed = broken(text, one);
      INFO(changed);
      CAPTURE(mistakes(changed));
      CHECK(has(mistakes(changed), place(changed, one.mark) + one.line));
    }
  }
}

TEST_CASE("a file that is broken in every way at once is answered with all of them",
          "[config][files]") {
  for (const std::string& text : files) {
    std::string changed = text;
    std::vector<Break> made;
    for (const Break& one : breaks) {
      const bool hides_others = one.to == "trace:" || one.to == "reciever:\n";
      if (hides_others || !applies(changed, one)) continue;
      changed = broken(changed, one);
      made.push_back(one);
    }
    REQUIRE(made.size() >= 15);
    CAPTURE(mistakes(changed));
    for (const Break& one : made) {
      INFO(one.line);
      CHECK(has(mistakes(changed), place(changed, one.mark) + one.line));
    }
  }
}
