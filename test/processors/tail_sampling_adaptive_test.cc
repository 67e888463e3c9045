#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <random>
#include <thread>

#include "pipeline/model/span_view.h"
#include "pipeline/sampling/threshold.h"
#include "pipeline/sampling/trace_state.h"
#include "processors/tail_sampling/adaptive_rates.h"
#include "processors/tail_sampling/tail_sampling.h"
#include "test/support/otlp_builder.h"
#include "test/support/processor_fixture.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using tail_sampling::AdaptiveRates;

/// Ids as their makers draw them.
std::string random_id(std::mt19937_64& random) {
  std::string id(16, '\0');
  for (char& byte : id) byte = static_cast<char>(random());
  return id;
}

/// A number under its key, and how it came out.
struct Count {
  double came = 0, kept = 0, estimate = 0;
  double variance = 0;  ///< of the estimate
};

/// Traffic of some kinds, each with so many traces a second, on a clock of its own.
class Traffic {
 public:
  Traffic(const AdaptiveRates::Goal& goal, std::vector<double> traces_per_second,
          std::uint64_t seed)
      : rates(goal), traces(std::move(traces_per_second)), owed(traces.size()), random_(seed) {}

  /// In steps of 20 ms, each key's traces spread over them.
  std::map<std::uint64_t, Count> run(std::chrono::milliseconds time, double factor = 1) {
    std::map<std::uint64_t, Count> out;
    for (auto end = now + time; now < end; now += 20ms) {
      for (std::size_t key = 0; key < traces.size(); ++key) {
        for (owed[key] += traces[key] * factor / 50; owed[key] >= 1; --owed[key])
          decide(key + 1, out[key + 1]);
      }
    }
    return out;
  }
  static double kept(const std::map<std::uint64_t, Count>& counts) {
    double all = 0;
    for (const auto& [key, count] : counts) all += count.kept;
    return all;
  }

  AdaptiveRates rates;
  std::vector<double> traces;
  std::vector<double> owed;
  Executor::TimePoint now{1h};

 private:
  void decide(std::uint64_t key, Count& count) {
    const auto [threshold, is_new] = rates.rate(key, 1, now);
    // As it is written, and read by whoever counts.
    const auto read = sampling::parse_threshold(sampling::threshold_text(threshold));
    const double stands_for = 1 / sampling::probability_of(*read);
    ++count.came;
    count.variance += stands_for - 1;
    if ((random_() >> 8) < threshold) return;
    rates.kept(1);
    ++count.kept;
    count.estimate += stands_for;
  }
  std::mt19937_64 random_;
};

const std::vector<double> uneven = {1000, 500, 200, 100, 50, 20, 10, 5, 2, 1, 0.5, 0.1};

constexpr std::string_view per_route = R"({decision_wait: 1s, num_traces: 1000000, policies: [
  {name: rest, type: adaptive_throughput, adaptive_throughput: {goal_throughput: 100,
   adjustment_interval: 10s, initial_sampling_percentage: 50,
   fingerprint_attributes: ['resource.attributes["service.name"]', 'root.attributes["route"]']}}]})";

std::string route_of(int number) { return "/" + std::to_string(number); }

struct Kept {
  std::string trace_id, trace_state, route;
};

/// Sends traces of two spans, of routes in turn.
class Sampler {
 public:
  explicit Sampler(std::string_view yaml) : test(tail_sampling_processor(), yaml) {}
  void send(int count, int routes, std::string trace_state = {}) {
    std::vector<SpanSpec> spans;
    for (int i = 0; i < count; ++i) {
      const std::string id = random_id(random);
      spans.push_back({.trace_id = id,
                       .trace_state = trace_state,
                       .attributes = {{"route", route_of(i % routes)}}});
      spans.push_back({.trace_id = id,
                       .parent_span_id = make_id(9, 8),
                       .trace_state = trace_state,
                       .attributes = {{"route", "not the root's"}}});
    }
    test.send(make_batch({{.service = "shop", .spans = std::move(spans)}}));
  }
  std::vector<Kept> kept() {
    std::vector<Kept> out;
    for (const SpanBatch& batch : test.next.batches) {
      for (const SpanEntry& entry : batch.spans()) {
        const SpanView span(batch.span_bytes(entry));
        out.push_back({std::string(span.trace_id()), std::string(span.trace_state()),
                       std::string(span.attribute("route")->value().string())});
      }
    }
    test.next.batches.clear();
    return out;
  }
  ProcessorFixture test;
  std::mt19937_64 random{7};
};

