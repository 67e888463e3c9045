// What goes in comes out, is dropped by decision, refused or held: through real processors and the
// real queue, over destinations that fail in every way, until everything has ended.
#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "pipeline/countdown.h"
#include "pipeline/export/sender.h"
#include "pipeline/graph.h"
#include "processors/attributes/attributes.h"
#include "processors/batch/batch.h"
#include "processors/forward/forward.h"
#include "processors/routing/routing.h"
#include "test/support/otlp_builder.h"

namespace sluice {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t seed = 20240117;

/// A destination with moods. Counts what it really took.
class MoodySender final : public Sender {
 public:
  MoodySender(Executor& executor, std::atomic<std::uint64_t>& taken)
      : executor_(executor), taken_(taken) {}
  bool start(std::string&) override { return true; }
  void stop() override {}
  void send(SpanBatch batch, std::chrono::nanoseconds, SendDone done) override {
    executor_.post([result = mood(batch.span_count()), done = std::move(done)]() mutable {
      done(std::move(result));
    });
  }

 private:
  SendResult mood(std::uint64_t spans) {
    using Kind = SendResult::Kind;
    const auto die = random_() % 20;
    if (die < 5) return {Kind::retry, "busy", 1ms, 0};
    if (die < 7 && spans > 1) return {Kind::too_large, "too large", {}, 0};
    if (die < 9) return {Kind::invalid, "bad span", {}, 0};
    if (die < 10) return {Kind::permanent, "no", {}, 0};
    const std::uint64_t rejected = die < 12 ? 1 : 0;
    taken_ += spans - rejected;
    return {Kind::delivered, "", {}, rejected};
  }

  Executor& executor_;
  std::atomic<std::uint64_t>& taken_;
  std::mt19937 random_{seed};
};

/// Takes the place of a door: remembers where batches go.
class Door final : public Receiver {
 public:
  bool start(std::string&) override { return true; }
  void stop(Task done) override { done(); }
};

class CountAnswers final : public AckTarget {
 public:
  void answered(Answer) noexcept override { ++count; }
  std::atomic<int> count = 0;
};

SpanBatch spans(std::size_t count) {
  return test::make_batch({{.spans = test::numbered_spans(count)}});
}

constexpr std::string_view configuration = R"(
receivers: {door: }
processors:
  attributes: {actions: [{key: mark, value: "yes", action: insert}]}
  batch: {timeout: 1ms, send_batch_size: 7, send_batch_max_size: 9}
  batch/small: {timeout: 1ms, send_batch_size: 2, send_batch_max_size: 3}
exporters:
  moody/one:
    retry_on_failure: {initial_interval: 1ms, max_interval: 2ms}
    sending_queue: {queue_size: 5, num_consumers: 2}
  moody/two:
    retry_on_failure: {enabled: false}
    sending_queue: {queue_size: 3, required: false}
  moody/three:
    retry_on_failure: {initial_interval: 1ms, max_interval: 1ms}
    sending_queue: {queue_size: 20, sizer: items, batch: {flush_timeout: 1ms, min_size: 5, max_size: 6}}
  moody/four:
    retry_on_failure: {initial_interval: 1ms, max_interval: 2ms}
    sending_queue: {queue_size: 8, num_consumers: 2}
connectors:
  forward:
  routing:
    table:
      - {condition: span.name == "span-0", action: copy, pipelines: [traces/4]}
      - {condition: span.name != "span-1", pipelines: [traces/3, traces/4]}
service:
  pipelines:
    traces/4: {receivers: [routing], exporters: [moody/four, moody/two]}
    traces/3: {receivers: [routing, forward], processors: [batch/small], exporters: [moody/four]}
    traces/1: {receivers: [door], processors: [attributes, batch], exporters: [moody/one, moody/two, routing, forward]}
    traces/2: {receivers: [door], processors: [attributes], exporters: [moody/three, moody/one]}
)";

TEST_CASE("every span is accounted for by every component, whatever the destinations do",
          "[graph]") {
  std::map<std::string, std::atomic<std::uint64_t>> taken;
  std::vector<Consumer*> entries;
  ComponentTable table;
  table.processors = {batch_processor(), attributes_processor()};
  table.connectors = {forward_connector(), routing_connector()};
  table.receivers.push_back(
      {{"door",
        [&](const config::Node&) -> Decoded<ReceiverBuilder> {
          return ReceiverBuilder([&](const ReceiverContext& context) -> std::unique_ptr<Receiver> {
            entries = context.next;
            return std::make_unique<Door>();
          });
        },
        {}}});
  table.exporters.push_back(
      {{"moody",
        [&](const config::Node& node) -> Decoded<ExporterBuilder> {
          ExportOptions options;
          decode_export(node, options);
          return ExporterBuilder([&, options](const ExporterContext& context) {
            return make_exporter(
                context, options,
                std::make_unique<MoodySender>(context.executor, taken[context.id]));
          });
        },
        {}}});

  Metrics metrics;
  Ledger ledger(64 << 20);
  net::EventLoops loops(2);
  net::Listeners doors(loops, ledger, metrics), own(loops, ledger, metrics);
  config::Problems problems;
  CountAnswers answers;
  const auto graph = Graph::build(config::load_text(configuration, "test.yaml", problems), table,
                                  {loops, doors, own, ledger, metrics}, problems);
  INFO(problems.report());
  REQUIRE(graph != nullptr);
  loops.start();
  std::string error;
  REQUIRE(graph->start(error));

  constexpr int requests = 300;
  std::mt19937 random(seed);
  std::uint64_t sent = 0;
  for (int i = 0; i < requests; ++i) {
    const std::size_t count = 1 + random() % 3;
    sent += count;
    const std::size_t worker = static_cast<std::size_t>(i) % 2;
    run_on(loops[worker], [&] { entries[worker]->consume(spans(count), Ack(answers)); });
  }
  CHECK(graph->stop(60s, {}) == 0);
  loops.stop();
  CHECK(answers.count == requests);

  const auto flow = [&](std::string_view id, std::string_view name) {
    return metrics.value("sluice_component_spans",
                         {{"component", std::string(id)}, {"flow", std::string(name)}});
  };
  for (const char* id : {"attributes", "batch", "batch/small", "forward", "routing", "moody/one",
                         "moody/two", "moody/three", "moody/four"}) {
    INFO(id << ": in " << flow(id, "in") << " out " << flow(id, "out") << " dropped "
            << flow(id, "dropped") << " refused " << flow(id, "refused"));
    CHECK(flow(id, "in") > 0);
    CHECK(flow(id, "in") == flow(id, "out") + flow(id, "dropped") + flow(id, "refused"));
    CHECK(metrics.value("sluice_component_held_spans", {{"component", id}}) == 0);
  }
  for (const auto& [id, count] : taken) CHECK(flow(id, "out") == static_cast<double>(count));
  // Both pipelines see each span once at most; what the door's fan-out refused was kept by neither.
  CHECK(flow("attributes", "out") <= static_cast<double>(2 * sent));
  CHECK(flow("batch", "in") <= static_cast<double>(sent));
}

}  // namespace
}  // namespace sluice
