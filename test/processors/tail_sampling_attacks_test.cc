// What senders may do to a sampler on purpose: traces that are too large, too many, or made so that
// their ids meet in a table. Memory stays within its limits, work in proportion to what came, and
// others have their decisions in time.
#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "pipeline/traces/arrivals.h"
#include "processors/tail_sampling/tail_sampling.h"
#include "test/support/component.h"
#include "test/support/heap.h"
#include "test/support/otlp_builder.h"
#include "test/support/processor_fixture.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t mebibyte = 1 << 20;

/// Keeps what has an error. The log of decisions, which grows to its size, is of no interest here.
ProcessorFixture sampler(const std::string& more) {
  return {tail_sampling_processor(),
          "{decision_wait: 10s, decision_log_size: 1, policies: [{name: errors, "
          "type: status_code, status_code: {status_codes: [ERROR]}}], " +
              more + "}"};
}

SpanSpec span(std::uint64_t trace, int status_code = 0) {
  return {.trace_id = make_id(trace, 16), .status_code = status_code};
}
SpanBatch request(std::vector<SpanSpec> spans) { return make_batch({{.spans = std::move(spans)}}); }

std::size_t account_of(ProcessorFixture& test) { return test.ledger.of_holder("test").used(); }
double decided(const ProcessorFixture& test) {
  return test.metrics.value("sluice_tail_sampling_decisions");
}

std::string little_endian(std::uint64_t number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

/// Ids that have something in common, in the order of `number`.
using Pattern = std::string (*)(std::uint64_t number);
constexpr std::uint64_t in_the_hash = 0xa0761d6478bd642f;
const std::vector<Pattern> patterns = {
    [](std::uint64_t number) { return little_endian(number + 1) + little_endian(0); },
    [](std::uint64_t number) { return little_endian(0) + little_endian(number + 1); },
    [](std::uint64_t number) { return little_endian(number << 50) + little_endian(1); },
    [](std::uint64_t number) { return little_endian(1) + little_endian(number << 50); },
    [](std::uint64_t number) { return little_endian(number + 1) + little_endian(number + 1); },
    [](std::uint64_t number) { return little_endian(number + 1) + little_endian(~number); },
    [](std::uint64_t number) { return little_endian(number) + little_endian(in_the_hash); },
    [](std::uint64_t number) { return little_endian(in_the_hash) + little_endian(number); },
    [](std::uint64_t number) { return little_endian(~std::uint64_t{0}) + little_endian(number); },
};

}  // namespace

TEST_CASE("ids with a pattern spread over the tables and the shards", "[tail_sampling]") {
  constexpr std::size_t count = 4096, buckets = 4096, shards = 7;
  std::mt19937_64 random(20261130);
  for (int round = 0; round < 5; ++round) {
    const ArrivalReader reader(random());
    for (std::size_t pattern = 0; pattern < patterns.size(); ++pattern) {
      CAPTURE(round, pattern);
      std::set<std::uint64_t> hashes;
      std::vector<int> in_bucket(buckets), in_shard(shards);
      for (std::uint64_t number = 0; number < count; ++number) {
        const std::uint64_t hash = reader.hash(patterns[pattern](number));
        hashes.insert(hash);
        ++in_bucket[hash % buckets];
        ++in_shard[(hash >> 32) % shards];
      }
      CHECK(hashes.size() == count);
      // Of random ids 8 meet at most, as a rule, and a shard has 585 +- 22.
      CHECK(*std::ranges::max_element(in_bucket) <= 16);
      CHECK(*std::ranges::max_element(in_shard) <= 800);
    }
  }
}