double weight(const Kept& span) {
  const auto state = sampling::read_sampling(span.trace_state);
  REQUIRE(state);
  REQUIRE(state->threshold);
  return 1 / sampling::probability_of(*state->threshold);
}

}  // namespace

TEST_CASE("a target throughput is met in the third interval after traffic grew, or fell, tenfold",
          "[tail_sampling]") {
  // 1888 traces a second in twelve keys; 2000 are wanted in an interval.
  Traffic traffic({.spans_per_second = 200, .interval = 10s}, uneven, 1);
  traffic.run(30s);
  CHECK(Traffic::kept(traffic.run(10s)) == Approx(2000).epsilon(0.05));
  const double first = Traffic::kept(traffic.run(10s, 10));
  CHECK(first < 4 * 2000);  // and not ten times
  traffic.run(10s, 10);
  CHECK(Traffic::kept(traffic.run(10s, 10)) == Approx(2000).epsilon(0.05));
  traffic.run(20s);
  CHECK(Traffic::kept(traffic.run(10s)) == Approx(2000).epsilon(0.05));
}

TEST_CASE("a target percentage is met in the third interval after traffic grew tenfold",
          "[tail_sampling]") {
  Traffic traffic({.share = 0.1, .initial = 0.1, .interval = 10s}, uneven, 2);
  traffic.run(30s);
  CHECK(Traffic::kept(traffic.run(10s)) == Approx(1888).epsilon(0.05));
  traffic.run(20s, 10);
  CHECK(Traffic::kept(traffic.run(10s, 10)) == Approx(18880).epsilon(0.05));
}

TEST_CASE("rare traffic keeps more of its own", "[tail_sampling]") {
  Traffic traffic({.spans_per_second = 200, .interval = 10s}, uneven, 3);
  traffic.run(30s);
  const auto counts = traffic.run(10s);
  CHECK(counts.at(12).kept == counts.at(12).came);
  CHECK(counts.at(9).kept == counts.at(9).came);
  for (std::uint64_t key = 1; key + 1 < 6; ++key)
    CHECK(counts.at(key).kept / counts.at(key).came <
          counts.at(key + 1).kept / counts.at(key + 1).came);
}

TEST_CASE("a key's first trace in an interval is kept, and stands for itself", "[tail_sampling]") {
  AdaptiveRates rates({.spans_per_second = 1, .initial = 0.001, .interval = 10s});
  Executor::TimePoint now{1h};
  for (int interval = 0; interval < 5; ++interval, now += 10s) {
    for (std::uint64_t key = 1; key <= 3; ++key) {
      CHECK(rates.rate(key, 1, now).threshold == 0);
      CHECK(rates.rate(key, 1, now).threshold > 0);
    }
    for (int i = 0; i < 1000; ++i) rates.rate(1 + i % 3, 1, now);
  }
}

TEST_CASE("counts by the recorded thresholds are unbiased", "[tail_sampling]") {
  std::map<std::uint64_t, Count> all;
  double came = 0, estimate = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Traffic traffic({.spans_per_second = 100, .interval = 5s}, uneven, 100 + seed);
    for (const double factor : {1.0, 0.3, 2.0, 1.0}) {
      for (const auto& [key, count] : traffic.run(7s, factor)) {
        all[key].came += count.came;
        all[key].estimate += count.estimate;
        all[key].variance += count.variance;
        came += count.came;
        estimate += count.estimate;
      }
    }
  }
  CHECK(estimate == Approx(came).epsilon(0.01));
  for (const auto& [key, count] : all) {
    INFO("key " << key);
    CHECK(std::abs(count.estimate - count.came) <= 3 * std::sqrt(count.variance));
  }
}

TEST_CASE("shards on several threads follow one goal", "[tail_sampling][tail_sampling_threads]") {
  constexpr int threads = 4, steps = 500, traces_a_step = 20;
  AdaptiveRates rates({.spans_per_second = 100, .interval = 1s});
  std::atomic<int> kept = 0;
  std::barrier together(threads);  // in time; in what order they ask is left to chance
  std::vector<std::thread> all;
  for (int number = 0; number < threads; ++number) {
    all.emplace_back([&rates, &kept, &together, number] {
      std::mt19937_64 random(static_cast<std::uint64_t>(number));
      for (int step = 0; step < steps; ++step) {
        together.arrive_and_wait();
        const Executor::TimePoint now(1h + step * 10ms);
        for (int trace = 0; trace < traces_a_step; ++trace) {
          if ((random() >> 8) < rates.rate(random() % 50, 1, now).threshold) continue;
          rates.kept(1);
          ++kept;
        }
      }
    });
  }
  for (std::thread& each : all) each.join();
  // 500 are wanted in five seconds, of which the first is over before it is known how much comes.
  CHECK(kept > 100);
  CHECK(kept < threads * steps * traces_a_step / 2);
}

