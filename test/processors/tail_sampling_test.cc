#include "processors/tail_sampling/tail_sampling.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <map>
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
using Catch::Matchers::Contains;

const Answer busy{Verdict::retry_later, 0ms, "full"};

SpanSpec span(std::uint64_t trace, std::string name) {
  return {.name = std::move(name), .trace_id = make_id(trace, 16)};
}
SpanSpec failed(std::uint64_t trace, std::string name) {
  SpanSpec out = span(trace, std::move(name));
  out.status_code = 2;
  return out;
}
SpanBatch request(std::vector<SpanSpec> spans) {
  return make_batch({{.service = "shop", .spans = std::move(spans)}});
}

constexpr std::string_view errors =
    "policies: [{name: errors, type: status_code, status_code: {status_codes: [ERROR]}}]";

ProcessorFixture sampler(std::string_view more, std::string_view policies = errors) {
  return {tail_sampling_processor(), "{decision_wait: 10s, " + std::string(policies) +
                                         (more.empty() ? "" : ", ") + std::string(more) + "}"};
}

Strings names(const ProcessorFixture& test) {
  Strings all;
  for (const SpanBatch& batch : test.next.batches) {
    for (const std::string& name : span_names(batch)) all.push_back(name);
  }
  return all;
}

double decisions(const ProcessorFixture& test, std::string reason) {
  return test.metrics.value("sluice_tail_sampling_decisions", {{"reason", std::move(reason)}});
}

}  // namespace

TEST_CASE("a trace leaves whole when its wait is over, if a policy samples it", "[tail_sampling]") {
  auto test = sampler("");
  CHECK(test.send(request({span(1, "a"), span(2, "b")})) == "accepted");
  test.executor.advance(9s);
  CHECK(test.send(request({failed(1, "c"), span(2, "d")})) == "accepted");
  CHECK(test.counters.held.value() == 4);
  test.executor.advance(999ms);
  CHECK(names(test).empty());
  test.executor.advance(101ms);
  REQUIRE(test.next.batches.size() == 1);
  CHECK(names(test) == Strings{"a", "c"});
  CHECK(test.flow("out") == 2);
  CHECK(test.flow("dropped") == 2);
  CHECK(test.conserved());
  CHECK(test.executor.timers() == 0);
  CHECK(decisions(test, "waited") == 2);
  CHECK(test.metrics.value("otelcol_processor_tail_sampling_new_trace_id_received") == 2);
  CHECK(test.metrics.value("otelcol_processor_tail_sampling_global_count_traces_sampled",
                           {{"sampled", "true"}}) == 1);
  CHECK(test.metrics.value("otelcol_processor_tail_sampling_count_traces_sampled",
                           {{"policy", "errors"}, {"decision", "not_sampled"}}) == 1);
}

TEST_CASE("spans that come after the decision follow it", "[tail_sampling]") {
  auto test = sampler("");
  test.send(request({failed(1, "a"), span(2, "b")}));
  test.executor.advance(11s);
  CHECK(names(test) == Strings{"a"});
  test.send(request({span(2, "late"), span(1, "c"), span(3, "new")}));
  CHECK(names(test) == Strings{"a", "c"});
  CHECK(test.counters.held.value() == 1);
  CHECK(test.flow("dropped") == 2);
  CHECK(test.metrics.value("otelcol_processor_tail_sampling_early_releases_from_cache_decision",
                           {{"sampled", "true"}}) == 1);
  CHECK(test.conserved());
}

TEST_CASE("once a root has come, a shorter wait counts", "[tail_sampling]") {
  auto test = sampler("decision_wait_after_root_received: 2s");
  SpanSpec child = failed(1, "child");
  child.parent_span_id = make_id(9, 8);
  test.send(request({child}));
  test.executor.advance(1s);
  test.send(request({span(1, "root")}));
  test.executor.advance(1999ms);
  CHECK(names(test).empty());
  test.executor.advance(101ms);
  CHECK(names(test) == Strings{"child", "root"});
  CHECK(decisions(test, "root") == 1);
}

TEST_CASE("a policy that drops beats all others, wherever it stands", "[tail_sampling]") {
  auto test = sampler("", R"(policies: [{name: all, type: always_sample},
    {name: no-errors, type: drop, drop: {drop_sub_policy: [
      {name: e, type: status_code, status_code: {status_codes: [ERROR]}}]}}])");
  test.send(request({failed(1, "a"), span(2, "b")}));
  test.executor.advance(11s);
  CHECK(names(test) == Strings{"b"});
  CHECK(test.metrics.value("otelcol_processor_tail_sampling_global_count_traces_sampled",
                           {{"decision", "dropped"}}) == 1);
}

