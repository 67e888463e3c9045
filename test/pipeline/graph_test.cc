#include "pipeline/graph.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "pipeline/countdown.h"
#include "test/support/otlp_builder.h"

namespace sluice {
namespace {

using namespace std::chrono_literals;

/// What the components of a test did, in order, and handles to them. Any thread.
struct Story {
  void say(const std::string& line) {
    const std::lock_guard lock(mutex);
    lines.push_back(line);
  }
  std::size_t place(const std::string& line) const {
    return static_cast<std::size_t>(std::find(lines.begin(), lines.end(), line) - lines.begin());
  }
  bool before(const std::string& first, const std::string& second) const {
    return place(first) < place(second) && place(second) < lines.size();
  }

  std::mutex mutex;
  std::vector<std::string> lines;
  std::map<std::string, std::vector<Consumer*>> entries;  ///< by receiver, by worker
  std::map<std::string, bool> wants_context;
  std::map<std::string, std::uint64_t> delivered;  ///< spans by exporter
  bool exporter_starts = true;
  bool exporter_stops = true;
  std::atomic<int> calls_from_elsewhere{
      0};  ///< not from the component's executor; asserted at the end, on one thread
  std::uint64_t exporter_holds = 0;
  std::string receiver_error;
};

class FakeExporter final : public Exporter {
 public:
  FakeExporter(Story& story, const ExporterContext& context) : story_(story), context_(context) {}
  bool start(std::string& error) override {
    if (!context_.executor.is_current()) ++story_.calls_from_elsewhere;
    story_.say("start " + context_.id);
    error = "no such place";
    return story_.exporter_starts;
  }
  void stop(Task done) override {
    story_.say("stop " + context_.id);
    if (story_.exporter_stops) done();
  }
  std::uint64_t held() const override { return story_.exporter_holds; }
  void consume(SpanBatch batch, Ack ack) override { commit(std::move(batch), {}, std::move(ack)); }
  std::optional<Answer> reserve(const Load&) override { return std::nullopt; }
  void commit(SpanBatch batch, const Load&, Ack ack) override {
    const std::lock_guard lock(story_.mutex);
    story_.delivered[context_.id] += batch.span_count();
    ack.accepted();
  }
  void cancel(const Load&) override {}

 private:
  Story& story_;
  const ExporterContext context_;
};

class FakeProcessor final : public Processor {
 public:
  FakeProcessor(Story& story, const ProcessorContext& context)
      : story_(story),
        id_(context.id),
        executor_(context.executor),
        counters_(context.counters),
        next_(context.next) {}
  void start() override {
    if (!executor_.is_current()) ++story_.calls_from_elsewhere;
    story_.say("start " + id_);
  }
  void stop(Task done) override {
    if (!executor_.is_current()) ++story_.calls_from_elsewhere;
    story_.say("stop " + id_);
    done();
  }
  void consume(SpanBatch batch, Ack ack) override {
    counters_.in.add(batch.span_count());
    next_.consume(std::move(batch), std::move(ack));
  }
  std::optional<Answer> reserve(const Load& load) override { return next_.reserve(load); }
  void commit(SpanBatch batch, const Load& load, Ack ack) override {
    counters_.in.add(batch.span_count());
    next_.commit(std::move(batch), load, std::move(ack));
  }
  void cancel(const Load& load) override { next_.cancel(load); }

 private:
  Story& story_;
  const std::string id_;
  Executor& executor_;
  SpanCounters& counters_;
  Consumer& next_;
};

class FakeReceiver final : public Receiver {
 public:
  FakeReceiver(Story& story, const ReceiverContext& context) : story_(story), id_(context.id) {
    story_.entries[id_] = context.next;
    story_.wants_context[id_] = context.wants_context;
    if (!story_.receiver_error.empty()) context.errors->push_back(story_.receiver_error);
  }
  bool start(std::string&) override {
    story_.say("start " + id_);
    return true;
  }
  void stop(Task done) override {
    story_.say("stop " + id_);
    done();
  }

 private:
  Story& story_;
  const std::string id_;
};

class FakeExtension final : public Extension {
 public:
  explicit FakeExtension(Story& story) : story_(story) {}
  bool start(std::string&) override {
    story_.say("start extension");
    return true;
  }
  void stop() override { story_.say("stop extension"); }
  void ready(bool now) override { story_.say(now ? "ready" : "not ready"); }

