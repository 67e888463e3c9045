#include "pipeline/traces/held_traces.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <random>
#include <set>

#include "test/support/component.h"
#include "test/support/otlp_builder.h"

namespace sluice {
namespace {

using namespace sluice::test;
using Names = std::vector<std::string>;

SpanSpec span(std::uint64_t trace, std::string name) {
  return {.name = std::move(name), .trace_id = make_id(trace, 16)};
}

TraceId id_of(std::uint64_t trace) {
  TraceId id{};
  std::ranges::copy(make_id(trace, 16), id.begin());
  return id;
}

struct Held {
  Ledger in_flight{SIZE_MAX};
  Ledger& account = in_flight.of_holder("sampler");
  ArrivalReader reader{12345};
  std::vector<std::unique_ptr<HeldTraces>> shards;
  HeldTraces& traces;
  std::size_t fresh = 0;

  explicit Held(std::size_t count = 1) : shards(make(count)), traces(*shards[0]) {}
  std::vector<std::unique_ptr<HeldTraces>> make(std::size_t count) {
    std::vector<std::unique_ptr<HeldTraces>> made(count);
    for (auto& each : made) each = std::make_unique<HeldTraces>(account, in_flight, count);
    return made;
  }

  void add(std::vector<SpanSpec> spans) { add({{.service = "shop", .spans = std::move(spans)}}); }
  void add(const std::vector<ResourceSpec>& request) {
    const SpanBatch batch = charged(request);
    std::vector<std::vector<Arrival>> arrivals(shards.size());
    reader.read(batch, arrivals);
    for (std::size_t number = 0; number < shards.size(); ++number) {
      shards[number]->find(arrivals[number]);
      shards[number]->add(batch, arrivals[number], {});
      for (const Arrival& each : arrivals[number]) fresh += each.is_new;
    }
  }
  /// The one that has it, if any.
  HeldTraces& shard_of(std::uint64_t trace) {
    const auto found = std::ranges::find_if(shards, [&](const auto& shard) {
      return bool{shard->find(id_of(trace), reader.hash(make_id(trace, 16)))};
    });
    return found == shards.end() ? traces : **found;
  }
  /// As a door makes it.
  SpanBatch charged(const std::vector<ResourceSpec>& request) {
    const std::string bytes = make_request(request);
    BufferWriter writer(bytes.size());
    writer.append(bytes);
    ParseReport report;
    return *SpanBatch::parse(in_flight.charge(bytes.size()).freeze(std::move(writer)), report);
  }
  TraceHandle find(std::uint64_t trace) const {
    return traces.find(id_of(trace), reader.hash(make_id(trace, 16)));
  }
};

}  // namespace

TEST_CASE("a trace's bytes have a resource and a scope once for each request", "[tail_sampling]") {
  const std::vector<SpanSpec> spans = {span(1, "a"), span(1, "b"), span(1, "c")};
  const std::string long_name(5000, 'x');
  const auto bytes = [&](const std::vector<ResourceSpec>& request, int times = 1) {
    Held held;
    for (int i = 0; i < times; ++i) held.add(request);
    return static_cast<double>(held.traces.facts(held.find(1)).bytes);
  };
  // The lengths of messages take a byte or two.
  const auto about = [](std::size_t exact) { return Approx(static_cast<double>(exact)).margin(8); };
  const ResourceSpec together{.service = long_name, .spans = spans};
  const std::uint64_t size = make_request({together}).size();
  CHECK(bytes({together}) == about(size));
  CHECK(bytes({together}, 2) == about(2 * size));
  SECTION("though spans of others lie between") {
    const std::vector<SpanSpec> mixed = {spans[0], span(2, "o"), spans[1], span(3, "o"), spans[2]};
    CHECK(bytes({{.service = long_name, .spans = mixed}}) == about(size));
  }
  SECTION("and a resource though its spans are of several scopes") {
    const ResourceSpec apart{.service = long_name,
                             .scopes = {{.spans = {spans[0]}}, {.spans = {spans[1], spans[2]}}}};
    CHECK(bytes({apart}) == about(make_request({apart}).size()));
  }
  SECTION("where a run of neighbours reaches over two resources, the later one's") {
    const ResourceSpec first{.service = long_name, .spans = {spans[0]}};
    const ResourceSpec whole{.service = "shop", .spans = {spans[1], span(2, "o"), spans[2]}};
    const ResourceSpec own{.service = "shop", .spans = {spans[1], spans[2]}};
    CHECK(bytes({first, whole}) == about(make_request({first, own}).size()));
  }
}

TEST_CASE("a trace comes in any number of requests and leaves whole", "[tail_sampling]") {
  Held held;
  held.add({span(1, "a"), span(2, "b"), span(1, "c"), span(1, "d")});
  held.add({span(2, "e")});
  held.add({span(1, "f"), span(3, "g")});
  CHECK(held.fresh == 3);
  CHECK(held.traces.size() == 3);
  CHECK(held.traces.spans() == 7);
  CHECK(held.traces.facts(held.find(1)).spans == 4);
  const TraceHandle first = held.find(1);
  CHECK(held.traces.holds(first));
  const SpanBatch whole = held.traces.take(first);
  CHECK(span_names(whole) == Names{"a", "c", "d", "f"});
  CHECK_FALSE(held.traces.holds(first));
  CHECK_FALSE(held.find(1));
  CHECK(span_names(held.traces.take(held.find(2))) == Names{"b", "e"});
  held.traces.drop(held.find(3));
  CHECK(held.traces.size() == 0);
  CHECK(held.traces.spans() == 0);
}

TEST_CASE("some spans of a request are held without the others", "[tail_sampling]") {
  Held held;
  const SpanBatch batch =
      make_batch({{.spans = {span(1, "a"), span(2, "b"), span(1, "c"), span(1, "d")}}});
  std::vector<std::vector<Arrival>> arrivals(1);
  held.reader.read(batch, arrivals);
  REQUIRE(arrivals[0].size() == 3);
  arrivals[0].erase(arrivals[0].begin() + 1);
  held.traces.add(batch, arrivals[0], {});
  CHECK(held.traces.spans() == 3);
  CHECK(span_names(held.traces.take(held.find(1))) == Names{"a", "c", "d"});
}

TEST_CASE("what is held is charged to the sampler, and what has left is in flight",
          "[tail_sampling]") {
  Held held;
  held.add({span(1, "a"), span(2, std::string(5000, 'b'))});
  const std::size_t before = held.account.used();
  CHECK(before > 5000);
  CHECK(held.in_flight.used() == 0);
  SpanBatch whole = held.traces.take(held.find(2)).compacted(0.75);
  whole.charge_to(held.in_flight);
  held.traces.compact();
  CHECK(held.in_flight.used() > 5000);
  CHECK(held.account.used() < before - 4000);
  whole = {};
  CHECK(held.in_flight.used() == 0);
}

TEST_CASE("what is left of a request does not pin it", "[tail_sampling]") {
  Held held;
  std::vector<SpanSpec> spans;
  for (std::uint64_t trace = 1; trace <= 1000; ++trace) spans.push_back(span(trace, "name"));
  held.add(spans);
  const std::size_t full = held.account.used();
  for (std::uint64_t trace = 2; trace <= 990; ++trace) held.traces.drop(held.find(trace));
  held.traces.compact();
  CHECK(held.traces.spans() == 11);
  const std::size_t tables = 1024 * (4 + sizeof(TraceFacts) + 150) + 100'000;
  CHECK(held.account.used() < full / 10 + tables);
  CHECK(span_names(held.traces.take(held.find(1000))) == Names{"name"});
}

TEST_CASE("held traces agree with a plain map, whatever comes and goes", "[tail_sampling]") {
  const std::size_t shards = GENERATE(1, 2, 4);
  Held held(shards);
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
      HeldTraces& shard = held.shard_of(chosen->first);
      const TraceHandle trace =
          shard.find(id_of(chosen->first), held.reader.hash(make_id(chosen->first, 16)));
      REQUIRE(trace);
      REQUIRE(shard.facts(trace).spans == chosen->second.size());
      if (random() % 2 == 0)
        shard.drop(trace);
      else
        REQUIRE(span_names(shard.take(trace)) == chosen->second);
      expected.erase(chosen);
      if (random() % 8 == 0) shard.compact();
    }
    std::size_t size = 0;
    for (const auto& shard : held.shards) size += shard->size();
    REQUIRE(size == expected.size());
  }
  CHECK(held.account.used() > 0);
  held.shards.clear();
  CHECK(held.account.used() == 0);
  CHECK(held.in_flight.used() == 0);
}

}  // namespace sluice