TEST_CASE("with sample_on_first_match later policies are not asked", "[tail_sampling]") {
  const std::string_view policies =
      "policies: [{name: one, type: always_sample}, {name: two, type: always_sample}]";
  const auto asked = [&](std::string_view more) {
    auto test = sampler(more, policies);
    test.send(request({span(1, "a")}));
    test.executor.advance(11s);
    CHECK(names(test) == Strings{"a"});
    return test.metrics.value("otelcol_processor_tail_sampling_sampling_policy_execution_count",
                              {{"policy", "two"}});
  };
  CHECK(asked("") == 1);
  CHECK(asked("sample_on_first_match: true") == 0);
}

TEST_CASE("a shadow policy counts what it would turn around, and does nothing", "[tail_sampling]") {
  auto test = sampler("", R"(policies: [
    {name: errors, type: status_code, status_code: {status_codes: [ERROR]}},
    {name: more, type: always_sample, shadow: true},
    {name: fewer, type: drop, shadow: true, drop: {drop_sub_policy: [
      {name: x, type: always_sample}]}}])");
  test.send(request({failed(1, "a"), span(2, "b"), span(3, "c")}));
  test.executor.advance(11s);
  CHECK(names(test) == Strings{"a"});
  const auto would = [&](std::string policy, std::string what) {
    return test.metrics.value("sluice_tail_sampling_shadow_traces",
                              {{"policy", std::move(policy)}, {"would", std::move(what)}});
  };
  CHECK(would("more", "keep") == 2);
  CHECK(would("more", "drop") == 0);
  CHECK(would("fewer", "drop") == 1);
}

TEST_CASE("with record_policy a kept trace says which policy kept it", "[tail_sampling]") {
  auto test = sampler("record_policy: true");
  test.send(request({failed(1, "a")}));
  test.send(make_batch({{.spans = {span(1, "b"), failed(2, "c")}}}));
  test.executor.advance(11s);
  REQUIRE(test.next.batches.size() == 1);
  const SpanBatch& batch = test.next.batches[0];
  CHECK(names(test) == Strings{"a", "b", "c"});
  for (const SpanEntry& entry : batch.spans()) {
    AttributeRange attributes = ScopeView(batch.scope_bytes(entry)).attributes();
    const auto attribute = attributes.next();
    REQUIRE(attribute);
    CHECK(attribute->key == "tailsampling.policy");
    CHECK(attribute->value().string() == "errors");
    CHECK_FALSE(attributes.next());
  }
}

TEST_CASE("above num_traces the oldest are decided on what has come of them", "[tail_sampling]") {
  auto test = sampler("num_traces: 2");
  test.send(request({failed(1, "a")}));
  test.send(request({span(2, "b")}));
  test.send(request({span(3, "c")}));
  CHECK(names(test) == Strings{"a"});
  CHECK(decisions(test, "over_traces") == 1);
  CHECK(test.metrics.value("otelcol_processor_tail_sampling_sampling_trace_dropped_too_early") ==
        1);
  test.send(request({span(1, "late")}));
  CHECK(names(test) == Strings{"a", "late"});
  CHECK(test.conserved());
}

TEST_CASE("above max_bytes the oldest are decided, and memory stays below", "[tail_sampling]") {
  auto test = sampler("max_bytes: 1MiB");
  for (std::uint64_t trace = 1; trace <= 3000; ++trace) {
    SpanSpec large = span(trace, std::string(1000, 'x'));
    if (trace % 100 == 0) large.status_code = 2;
    CHECK(test.send(request({large, span(trace, "small")})) == "accepted");
    REQUIRE(test.ledger.of_holder("test").used() <= (1 << 20) + 8192);
  }
  CHECK(decisions(test, "over_bytes") > 1500);
  test.executor.advance(11s);
  CHECK(test.flow("out") == 60);
  CHECK(test.next.batches.size() > 1);
  CHECK(test.conserved());
  CHECK(test.counters.held.value() == 0);
}

TEST_CASE("above max_bytes all shards let go of the same requests, and the young ones stay",
          "[tail_sampling]") {
  auto test = sampler("max_bytes: 1MiB, num_shards: 2");
  constexpr std::uint64_t requests = 500, traces = 20;
  for (std::uint64_t number = 0; number < requests; ++number) {
    std::vector<SpanSpec> spans;
    for (std::uint64_t trace = number * traces + 1; trace <= (number + 1) * traces; ++trace) {
      spans.push_back(span(trace, std::string(500, 'x')));
      if (number >= requests - 20) spans.back().status_code = 2;
    }
    CHECK(test.send(request(spans)) == "accepted");
    test.executor.advance(1ms);
    REQUIRE(test.ledger.of_holder("test").used() <= (1 << 20) + 32 * 1024);
  }
  CHECK(decisions(test, "over_bytes") > requests * traces / 2);
  CHECK(names(test).empty());
  test.executor.advance(11s);
  CHECK(test.flow("out") == 20 * traces);
  CHECK(test.conserved());
}

