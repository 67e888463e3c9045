#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/component.h"
#include "pipeline/fanout.h"
#include "test/support/capture.h"
#include "test/support/manual_executor.h"

namespace sluice::test {

/// One instance of a connector, built from YAML as a user writes it, before pipelines that are
/// capture consumers.
class ConnectorFixture {
 public:
  ConnectorFixture(const ConnectorType& type, std::string_view yaml,
                   const std::vector<std::string>& pipelines)
      : ends(pipelines.size()) {
    config::Problems problems;
    const Decoded<ConnectorBuilder> decoded =
        type.decode(config::parse_text(yaml, "test.yaml", problems));
    reads_context = decoded.reads_context;
    std::vector<ConnectorContext::Exit> exits;
    std::vector<Consumer*> all;
    for (std::size_t i = 0; i < pipelines.size(); ++i) {
      exits.push_back({pipelines[i], &ends[i]});
      all.push_back(&ends[i]);
    }
    fanout = make_fanout(all);
    Consumer& next = all.size() == 1 ? *all.front() : *fanout;
    Siblings siblings(1);
    connector = decoded.build(
        ConnectorContext{{{"test", executor, metrics, ledger}, counters, next, siblings}, exits});
    connector->start();
    for (const config::Problem& problem : problems.list()) mistakes.push_back(problem.to_string());
  }

  /// The answer to a batch; nothing yet answers "none".
  std::string send(SpanBatch batch) {
    CaptureAnswer& answer = answers.emplace_back();
    connector->consume(std::move(batch), answer.ack());
    return word(answer);
  }
  /// The same by way of a promise, as a fan-out does it.
  std::string send_reserved(SpanBatch batch) {
    CaptureAnswer& answer = answers.emplace_back();
    const Load load = Load::of(batch);
    if (auto refusal = connector->reserve(load)) {
      answer.ack().resolve(*refusal);
    } else {
      connector->commit(std::move(batch), load, answer.ack());
    }
    return word(answer);
  }
  static std::string word(const CaptureAnswer& answer) {
    if (answer.answers.empty()) return "none";
    if (answer.answers.size() > 1) return "several";
    static constexpr const char* words[] = {"accepted", "retry_later", "rejected"};
    return words[static_cast<std::size_t>(answer.answers.front().verdict)];
  }
  std::uint64_t flow(const std::string& name) const {
    return static_cast<std::uint64_t>(metrics.value(
        "sluice_component_spans", {{"component", "test"}, {"flow", name}, {"kind", "connector"}}));
  }
  bool conserved() const {
    return flow("in") == flow("out") + flow("dropped") + flow("refused") +
                             static_cast<std::uint64_t>(counters.held.value());
  }
  /// Promises that nobody kept or took back.
  int reserved() const {
    int count = 0;
    for (const CaptureConsumer& end : ends) count += end.reserved;
    return count;
  }

  ManualExecutor executor;
  Metrics metrics;
  Ledger ledger{std::size_t{1} << 30};
  SpanCounters counters{metrics, "connector", "test"};
  std::deque<CaptureConsumer> ends;  ///< in the order of the pipelines
  std::unique_ptr<Consumer> fanout;
  std::vector<std::string> mistakes;
  bool reads_context = false;
  std::deque<CaptureAnswer> answers;
  std::unique_ptr<Processor> connector;
};

}  // namespace sluice::test