 private:
  Story& story_;
};

ComponentTable table_of(Story& story) {
  ComponentTable table;
  table.receivers.push_back(
      {{"in",
        [&story](const config::Node& node) -> Decoded<ReceiverBuilder> {
          node.no_other_keys();
          return ReceiverBuilder(
              [&story](const ReceiverContext& context) -> std::unique_ptr<Receiver> {
                return std::make_unique<FakeReceiver>(story, context);
              });
        },
        {"also_in"}}});
  table.processors.push_back(
      {{"step",
        [&story](const config::Node& node) -> Decoded<ProcessorBuilder> {
          bool reads = false;
          node.optional("reads_context", reads);
          node.no_other_keys();
          const ProcessorBuilder builder =
              [&story](const ProcessorContext& context) -> std::unique_ptr<Processor> {
            return std::make_unique<FakeProcessor>(story, context);
          };
          return {builder, reads};
        },
        {}}});
  table.exporters.push_back(
      {{"out",
        [&story](const config::Node& node) -> Decoded<ExporterBuilder> {
          node.no_other_keys();
          return ExporterBuilder(
              [&story](const ExporterContext& context) -> std::unique_ptr<Exporter> {
                return std::make_unique<FakeExporter>(story, context);
              });
        },
        {}}});
  table.connectors.push_back(
      {{"link",
        [&story](const config::Node& node) -> Decoded<ConnectorBuilder> {
          bool reads = false;
          node.optional("reads_context", reads);
          node.no_other_keys();
          const ConnectorBuilder builder =
              [&story](const ConnectorContext& context) -> std::unique_ptr<Processor> {
            for (const ConnectorContext::Exit& exit : context.exits)
              story.say(context.id + " leads to " + exit.pipeline);
            return std::make_unique<FakeProcessor>(story, context);
          };
          return {builder, reads};
        },
        {}}});
  table.extensions.push_back(
      {{"side",
        [&story](const config::Node&) -> Decoded<ExtensionBuilder> {
          return ExtensionBuilder([&story](const ExtensionContext&) -> std::unique_ptr<Extension> {
            return std::make_unique<FakeExtension>(story);
          });
        },
        {}}});
  return table;
}

/// A daemon without a process: loops, doors and a graph over fakes.
class Daemon {
 public:
  explicit Daemon(std::string_view yaml, std::string receiver_error = {}) {
    story.receiver_error = std::move(receiver_error);
    const config::Document document = config::load_text(yaml, "test.yaml", problems);
    graph = Graph::build(document, table_of(story), {loops, doors, own, ledger, metrics}, problems);
  }
  ~Daemon() {
    loops.stop();
    CHECK(story.calls_from_elsewhere == 0);
  }

  bool start() {
    loops.start();
    return graph->start(error);
  }
  void send(const std::string& receiver, std::size_t worker, SpanBatch batch) {
    run_on(loops[worker],
           [&] { story.entries.at(receiver).at(worker)->consume(std::move(batch), {}); });
  }
  std::vector<std::string> errors() const {
    std::vector<std::string> lines;
    for (const config::Problem& each : problems.list()) {
      if (each.fatal) lines.push_back(each.to_string());
    }
    return lines;
  }