TEST_CASE("keys beyond the most there may be share one rate", "[tail_sampling]") {
  AdaptiveRates rates({.spans_per_second = 10, .initial = 0.5, .interval = 10s, .keys_max = 2});
  const Executor::TimePoint now{1h};
  for (std::uint64_t key = 1; key <= 3; ++key) CHECK(rates.rate(key, 1, now).is_new);
  CHECK_FALSE(rates.rate(4, 1, now).is_new);
  for (std::uint64_t key = 5; key < 100; ++key) CHECK(rates.rate(key, 1, now).threshold > 0);
}

TEST_CASE("what is left of a goal is divided by the logarithm, and no key gets more than it needs",
          "[tail_sampling]") {
  using Demand = AdaptiveRates::Demand;
  const std::array<Demand, 3> demands = {Demand{1000, 1000}, Demand{1000, 1000}, Demand{2, 2}};
  const std::vector<double> all = AdaptiveRates::divide(demands, 104);
  CHECK(all[2] == 1);
  CHECK(all[0] == Approx(50.0 / 999));
  CHECK(all[1] == Approx(50.0 / 999));
  // Three first traces take more than half of four.
  CHECK(AdaptiveRates::divide_evenly(demands, 4) == Approx(2.0 / 1999));
  CHECK(AdaptiveRates::divide(demands, 5000) == std::vector<double>{1, 1, 1});
}

TEST_CASE("an adaptive policy writes into what it keeps how many traces that stands for",
          "[tail_sampling]") {
  Sampler sampler(per_route);
  for (int step = 0; step < 50; ++step) {
    sampler.send(100, 4, step % 2 == 0 ? "" : "v=1");
    sampler.test.executor.advance(1s);
  }
  sampler.test.executor.advance(2s);
  std::map<std::string, double> by_route;
  double all = 0;
  const std::vector<Kept> kept = sampler.kept();
  for (const Kept& span : kept) by_route[span.route] += weight(span), all += weight(span);
  CHECK(kept.size() < 2 * 2900);
  CHECK(all == Approx(10'000).epsilon(0.1));
  for (int route = 0; route < 4; ++route)
    CHECK(by_route[route_of(route)] == Approx(1250).epsilon(0.2));
  CHECK(std::ranges::any_of(kept,
                            [](const Kept& span) { return span.trace_state.ends_with(",v=1"); }));
  CHECK(sampler.test.conserved());
}

TEST_CASE("explicit random bits decide, and a higher threshold stands", "[tail_sampling]") {
  const std::string_view half = R"({decision_wait: 1s, policies: [{name: half, type: probabilistic,
    probabilistic: {sampling_percentage: 50, write_threshold: true}}]})";
  Sampler sampler(half);
  sampler.send(1, 1, "ot=rv:7fffffffffffff");
  sampler.send(1, 1, "ot=rv:80000000000000");
  sampler.send(1, 1, "ot=rv:f0000000000000;th:e");
  // A threshold that it cannot have passed.
  sampler.send(1, 1, "ot=rv:90000000000000;th:e");
  sampler.test.executor.advance(2s);
  std::vector<std::string> states;
  for (const Kept& span : sampler.kept()) states.push_back(span.trace_state);
  CHECK(states == std::vector<std::string>{"ot=rv:80000000000000;th:8", "ot=rv:80000000000000;th:8",
                                           "ot=rv:f0000000000000;th:e", "ot=rv:f0000000000000;th:e",
                                           "ot=rv:90000000000000;th:8",
                                           "ot=rv:90000000000000;th:8"});
}

TEST_CASE("late spans of a kept trace carry its threshold", "[tail_sampling]") {
  Sampler sampler(R"({decision_wait: 1s, policies: [{name: half, type: probabilistic,
    probabilistic: {sampling_percentage: 50, write_threshold: true}}]})");
  std::string id = make_id(1, 16);
  std::fill(id.begin() + 9, id.end(), '\xff');
  for (int i = 0; i < 2; ++i) {
    sampler.test.send(make_batch(
        {{.service = "shop", .spans = {{.trace_id = id, .attributes = {{"route", "/"}}}}}}));
    sampler.test.executor.advance(2s);
    const std::vector<Kept> kept = sampler.kept();
    REQUIRE(kept.size() == 1);
    CHECK(kept[0].trace_state == "ot=th:8");
  }
}

