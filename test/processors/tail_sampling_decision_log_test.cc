#include "processors/tail_sampling/decision_log.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "pipeline/admin.h"
#include "test/support/otlp_builder.h"

namespace sluice::tail_sampling {
namespace {

using nlohmann::json;

Judge judge_of(std::string_view yaml, Conditions& conditions, bool first_match) {
  config::Problems problems;
  const config::Node node = config::parse_text(yaml, "test.yaml", problems);
  std::vector<NamedPolicy> policies = decode_policies(node, "policies", Place::top, conditions);
  CHECK_FALSE(problems.any_errors());
  return {std::move(policies), first_match, conditions.notes()};
}

TraceFacts facts_of(std::uint64_t trace, std::uint64_t spans) {
  TraceFacts facts;
  std::ranges::copy(test::make_id(trace, 16), facts.trace_id.begin());
  facts.spans = spans;
  facts.bytes = 100 * spans;
  facts.first_start = 1'000'000'000;
  facts.last_end = 1'250'000'000;
  return facts;
}

json described(const DecisionLog& log, std::optional<TraceId> trace = {}, std::size_t limit = 100) {
  return json::parse("[" + log.describe(trace, limit) + "]");
}

}  // namespace

TEST_CASE("a decision is told with what each policy said and the numbers it saw",
          "[tail_sampling]") {
  Conditions conditions;
  const Judge judge = judge_of(R"({policies: [
    {name: many, type: span_count, span_count: {min_spans: 3}},
    {name: slow, type: latency, latency: {threshold_ms: 200}},
    {name: all, type: always_sample}]})",
                               conditions, true);
  DecisionLog log(judge, 10);
  Said said = judge.nothing_said();
  const TraceFacts facts = facts_of(7, 2);
  const Decision decision = judge.decide({facts, {}, said.notes}, said.votes);
  log.add(facts, decision, said, DueReason::root,
          DecisionLog::WallTime(std::chrono::milliseconds(1'500'000'000'123)));
  const json told = described(log).at(0);
  CHECK(told["trace_id"] == "abababababababab0000000000000007");
  CHECK(told["decision"] == "kept");
  CHECK(told["policy"] == "slow");
  CHECK(told["because"] == "root");
  CHECK(told["decided_at"] == "2017-07-14T02:40:00.123Z");
  CHECK(told["spans"] == 2);
  CHECK(told["duration_ms"] == 250);
  CHECK(told["policies"][0]["said"] == "not sampled");
  CHECK(told["policies"][0]["saw"] == "2 spans");
  CHECK(told["policies"][1]["saw"] == "250 ms, where more than 200 is slow");
  CHECK(told["policies"][2]["said"] == "not asked");
  CHECK_FALSE(told["policies"][2].contains("saw"));
}

TEST_CASE("what a rate had left when it was asked is told", "[tail_sampling]") {
  Conditions conditions;
  const Judge judge = judge_of(R"({policies: [
    {name: some, type: rate_limiting, rate_limiting: {spans_per_second: 10}},
    {name: few, type: composite, composite: {max_total_spans_per_second: 8, composite_sub_policy: [
      {name: any, type: always_sample}]}}]})",
                               conditions, false);
  DecisionLog log(judge, 2);
  Said said = judge.nothing_said();
  const Executor::TimePoint now{std::chrono::seconds(100)};
  for (const std::uint64_t spans : {7, 15, 1}) {
    const TraceFacts facts = facts_of(spans, spans);
    log.add(facts, judge.decide({facts, now, said.notes}, said.votes), said, DueReason::root, {});
  }
  const json told = described(log);
  CHECK(told[0]["policies"][0]["saw"] == "asked for 1 of 13 tokens, where at most 20 gather");
  CHECK(told[1]["policies"][0]["saw"] == "asked for 15 of 13 tokens, where at most 20 gather");
  CHECK(told[1]["policies"][1]["saw"] ==
        "15 spans; any: any trace, behind 7 of 8 spans in its second");
}

TEST_CASE("the last decisions are there, the newest first", "[tail_sampling]") {
  Conditions conditions;
  const Judge judge = judge_of("{policies: [{name: all, type: always_sample}]}", conditions, false);
  DecisionLog log(judge, 3);
  const Said said = {{Vote::sampled}, {}};
  for (std::uint64_t trace = 1; trace <= 5; ++trace)
    log.add(facts_of(trace, trace), {true, 0}, said, DueReason::waited, {});
  const json all = described(log);
  REQUIRE(all.size() == 3);
  CHECK(all[0]["spans"] == 5);
  CHECK(all[2]["spans"] == 3);
  CHECK(described(log, {}, 1).size() == 1);
  CHECK(described(log, facts_of(4, 0).trace_id).at(0)["spans"] == 4);
  CHECK(described(log, facts_of(2, 0).trace_id).empty());
}

TEST_CASE("a log of size zero keeps nothing", "[tail_sampling]") {
  Conditions conditions;
  const Judge judge = judge_of("{policies: [{name: all, type: always_sample}]}", conditions, false);
  DecisionLog log(judge, 0);
  log.add(facts_of(1, 1), {}, judge.nothing_said(), DueReason::waited, {});
  CHECK(described(log).empty());
}

TEST_CASE("trace ids are read from hexadecimal digits of either case", "[tail_sampling]") {
  CHECK(parse_trace_id("abababababababab00000000000000aB") == facts_of(0xab, 0).trace_id);
  CHECK_FALSE(parse_trace_id("ab"));
  CHECK_FALSE(parse_trace_id("000000000000000000000000000000ag"));
}

TEST_CASE("values are found in a query by their whole key", "[admin]") {
  CHECK(query_value("a=1&trace_id=2&b", "trace_id") == "2");
  CHECK(query_value("trace_id=2", "id").empty());
  CHECK(query_value("limit=", "limit").empty());
  CHECK(query_value("", "limit").empty());
}

}  // namespace sluice::tail_sampling