  Story story;
  config::Problems problems;
  Metrics metrics;
  Ledger ledger{64 << 20};
  net::EventLoops loops{2};
  net::Listeners doors{loops, ledger, metrics}, own{loops, ledger, metrics};
  std::unique_ptr<Graph> graph;
  std::string error;
};

SpanBatch spans(std::size_t count) {
  return test::make_batch({{.spans = test::numbered_spans(count)}});
}

constexpr std::string_view two_pipelines = R"(
receivers: {in/a: , in/b: }
processors: {step/1: , step/2: }
exporters: {out/x: , out/y: }
extensions: {side: }
service:
  extensions: [side]
  pipelines:
    traces/1: {receivers: [in/a, in/b], processors: [step/1, step/2], exporters: [out/x]}
    traces/2: {receivers: [in/b], processors: [step/1], exporters: [out/x, out/y]}
)";

TEST_CASE("sinks start first and sources stop first", "[graph]") {
  Daemon daemon(two_pipelines);
  REQUIRE(daemon.errors().empty());
  REQUIRE(daemon.start());
  CHECK(daemon.graph->stop(10s, {}) == 0);
  const Story& story = daemon.story;
  for (const auto& [first, second] :
       std::vector<std::pair<std::string, std::string>>{{"start out/x", "start step/2"},
                                                        {"start step/2", "start step/1"},
                                                        {"start step/1", "start extension"},
                                                        {"start extension", "start in/a"},
                                                        {"start in/b", "ready"},
                                                        {"ready", "not ready"},
                                                        {"not ready", "stop in/a"},
                                                        {"stop in/a", "stop step/1"},
                                                        {"stop step/1", "stop step/2"},
                                                        {"stop step/2", "stop out/x"},
                                                        {"stop out/y", "stop extension"}}) {
    INFO(first << " before " << second);
    CHECK(story.before(first, second));
  }
}

TEST_CASE("a receiver reaches every pipeline that names it, a pipeline every exporter of its own",
          "[graph]") {
  Daemon daemon(two_pipelines);
  REQUIRE(daemon.start());
  daemon.send("in/a", 0, spans(3));
  CHECK(daemon.story.delivered == std::map<std::string, std::uint64_t>{{"out/x", 3}});
  daemon.send("in/b", 1, spans(5));
  CHECK(daemon.story.delivered ==
        std::map<std::string, std::uint64_t>{{"out/x", 13}, {"out/y", 5}});
  // One set of counters for a component, in however many pipelines and on however many workers it
  // is.
  CHECK(daemon.metrics.value("sluice_component_spans", {{"component", "step/1"}, {"flow", "in"}}) ==
        13);
  CHECK(daemon.metrics.value("sluice_component_spans", {{"component", "step/2"}, {"flow", "in"}}) ==
        8);
  daemon.graph->stop(10s, {});
}

TEST_CASE("the context of a request is wanted where a component of its pipelines reads it",
          "[graph]") {
  const Daemon daemon(R"(
receivers: {in/a: , also_in/b: }
processors: {step: , step/reads: {reads_context: true}}
exporters: {out: }
service:
  pipelines:
    traces/1: {receivers: [in/a, also_in/b], processors: [step], exporters: [out]}
    traces/2: {receivers: [also_in/b], processors: [step/reads], exporters: [out]}
)");
  REQUIRE(daemon.errors().empty());
  CHECK(daemon.story.wants_context ==
        std::map<std::string, bool>{{"in/a", false}, {"also_in/b", true}});
}

// Upstream comes last in the file, and its way is the longer one.
constexpr std::string_view linked = R"(
receivers: {in: }
processors: {step/1: , step/2: , step/3: , step/4: , step/5: }
exporters: {out/x: , out/y: }
connectors: {link/1: , link/2: }
service:
  pipelines:
    traces/x: {receivers: [link/1, link/2], processors: [step/5], exporters: [out/x]}
    traces/y: {receivers: [link/1], processors: [step/3, step/4], exporters: [link/2, out/y]}
    traces/in: {receivers: [in], processors: [step/1, step/2], exporters: [out/y, link/1]}
)";

TEST_CASE("connectors hand on to every pipeline that has them among its receivers", "[graph]") {
  Daemon daemon(linked);
  REQUIRE(daemon.errors().empty());
  REQUIRE(daemon.start());
  CHECK(daemon.story.before("link/1 leads to traces/x", "link/1 leads to traces/y"));
  for (const std::size_t worker : {std::size_t{0}, std::size_t{1}})
    daemon.send("in", worker, spans(3));
  CHECK(daemon.story.delivered ==
        std::map<std::string, std::uint64_t>{{"out/x", 12}, {"out/y", 12}});
  const auto came = [&](std::string_view id, std::string_view kind) {
    return daemon.metrics.value(
        "sluice_component_spans",
        {{"component", std::string(id)}, {"kind", std::string(kind)}, {"flow", "in"}});
  };
  CHECK(came("link/1", "connector") == 6);
  CHECK(came("link/2", "connector") == 6);
  CHECK(came("step/5", "processor") == 12);
  daemon.graph->stop(10s, {});
}

