#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/component.h"
#include "test/support/capture.h"
#include "test/support/manual_executor.h"

namespace sluice::test {

/// The mistakes of one processor's options, as a user reads them.
inline std::vector<std::string> processor_mistakes(const ProcessorType& type,
                                                   std::string_view yaml) {
  config::Problems problems;
  (void)type.decode(config::parse_text(yaml, "test.yaml", problems));
  std::vector<std::string> lines;
  for (const config::Problem& problem : problems.list()) lines.push_back(problem.to_string());
  return lines;
}

/// One instance of a processor, built from YAML as a user writes it, between a test and a capture
/// consumer.
class ProcessorFixture {
 public:
  ProcessorFixture(const ProcessorType& type, std::string_view yaml) {
    config::Problems problems;
    const Decoded<ProcessorBuilder> decoded =
        type.decode(config::parse_text(yaml, "test.yaml", problems));
    for (const config::Problem& problem : problems.list()) mistakes.push_back(problem.to_string());
    reads_context = decoded.reads_context;
    Siblings siblings(1);
    processor = decoded.build(
        ProcessorContext{{"test", executor, metrics, ledger}, counters, next, siblings});
    processor->start();
  }

  /// The answer to a batch; nothing yet answers "none".
  std::string send(SpanBatch batch) {
    answers.push_back(std::make_unique<CaptureAnswer>());
    processor->consume(std::move(batch), answers.back()->ack());
    return last_answer();
  }
  std::string last_answer() const {
    const std::vector<Answer>& given = answers.back()->answers;
    if (given.empty()) return "none";
    if (given.size() > 1) return "several";
    static constexpr const char* words[] = {"accepted", "retry_later", "rejected"};
    return words[static_cast<std::size_t>(given.front().verdict)];
  }
  std::uint64_t flow(const std::string& name, const Labels& more = {}) const {
    Labels labels = {{"component", "test"}, {"flow", name}};
    labels.insert(labels.end(), more.begin(), more.end());
    return static_cast<std::uint64_t>(metrics.value("sluice_component_spans", labels));
  }
  bool conserved() const {
    return flow("in") == flow("out") + flow("dropped") + flow("refused") +
                             static_cast<std::uint64_t>(counters.held.value());
  }

  ManualExecutor executor;
  Metrics metrics;
  Ledger ledger{std::size_t{1} << 30};
  SpanCounters counters{metrics, "processor", "test"};
  CaptureConsumer next;
  std::vector<std::string> mistakes;
  bool reads_context = false;
  std::vector<std::unique_ptr<CaptureAnswer>> answers;
  std::unique_ptr<Processor> processor;
};

}  // namespace sluice::test