TEST_CASE("what another policy keeps for certain stands for itself", "[tail_sampling]") {
  Sampler sampler(R"({decision_wait: 1s, policies: [
    {name: all, type: always_sample},
    {name: few, type: probabilistic, probabilistic: {sampling_percentage: 1, write_threshold: true}}]})");
  sampler.send(1, 1, "ot=th:0");
  sampler.send(1, 1, "");
  sampler.send(1, 1, "no trace state");
  sampler.test.executor.advance(2s);
  const std::vector<Kept> kept = sampler.kept();
  REQUIRE(kept.size() == 6);
  CHECK(kept[0].trace_state == "ot=th:0");
  CHECK(kept[2].trace_state == "ot=th:0");
  CHECK(kept[4].trace_state == "no trace state");
  CHECK(sampler.test.metrics.value(
            "otelcol_processor_tail_sampling_count_spans_with_unparseable_tracestate") == 2);
}

TEST_CASE("in and, the highest threshold counts", "[tail_sampling]") {
  Sampler sampler(R"({decision_wait: 1s, policies: [{name: both, type: and, and: {and_sub_policy: [
    {name: half, type: probabilistic, probabilistic: {sampling_percentage: 50, write_threshold: true}},
    {name: quarter, type: probabilistic, probabilistic: {sampling_percentage: 25, write_threshold: true}}]}}]})");
  sampler.send(1, 1, "ot=rv:a0000000000000");
  sampler.send(1, 1, "ot=rv:c0000000000000");
  sampler.test.executor.advance(2s);
  const std::vector<Kept> kept = sampler.kept();
  REQUIRE(kept.size() == 2);
  CHECK(kept[0].trace_state == "ot=rv:c0000000000000;th:c");
}

TEST_CASE("a config whose thresholds would be wrong, or could not be written, says so",
          "[tail_sampling]") {
  const auto says = [](std::string_view policies, std::string_view more = "") {
    const auto lines = processor_mistakes(
        tail_sampling_processor(),
        std::string("{policies: [") + std::string(policies) + "]" + std::string(more) + "}");
    std::string out;
    for (const std::string& line : lines) out += line.substr(0, line.find('\n')) + "\n";
    return out;
  };
  using Catch::Matchers::Contains;
  const std::string adaptive =
      "{name: a, type: adaptive_percentage, adaptive_percentage: {goal_percentage: 10, "
      "fingerprint_attributes: [route]}}";
  CHECK(says(adaptive).empty());
  CHECK_THAT(says(adaptive + ", {name: r, type: rate_limiting, rate_limiting: "
                             "{spans_per_second: 10}}"),
             Contains("policy \"r\" samples by another kind of chance"));
  CHECK_THAT(says(adaptive + ", {name: all, type: always_sample}", ", sample_on_first_match: true"),
             Contains("policy \"all\" comes behind it"));
  CHECK(says("{name: all, type: always_sample}, " + adaptive, ", sample_on_first_match: true")
            .empty());
  CHECK_THAT(says("{name: n, type: not, not: {not_sub_policy: " + adaptive + "}}"),
             Contains("a policy that writes a threshold cannot be a part of this one"));
  CHECK_THAT(says("{name: d, type: drop, drop: {drop_sub_policy: [" + adaptive + "]}}"),
             Contains("cannot be a part"));
  CHECK_THAT(says("{name: c, type: composite, composite: {max_total_spans_per_second: 1, "
                  "composite_sub_policy: [" +
                  adaptive + "]}}"),
             Contains("cannot be a part"));
  CHECK_THAT(says(adaptive, ", sampling_strategy: span-ingest"), Contains("span-ingest judges"));
  CHECK_THAT(says("{name: p, type: probabilistic, probabilistic: {write_threshold: true, "
                  "hash_salt: x}}"),
             Contains("has no part in it with write_threshold"));
  CHECK_THAT(says("{name: a, type: adaptive_throughput, adaptive_throughput: {goal_throughput: 0, "
                  "fingerprint_attributes: ['span.attribute[\"x\"]'], max_keys: 0, "
                  "adjustment_interval: 1ms, initial_sampling_percentage: 101}}"),
             Contains("goal_throughput: must be more than 0") &&
                 Contains("must be such as resource.attributes") &&
                 Contains("must be from 1 to 10000") && Contains("must be at least 1s") &&
                 Contains("at most 100"));
  CHECK_THAT(
      says("{name: a, type: adaptive_percentage, adaptive_percentage: {goal_percentage: 1}}"),
      Contains("at least one attribute is required"));
}

}  // namespace sluice::test