TEST_CASE("what hands on stops before what it hands on to, across connectors", "[graph]") {
  Daemon daemon(linked);
  REQUIRE(daemon.start());
  CHECK(daemon.graph->stop(10s, {}) == 0);
  const std::vector<std::string> way = {"step/1", "step/2", "link/1", "step/3",
                                        "step/4", "link/2", "step/5", "out/x"};
  for (std::size_t i = 0; i + 1 < way.size(); ++i) {
    INFO(way[i] << " and " << way[i + 1]);
    CHECK(daemon.story.before("stop " + way[i], "stop " + way[i + 1]));
    CHECK(daemon.story.before("start " + way[i + 1], "start " + way[i]));
  }
}

TEST_CASE("the context of a request is wanted for what comes behind connectors, too", "[graph]") {
  const Daemon daemon(R"(
receivers: {in/a: , in/b: , in/c: }
processors: {step/reads: {reads_context: true}}
exporters: {out: }
connectors: {link: , link/far: , link/reads: {reads_context: true}}
service:
  pipelines:
    traces/a: {receivers: [in/a], exporters: [link]}
    traces/a2: {receivers: [link], exporters: [link/far]}
    traces/a3: {receivers: [link/far], processors: [step/reads], exporters: [out]}
    traces/b: {receivers: [in/b], exporters: [link/reads]}
    traces/c: {receivers: [in/c, link/reads], exporters: [out]}
)");
  REQUIRE(daemon.errors().empty());
  CHECK(daemon.story.wants_context ==
        std::map<std::string, bool>{{"in/a", true}, {"in/b", true}, {"in/c", false}});
}

TEST_CASE("unknown types and keys are named with what is near, all at once", "[graph]") {
  const Daemon daemon(R"(receivers:
  inn:
  kafka:
processors:
  step:
    reads_contxt: true
exporters:
  somewhere:
connectors:
  spanmetrics:
service:
  pipelines:
    traces: {receivers: [inn, kafka], processors: [step], exporters: [somewhere]}
)");
  CHECK(daemon.graph == nullptr);
  std::string all;
  for (const std::string& line : daemon.errors()) all += line + "\n";
  INFO(all);
  CHECK(daemon.errors().size() == 5);
  CHECK(all.find("receivers.inn: unknown receiver type \"inn\"; did you mean \"in\"?") !=
        std::string::npos);
  CHECK(all.find("receivers.kafka: the collector's receiver \"kafka\" is not part of sluice; it "
                 "has in\n") != std::string::npos);
  CHECK(all.find("processors.step.reads_contxt: unknown key; did you mean \"reads_context\"?") !=
        std::string::npos);
  CHECK(all.find("connectors.spanmetrics: the collector's connector \"spanmetrics\" is not part of "
                 "sluice; it has link\n") != std::string::npos);
  CHECK(all.find("exporters.somewhere: unknown exporter type \"somewhere\"; there are out\n") !=
        std::string::npos);
}

TEST_CASE("what only the building of a component shows is a mistake in its place", "[graph]") {
  const Daemon daemon(
      "receivers:\n  in:\n    {}\nexporters: {out: }\nservice:\n  pipelines:\n"
      "    traces: {receivers: [in], exporters: [out]}\n",
      "the address is taken");
  CHECK(daemon.graph == nullptr);
  REQUIRE(daemon.errors().size() == 1);
  CHECK(daemon.errors().front() == "test.yaml:3:5: receivers.in: the address is taken");
}

constexpr std::string_view one_pipeline = R"(
receivers: {in: }
processors: {step: }
exporters: {out: }
service:
  pipelines:
    traces: {receivers: [in], processors: [step], exporters: [out]}
)";

TEST_CASE("an exporter that cannot start is named", "[graph]") {
  Daemon daemon(one_pipeline);
  daemon.story.exporter_starts = false;
  CHECK_FALSE(daemon.start());
  CHECK(daemon.error == "exporter out: no such place");
}

TEST_CASE("an exporter that never ends its drain costs the deadline, and what it holds is said",
          "[graph]") {
  Daemon daemon(one_pipeline);
  daemon.story.exporter_stops = false;
  daemon.story.exporter_holds = 42;
  REQUIRE(daemon.start());
  SECTION("after the deadline") { CHECK(daemon.graph->stop(1ms, {}) == 42); }
  SECTION("in a hurry") {
    std::stop_source hurry;
    hurry.request_stop();
    CHECK(daemon.graph->stop(1h, hurry.get_token()) == 42);
  }
}

}  // namespace
}  // namespace sluice