TEST_CASE("with block_on_overflow newcomers are told to come back", "[tail_sampling]") {
  auto test = sampler("num_traces: 2, block_on_overflow: true");
  CHECK(test.send(request({span(1, "a"), span(2, "b")})) == "accepted");
  CHECK(test.send(request({span(3, "c")})) == "retry_later");
  CHECK(test.flow("refused", {{"reason", "overload"}}) == 1);
  test.executor.advance(11s);
  CHECK(test.send(request({span(3, "c")})) == "accepted");
  CHECK(test.conserved());
}

TEST_CASE("a trace above trace_max_bytes is decided, and its rest follows", "[tail_sampling]") {
  auto test = sampler("trace_max_bytes: 1MiB");
  std::vector<SpanSpec> spans(10'000, span(1, std::string(100, 'x')));
  spans[0].status_code = 2;
  test.send(request(spans));
  CHECK(test.next.batches.size() == 2);
  CHECK(test.next.span_count() == 10'000);
  test.send(request({span(1, "rest")}));
  CHECK(test.next.span_count() == 10'001);
  CHECK(decisions(test, "too_large") == 1);
}

TEST_CASE("a trace above maximum_trace_size_bytes is dropped at once", "[tail_sampling]") {
  auto test = sampler("maximum_trace_size_bytes: 500");
  test.send(request({failed(1, "a")}));
  test.send(request({span(1, std::string(600, 'x'))}));
  CHECK(test.flow("dropped") == 2);
  CHECK(test.metrics.value("otelcol_processor_tail_sampling_traces_dropped_too_large") == 1);
  test.executor.advance(11s);
  CHECK(names(test).empty());
}

TEST_CASE("what downstream does not take is kept, and newcomers wait", "[tail_sampling]") {
  auto test = sampler("");
  test.next.refuse = busy;
  test.send(request({failed(1, "a")}));
  test.executor.advance(11s);
  CHECK(names(test).empty());
  CHECK(test.counters.held.value() == 1);
  CHECK(test.send(request({span(2, "b")})) == "retry_later");
  test.next.refuse.reset();
  test.executor.advance(6s);
  CHECK(names(test) == Strings{"a"});
  CHECK(test.send(request({span(2, "b")})) == "accepted");
  CHECK(test.conserved());
}

TEST_CASE("traces that are kept while downstream is busy leave together, each whole",
          "[tail_sampling]") {
  auto test = sampler("", "policies: [{name: all, type: always_sample}]");
  test.next.hold = true;
  for (std::uint64_t trace = 1; trace <= 3; ++trace) {
    test.send(request({span(trace, "a"), span(trace, "b")}));
    test.executor.advance(1s);
  }
  test.executor.advance(10s);
  REQUIRE(test.next.held.size() == 1);
  test.next.held[0].second.accepted();
  REQUIRE(test.next.held.size() == 2);
  CHECK(test.next.held[1].first.span_count() == 4);
  test.next.held[1].second.accepted();
  CHECK(test.flow("out") == 6);
  CHECK(test.conserved());
}

TEST_CASE("what waits at the stop is decided on what has come", "[tail_sampling]") {
  auto test = sampler("");
  test.send(request({failed(1, "a"), span(2, "b")}));
  bool done = false;
  test.processor->stop([&done] { done = true; });
  test.executor.run();
  CHECK(done);
  CHECK(names(test) == Strings{"a"});
  CHECK(decisions(test, "stopped") == 2);
  CHECK(test.conserved());
}

TEST_CASE("with drop_pending_traces_on_shutdown it is dropped", "[tail_sampling]") {
  auto test = sampler("drop_pending_traces_on_shutdown: true");
  test.send(request({failed(1, "a")}));
  bool done = false;
  test.processor->stop([&done] { done = true; });
  test.executor.run();
  CHECK(done);
  CHECK(names(test).empty());
  CHECK(test.flow("dropped") == 1);
}

TEST_CASE("with span-ingest a trace is kept as soon as a part of it is sampled",
          "[tail_sampling]") {
  auto test = sampler("sampling_strategy: span-ingest");
  test.send(request({span(1, "a"), span(2, "b")}));
  CHECK(names(test).empty());
  test.send(request({failed(1, "c")}));
  CHECK(names(test) == Strings{"a", "c"});
  CHECK(decisions(test, "arrived") == 1);
  test.executor.advance(11s);
  CHECK(names(test) == Strings{"a", "c"});
  CHECK(test.flow("dropped") == 1);
  CHECK(test.conserved());
}

TEST_CASE("many decisions at one time are made in turns", "[tail_sampling]") {
  auto test = sampler("", "policies: [{name: all, type: always_sample}]");
  std::vector<SpanSpec> spans;
  for (std::uint64_t trace = 1; trace <= 5000; ++trace) spans.push_back(span(trace, "a"));
  test.send(request(spans));
  test.executor.advance(11s);
  CHECK(test.flow("out") == 5000);
  CHECK(test.metrics.value("otelcol_processor_tail_sampling_sampling_decision_timer_latency") >= 5);
}

TEST_CASE("traces are dealt out to any number of shards", "[tail_sampling]") {
  auto test = sampler("num_shards: 7");
  for (int part = 0; part < 3; ++part) {
    std::vector<SpanSpec> spans;
    for (std::uint64_t trace = 1; trace <= 200; ++trace)
      spans.push_back(part == 1 && trace % 2 == 0 ? failed(trace, "e") : span(trace, "s"));
    test.send(request(spans));
  }
  test.executor.advance(11s);
  CHECK(test.flow("out") == 300);
  CHECK(test.flow("dropped") == 300);
  CHECK(test.conserved());
}

TEST_CASE("a trace that comes in on several workers leaves whole, on one of them",
          "[tail_sampling][pipeline]") {
  constexpr std::uint64_t traces = 200;
  Workers<2> test(tail_sampling_processor(),
                  "{decision_wait: 1h, policies: [{name: all, type: always_sample}]}");
  for (std::size_t part = 0; part < 8; ++part) {
    std::vector<SpanSpec> spans;
    for (std::uint64_t trace = 1; trace <= traces; ++trace) spans.push_back(span(trace, "s"));
    test.send(part % 2, request(std::move(spans)));
  }
  test.stop();
  std::map<std::string, std::set<const SpanBatch*>> batches_of;
  for (const CaptureConsumer& each : test.next) {
    for (const SpanBatch& batch : each.batches) {
      for (const SpanEntry& entry : batch.spans())
        batches_of[std::string(SpanView(batch.span_bytes(entry)).trace_id())].insert(&batch);
    }
  }
  CHECK(batches_of.size() == traces);
  for (const auto& [trace, batches] : batches_of) CHECK(batches.size() == 1);
  CHECK(test.next[0].span_count() + test.next[1].span_count() == 8 * traces);
  CHECK(test.next[0].span_count() > 0);
  CHECK(test.next[1].span_count() > 0);
  CHECK(test.counters.held.value() == 0);
}

TEST_CASE("mistakes in the options of tail_sampling are named", "[tail_sampling]") {
  const auto mistakes = [](std::string_view yaml) {
    std::string all;
    for (const std::string& each : processor_mistakes(tail_sampling_processor(), yaml))
      all += each + '\n';
    return all;
  };
  CHECK_THAT(mistakes("{}"), Contains("at least one policy"));
  const auto with = [&](std::string_view more) {
    return mistakes("{" + std::string(errors) + ", " + std::string(more) + "}");
  };
  CHECK_THAT(with("decision_wait: 0s"), Contains("more than zero"));
  CHECK_THAT(with("num_traces: 0"), Contains("from 1"));
  CHECK_THAT(with("num_shards: 257"), Contains("at most 256"));
  CHECK_THAT(with("max_bytes: 5"), Contains("at least 1 MiB"));
  CHECK_THAT(with("tail_storage: file_storage"), Contains("not supported"));
  CHECK_THAT(with("sampling_strategy: sometimes"), Contains("span-ingest"));
  CHECK_THAT(with("desicion_wait: 1s"), Contains("decision_wait"));
  CHECK_THAT(with("expected_new_traces_per_sec: 10000"), Contains("300000 traces"));
  CHECK_THAT(mistakes("{sampling_strategy: span-ingest, policies: [{name: r, type: rate_limiting, "
                      "rate_limiting: {spans_per_second: 1}}]}"),
             Contains("policy \"r\" cannot"));
}

TEST_CASE("the README of tail_sampling shows what is decoded", "[tail_sampling]") {
  CHECK(readme_mistakes("processors/tail_sampling/README.md", "processors", "tail_sampling",
                        tail_sampling_processor().decode) == Strings{});
}

}  // namespace sluice::test
