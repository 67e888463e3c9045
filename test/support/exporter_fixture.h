#pragma once

#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/component.h"
#include "pipeline/net/event_loop.h"
#include "test/support/capture.h"

namespace sluice::test {

/// An exporter from YAML on real event loops, as `main` would build it.
class ExporterFixture {
 public:
  ExporterFixture(const ExporterType& type, const std::string& yaml, std::size_t workers = 1)
      : loops(workers) {
    config::Problems problems;
    const auto decoded = type.decode(config::parse_text(yaml, "test.yaml", problems));
    for (const auto& problem : problems.list()) FAIL(problem.to_string());
    loops.start();
    exporter = decoded.build({{"test", loops[0], metrics, ledger}, counters, loops});
  }
  ~ExporterFixture() {
    exporter.reset();
    loops.stop();
  }

  void start() {
    std::string error;
    REQUIRE(exporter->start(error));
    CHECK(error == "");
  }
  void send(SpanBatch batch) { exporter->consume(std::move(batch), Ack()); }
  /// Delivers what is queued, and ends the exporter.
  void stop() {
    std::promise<void> stopped;
    exporter->stop([&] { stopped.set_value(); });
    stopped.get_future().get();
  }
  double dropped(const std::string& reason) const {
    return metrics.value("sluice_exporter_dropped_spans", {{"reason", reason}});
  }

  Metrics metrics;
  Ledger ledger{1 << 30};
  net::EventLoops loops;
  SpanCounters counters{metrics, "exporter", "test"};
  std::unique_ptr<Exporter> exporter;
};

/// What decoding complains about, line by line.
inline std::vector<std::string> mistakes(const ExporterType& type, const std::string& yaml) {
  config::Problems problems;
  type.decode(config::parse_text(yaml, "test.yaml", problems));
  std::vector<std::string> lines;
  for (const auto& problem : problems.list()) lines.push_back(problem.to_string());
  return lines;
}

}  // namespace sluice::test
