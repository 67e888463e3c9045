#include "processors/tail_sampling/held_traces.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>

#include "test/support/otlp_builder.h"

namespace sluice::tail_sampling {
namespace {

using namespace sluice::test;
using Names = std::vector<std::string>;
using Handles = std::vector<HeldTraces::Handle>;

SpanSpec span(std::uint64_t trace, std::string name) {
  return {.name = std::move(name), .trace_id = make_id(trace, 16)};
}

struct Held {
  Conditions conditions;
  HeldTraces traces{conditions, 12345};
  Handles fresh;

  void add(std::vector<SpanSpec> spans) {
    traces.add(make_batch({{.service = "shop", .spans = std::move(spans)}}), fresh);
  }
  HeldTraces::Handle find(std::uint64_t trace) const { return traces.find(make_id(trace, 16)); }
};

}  // namespace

TEST_CASE("a trace comes in any number of requests and leaves whole", "[tail_sampling]") {
  Held held;
  held.add({span(1, "a"), span(2, "b"), span(1, "c"), span(1, "d")});
  held.add({span(2, "e")});
  held.add({span(1, "f"), span(3, "g")});
  CHECK(held.fresh.size() == 3);
  CHECK(held.traces.size() == 3);
  CHECK(held.traces.spans() == 7);
  CHECK(held.traces.facts(held.find(1)).spans == 4);
  const SpanBatch whole = held.traces.take(held.find(1));
  CHECK(span_names(whole) == Names{"a", "c", "d", "f"});
  CHECK(held.find(1) == HeldTraces::none);
  CHECK(span_names(held.traces.take(held.find(2))) == Names{"b", "e"});
  held.traces.drop(held.find(3));
  CHECK(held.traces.size() == 0);
  CHECK(held.traces.spans() == 0);
}

TEST_CASE("some spans of a request are held without the others", "[tail_sampling]") {
  Held held;
  const std::vector<std::uint32_t> indexes = {0, 2};
  held.traces.add(make_batch({{.spans = {span(1, "a"), span(2, "b"), span(1, "c")}}}), indexes,
                  held.fresh);
  CHECK(held.traces.spans() == 2);
  CHECK(span_names(held.traces.take(held.find(1))) == Names{"a", "c"});
}

TEST_CASE("what is left of a request does not pin it", "[tail_sampling]") {
  Held held;
  std::vector<SpanSpec> spans;
  for (std::uint64_t trace = 1; trace <= 1000; ++trace) spans.push_back(span(trace, "name"));
  held.add(spans);
  const std::size_t full = held.traces.bytes();
  for (std::uint64_t trace = 2; trace <= 990; ++trace) held.traces.drop(held.find(trace));
  CHECK(held.traces.spans() == 11);
  const std::size_t index = 1000 * (4 + sizeof(TraceFacts) + 64);
  CHECK(held.traces.bytes() < full / 10 + index);
  CHECK(span_names(held.traces.take(held.find(1000))) == Names{"name"});
}

TEST_CASE("held traces agree with a plain map, whatever comes and goes", "[tail_sampling]") {
  Held held;
  std::map<std::uint64_t, Names> expected;
  std::mt19937_64 random(11);
  int number = 0;
  for (int turn = 0; turn < 3000; ++turn) {
    if (random() % 3 > 0) {
      std::vector<SpanSpec> spans(random() % 12);
      for (SpanSpec& each : spans) {
        const std::uint64_t trace = 1 + random() % 300;
        each = span(trace, std::to_string(++number));
        expected[trace].push_back(each.name);
      }
      if (!spans.empty()) held.add(spans);
    } else if (!expected.empty()) {
      const auto chosen =
          std::next(expected.begin(), static_cast<long>(random() % expected.size()));
      const HeldTraces::Handle trace = held.find(chosen->first);
      REQUIRE(trace != HeldTraces::none);
      REQUIRE(held.traces.facts(trace).spans == chosen->second.size());
      if (random() % 2 == 0)
        held.traces.drop(trace);
      else
        REQUIRE(span_names(held.traces.take(trace)) == chosen->second);
      expected.erase(chosen);
    }
    REQUIRE(held.traces.size() == expected.size());
  }
}

}  // namespace sluice::tail_sampling
