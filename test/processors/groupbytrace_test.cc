#include "processors/groupbytrace/groupbytrace.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <set>

#include "pipeline/model/span_view.h"
#include "test/support/otlp_builder.h"
#include "test/support/processor_fixture.h"
#include "test/support/readme.h"
#include "test/support/workers.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

const Answer busy{Verdict::retry_later, 0ms, "full"};

SpanSpec span(std::uint64_t trace, std::string name) {
  return {.name = std::move(name), .trace_id = make_id(trace, 16)};
}
SpanBatch request(std::vector<SpanSpec> spans) {
  return make_batch({{.service = "shop", .spans = std::move(spans)}});
}

ProcessorFixture grouping(std::string_view yaml) { return {groupbytrace_processor(), yaml}; }

/// Of each batch that has left.
std::vector<Strings> names(const ProcessorFixture& test) {
  std::vector<Strings> all;
  for (const SpanBatch& batch : test.next.batches) all.push_back(span_names(batch));
  return all;
}
using Batches = std::vector<Strings>;

double released(const ProcessorFixture& test, std::string reason) {
  return test.metrics.value("sluice_groupbytrace_releases", {{"reason", std::move(reason)}});
}
double metric(const ProcessorFixture& test, const std::string& name) {
  return test.metrics.value("otelcol_processor_groupbytrace_" + name);
}

}  // namespace

TEST_CASE("by default the spans of a second leave together, each trace by itself",
          "[groupbytrace]") {
  auto test = grouping("{}");
  CHECK(test.mistakes == Strings{});
  CHECK_FALSE(test.reads_context);
  CHECK(test.send(request({span(1, "a"), span(2, "b"), span(1, "c")})) == "accepted");
  test.executor.advance(500ms);
  CHECK(test.send(request({span(2, "d"), span(1, "e")})) == "accepted");
  CHECK(test.counters.held.value() == 5);
  CHECK(metric(test, "num_traces_in_memory") == 2);
  test.executor.advance(499ms);
  CHECK(names(test) == Batches{});
  test.executor.advance(51ms);
  CHECK(names(test) == Batches{{"a", "c", "e"}, {"b", "d"}});
  CHECK(test.counters.held.value() == 0);
  CHECK(test.flow("out") == 5);
  CHECK(test.conserved());
  CHECK(test.executor.timers() == 0);
  CHECK(released(test, "waited") == 2);
  CHECK(metric(test, "num_traces_in_memory") == 0);
  CHECK(metric(test, "traces_released") == 2);
  CHECK(metric(test, "spans_released") == 5);
  CHECK(metric(test, "conf_num_traces") == 1'000'000);
  CHECK(test.metrics.value("sluice_groupbytrace_traces") == 2);
}

TEST_CASE("spans of one trace keep their resources and scopes", "[groupbytrace]") {
  auto test = grouping("{wait_duration: 100ms}");
  test.send(make_batch({{.service = "shop", .spans = {span(1, "a"), span(2, "b")}},
                        {.service = "cart", .spans = {span(2, "c"), span(1, "d")}}}));
  test.executor.advance(200ms);
  REQUIRE(names(test) == Batches{{"a", "d"}, {"b", "c"}});
  for (const SpanBatch& batch : test.next.batches) CHECK(batch.resources().size() == 2);
}

TEST_CASE("spans that come when their trace has left wait as long again", "[groupbytrace]") {
  auto test = grouping("{wait_duration: 1s}");
  test.send(request({span(1, "a")}));
  test.executor.advance(1100ms);
  test.send(request({span(1, "b")}));
  test.executor.advance(900ms);
  test.send(request({span(1, "c")}));
  CHECK(names(test) == Batches{{"a"}});
  test.executor.advance(200ms);
  CHECK(names(test) == Batches{{"a"}, {"b", "c"}});
}

TEST_CASE("above num_traces the oldest leave with what has come of them", "[groupbytrace]") {
  auto test = grouping("{num_traces: 2}");
  test.send(request({span(1, "a"), span(1, "b")}));
  test.send(request({span(2, "c")}));
  test.send(request({span(3, "d")}));
  CHECK(names(test) == Batches{{"a", "b"}});
  CHECK(released(test, "over_traces") == 1);
  CHECK(metric(test, "traces_evicted") == 1);
  test.executor.advance(2s);
  CHECK(names(test) == Batches{{"a", "b"}, {"c"}, {"d"}});
  CHECK(test.conserved());
}

TEST_CASE("above max_bytes the oldest leave, and memory stays below", "[groupbytrace]") {
  auto test = grouping("{max_bytes: 1MiB, wait_duration: 10s}");
  for (std::uint64_t trace = 1; trace <= 3000; ++trace) {
    CHECK(test.send(request({span(trace, std::string(1000, 'x'))})) == "accepted");
    REQUIRE(test.ledger.of_holder("test").used() <= (1 << 20) + 8192);
  }
  CHECK(released(test, "over_bytes") > 1500);
  test.executor.advance(11s);
  CHECK(test.next.batches.size() == 3000);
  CHECK(test.flow("out") == 3000);
  CHECK(test.conserved());
}