TEST_CASE("a hundred thousand traces of one span each take the memory that they may have",
          "[tail_sampling]") {
  constexpr std::uint64_t requests = 200, traces_each = 500;
  const std::size_t pattern = GENERATE(0U, 1U, 6U);
  CAPTURE(pattern);
  auto test = sampler("num_traces: 10000, num_shards: 2");
  const std::size_t heap_before = heap_in_use();
  for (std::uint64_t number = 0; number < requests; ++number) {
    std::vector<SpanSpec> spans(traces_each);
    for (std::uint64_t i = 0; i < traces_each; ++i)
      spans[i].trace_id = patterns[pattern](number * traces_each + i + 1);
    const double before = decided(test);
    REQUIRE(test.send(request(std::move(spans))) == "accepted");
    // The work of a request is in proportion to it.
    REQUIRE(decided(test) - before <= traces_each);
  }
  CHECK(test.counters.held.value() == 10'000);
  CHECK(decided(test) == 90'000);
  CHECK(heap_in_use() - heap_before < 8 * mebibyte);
  test.executor.advance(11s);
  CHECK(test.counters.held.value() == 0);
  CHECK(test.conserved());
}

TEST_CASE("when a hundred thousand traces are due at once their decisions leave room for others",
          "[tail_sampling]") {
  constexpr std::uint64_t traces = 100'000, traces_each = 1000;
  auto test = sampler("num_traces: 200000");
  for (std::uint64_t first = 1; first <= traces; first += traces_each) {
    std::vector<SpanSpec> spans;
    for (std::uint64_t trace = first; trace < first + traces_each; ++trace)
      spans.push_back(span(trace));
    test.send(request(std::move(spans)));
  }
  test.executor.advance(10s + 100ms);
  CHECK(decided(test) == traces);
  CHECK(test.metrics.value("otelcol_processor_tail_sampling_sampling_decision_timer_latency") >=
        traces / 1000);
  CHECK(account_of(test) < mebibyte * 100);
  CHECK(test.conserved());
}

TEST_CASE("when large traces are due at once, fewer of them are decided in one go",
          "[tail_sampling]") {
  auto test = sampler("");
  for (std::uint64_t trace = 1; trace <= 100; ++trace)
    test.send(request(std::vector<SpanSpec>(1000, span(trace))));
  test.executor.advance(10s + 100ms);
  CHECK(decided(test) == 100);
  CHECK(test.metrics.value("otelcol_processor_tail_sampling_sampling_decision_timer_latency") >= 5);
}

TEST_CASE("a hundred thousand spans of one trace do not delay what comes beside them",
          "[tail_sampling]") {
  constexpr std::uint64_t requests = 100, giant = 1'000'000;
  auto test = sampler("max_bytes: 16MiB, trace_max_bytes: 1MiB");
  std::uint64_t kept = 0;
  for (std::uint64_t number = 1; number <= requests; ++number) {
    std::vector<SpanSpec> spans(1000, span(giant));
    spans.push_back(span(number, 2));  // beside it, a trace of its own
    REQUIRE(test.send(request(std::move(spans))) == "accepted");
    REQUIRE(account_of(test) <= 17 * mebibyte);
    test.executor.advance(500ms);
    for (const SpanBatch& batch : test.next.batches) kept += batch.span_count();
    test.next.batches.clear();
    // Its wait, and less than a second.
    CHECK(kept >= (number < 22 ? 0 : number - 22));
  }
  // It was dropped at a mebibyte, and what came later with it.
  CHECK(test.metrics.value("sluice_tail_sampling_decisions", {{"reason", "too_large"}}) == 1);
  test.executor.advance(11s);
  for (const SpanBatch& batch : test.next.batches) kept += batch.span_count();
  CHECK(kept == requests);
  CHECK(test.flow("dropped") == requests * 1000);
  CHECK(test.conserved());
}

TEST_CASE("spans that lie apart, each a root, take little more memory than they are charged with",
          "[tail_sampling]") {
  auto test = sampler("decision_wait_after_root_received: 2s");
  const std::size_t heap_before = heap_in_use(), account_before = account_of(test);
  for (int number = 0; number < 100; ++number) {
    std::vector<SpanSpec> spans;
    for (std::uint64_t i = 0; i < 1000; ++i) spans.push_back(span(1 + i % 2));
    test.send(request(std::move(spans)));
  }
  const std::size_t charged = account_of(test) - account_before;
  const std::size_t used = heap_in_use() - heap_before;
  CAPTURE(charged, used);
  CHECK(static_cast<double>(used) < 1.25 * static_cast<double>(charged));
}

TEST_CASE("traces that are decided on arrival leave nothing behind while an older one waits",
          "[tail_sampling]") {
  auto test = sampler("sampling_strategy: span-ingest, num_traces: 1000");
  test.send(request({span(1)}));
  std::uint64_t trace = 1;
  const auto send = [&](int requests) {
    for (int number = 0; number < requests; ++number) {
      std::vector<SpanSpec> spans;
      for (int i = 0; i < 500; ++i) spans.push_back(span(++trace, 2));
      test.send(request(std::move(spans)));
      test.next.batches.clear();
    }
  };
  send(20);
  const std::size_t heap_before = heap_in_use();
  send(180);
  CHECK(heap_in_use() < heap_before + mebibyte);
  CHECK(test.counters.held.value() == 1);
  test.executor.advance(11s);
  CHECK(test.counters.held.value() == 0);
}

TEST_CASE("a hundred thousand late spans are not held", "[tail_sampling]") {
  auto test = sampler("");
  test.send(request({span(1)}));
  test.executor.advance(11s);
  const std::size_t account_before = account_of(test);
  for (int number = 0; number < 100; ++number) {
    test.send(request(std::vector<SpanSpec>(1000, span(1))));
    REQUIRE(account_of(test) <= account_before);
  }
  CHECK(test.flow("dropped") == 100'001);
  CHECK(test.counters.held.value() == 0);
}

TEST_CASE("spans without a trace id, or with one of zeros, are left out and counted",
          "[tail_sampling]") {
  auto test = sampler("");
  SpanSpec absent = span(1), zero = span(1), shorter = span(1);
  absent.trace_id.clear();
  zero.trace_id = std::string(16, '\0');
  shorter.trace_id.resize(15);
  std::string spans;
  for (SpanSpec each : {absent, zero, shorter, span(1, 2)}) {
    each.span_id = make_id(7, 8);
    spans += length_field(2, span_message(each));
  }
  const std::string bytes = length_field(1, length_field(2, spans));
  BufferWriter writer(bytes.size());
  writer.append(bytes);
  ParseReport report;
  const auto batch = SpanBatch::parse(std::move(writer).freeze(), report);
  REQUIRE(batch);
  CHECK(report.spans_invalid_id == 3);
  test.send(*batch);
  test.executor.advance(11s);
  CHECK(test.flow("in") == 1);
  CHECK(test.flow("out") == 1);
}

}  // namespace sluice::test