TEST_CASE("a trace of trace_max_bytes leaves at once, in pieces", "[groupbytrace]") {
  auto test = grouping("{trace_max_bytes: 1MiB}");
  test.send(request(std::vector<SpanSpec>(10'000, span(1, std::string(100, 'x')))));
  CHECK(test.next.batches.size() == 2);
  CHECK(test.next.span_count() == 10'000);
  CHECK(released(test, "too_large") == 1);
  test.send(request({span(1, "rest")}));
  test.executor.advance(2s);
  CHECK(test.next.span_count() == 10'001);
  CHECK(test.conserved());
}

TEST_CASE("what downstream refuses is handed over again, each trace by itself", "[groupbytrace]") {
  auto test = grouping("{}");
  test.next.refuse = busy;
  test.send(request({span(1, "a"), span(2, "b"), span(1, "c")}));
  test.executor.advance(2s);
  CHECK(names(test) == Batches{});
  CHECK(test.counters.held.value() == 3);
  CHECK(test.send(request({span(3, "d")})) == "retry_later");
  CHECK(test.flow("refused", {{"reason", "overload"}}) == 1);
  test.next.refuse.reset();
  test.executor.advance(6s);
  CHECK(names(test) == Batches{{"a", "c"}, {"b"}});
  CHECK(test.send(request({span(3, "d")})) == "accepted");
  CHECK(test.conserved());
}

TEST_CASE("what is held at the stop leaves", "[groupbytrace]") {
  auto test = grouping("{wait_duration: 1h}");
  test.send(request({span(1, "a"), span(2, "b")}));
  bool stopped = false;
  test.processor->stop([&] { stopped = true; });
  test.executor.advance(1ms);
  CHECK(stopped);
  CHECK(names(test) == Batches{{"a"}, {"b"}});
  CHECK(released(test, "stopped") == 2);
  CHECK(test.counters.held.value() == 0);
}

TEST_CASE("the stop waits for what downstream refuses", "[groupbytrace]") {
  auto test = grouping("{}");
  test.next.refuse = busy;
  test.send(request({span(1, "a")}));
  bool stopped = false;
  test.processor->stop([&] { stopped = true; });
  test.executor.advance(1s);
  CHECK_FALSE(stopped);
  test.next.refuse.reset();
  test.executor.advance(6s);
  CHECK(stopped);
  CHECK(names(test) == Batches{{"a"}});
}

TEST_CASE("traces that come in on several workers leave whole, on one of them",
          "[groupbytrace][pipeline]") {
  constexpr std::uint64_t traces = 200;
  constexpr std::size_t parts = 8;
  Workers<2> test(groupbytrace_processor(), "{wait_duration: 1h}");
  for (std::size_t part = 0; part < parts; ++part) {
    std::vector<SpanSpec> spans;
    for (std::uint64_t trace = 1; trace <= traces; ++trace) spans.push_back(span(trace, "s"));
    test.send(part % 2, request(std::move(spans)));
  }
  test.stop();
  std::set<std::string> seen;
  for (const CaptureConsumer& each : test.next) {
    CHECK_FALSE(each.batches.empty());
    for (const SpanBatch& batch : each.batches) {
      REQUIRE(batch.span_count() == parts);
      std::set<std::string> ids;
      for (const SpanEntry& entry : batch.spans())
        ids.emplace(SpanView(batch.span_bytes(entry)).trace_id());
      CHECK(ids.size() == 1);
      seen.merge(ids);
    }
  }
  CHECK(seen.size() == traces);
  CHECK(test.counters.held.value() == 0);
}

TEST_CASE("mistakes in the options of groupbytrace are named", "[groupbytrace]") {
  CHECK(
      processor_mistakes(groupbytrace_processor(),
                         "wait_duration: -1s\nnum_traces: 0\nmax_bytes: 5\ndiscard_orphans: true\n"
                         "store_on_disk: true\nwait: 1s\n") ==
      Strings{
          "test.yaml:1:16: wait_duration: must not be negative",
          "test.yaml:2:13: num_traces: must be from 1 to 1000000000",
          "test.yaml:3:12: max_bytes: expected at least 1 MiB, such as \"512MiB\", found \"5\"",
          "test.yaml:4:18: discard_orphans: is not supported: traces leave with or without a root",
          "test.yaml:5:16: store_on_disk: is not supported: traces are held in memory",
          "test.yaml:6:1: wait: unknown key"});
}

TEST_CASE("the README of groupbytrace shows what is decoded", "[groupbytrace]") {
  CHECK(readme_mistakes("processors/groupbytrace/README.md", "processors", "groupbytrace",
                        groupbytrace_processor().decode) == Strings{});
}

}  // namespace sluice::test
