// The vectors were made with the collector's own code (0.161).
#include <zlib.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "exporters/loadbalancing/hash_ring.h"
#include "exporters/loadbalancing/routing.h"
#include "test/exporters/loadbalancing_traces.h"
#include "test/support/otlp_builder.h"

using namespace sluice;
using namespace sluice::loadbalancing;
using test::make_batch;
using test::ring_id;
using Names = std::vector<std::string>;
using Owners = std::vector<std::uint32_t>;

namespace {

/// CRC-32 over the owners of all positions, two bytes each, little-endian.
std::uint32_t digest(const HashRing& ring) {
  std::string owners;
  for (std::uint32_t position = 0; position < HashRing::position_count; ++position) {
    const std::uint32_t owner = ring.owner(position);
    owners += static_cast<char>(owner);
    owners += static_cast<char>(owner >> 8);
  }
  return static_cast<std::uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(owners.data()), static_cast<uInt>(owners.size())));
}

Owners owners_of_ids(const HashRing& ring, std::uint64_t count) {
  Owners owners;
  for (std::uint64_t n = 1; n <= count; ++n)
    owners.push_back(ring.owner(ring_position(ring_id(n))));
  return owners;
}

Names addresses(int count) {
  Names names;
  for (int i = 0; i < count; ++i) {
    names.push_back("10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256) + ":4317");
  }
  return names;
}

std::string owner_of(std::string_view key) {
  const Names names = {"sampler-1:4317", "sampler-2:4317", "sampler-3:4317"};
  return names[HashRing(names).owner(ring_position(key))];
}

/// The positions of spans that are routed by these attributes, which must be those of the keys.
void check_keys(const SpanBatch& batch, const Names& attributes, const Names& keys) {
  Owners expected;
  for (const std::string& key : keys) expected.push_back(ring_position(key));
  CHECK(ring_positions(batch, {RoutingKey::Kind::attributes, attributes}) == expected);
}

}  // namespace

TEST_CASE("loadbalancing: every position of the ring belongs to whom the collector gives it",
          "[loadbalancing]") {
  const HashRing three(Names{"sampler-1:4317", "sampler-2:4317", "sampler-3:4317"});
  CHECK(three.point_count() == 600);
  CHECK(digest(three) == 0xeeda4c8c);
  CHECK(owners_of_ids(three, 20) ==
        Owners{2, 1, 1, 2, 1, 0, 1, 0, 2, 1, 2, 2, 0, 0, 2, 2, 1, 2, 0, 0});

  const HashRing without_port(Names{"sampler-1", "sampler-2", "sampler-3"});
  CHECK(digest(without_port) == 0xde66e2dd);
  CHECK(owners_of_ids(without_port, 10) == Owners{0, 0, 0, 0, 0, 0, 2, 2, 2, 1});

  CHECK(digest(HashRing(Names{"sampler-1:4317"})) == 0x93f89650);
  CHECK(digest(HashRing(Names{"10.0.0.1:4317", "10.0.0.2:4317"})) == 0xf48ac5a8);
}

TEST_CASE("loadbalancing: a crowded ring leaves out the points that the collector leaves out",
          "[loadbalancing]") {
  const HashRing many(addresses(300));
  CHECK(many.point_count() == 60000);
  CHECK(digest(many) == 0x2c58008a);
  const HashRing full(addresses(700));
  CHECK(full.point_count() == 128960);
  CHECK(digest(full) == 0x52a22d9b);
  CHECK(owners_of_ids(full, 8) == Owners{604, 432, 162, 529, 509, 609, 111, 352});
}

TEST_CASE("loadbalancing: the order of endpoints does not matter", "[loadbalancing]") {
  const Names names = {"a:1", "b:1", "c:1"};
  const Names reversed = {"c:1", "b:1", "a:1"};
  const HashRing one(names), other(reversed);
  for (std::uint32_t position = 0; position < HashRing::position_count; ++position) {
    if (names[one.owner(position)] != reversed[other.owner(position)]) FAIL(position);
  }
}

TEST_CASE("loadbalancing: a member that comes or goes moves only its own share",
          "[loadbalancing]") {
  const Names before = {"a:1", "b:1", "c:1"};
  const Names after = {"a:1", "c:1"};
  const HashRing three(before), two(after);
  for (std::uint32_t position = 0; position < HashRing::position_count; ++position) {
    const std::string& owner = before[three.owner(position)];
    if (owner != "b:1" && owner != after[two.owner(position)]) FAIL(position);
  }
}

TEST_CASE("loadbalancing: keys of text lie where the collector has them", "[loadbalancing]") {
  CHECK(owner_of("service.name=shop|") == "sampler-3:4317");
  CHECK(owner_of("service.name=pay|") == "sampler-1:4317");
  CHECK(owner_of("span.kind=Server|tenant=7|") == "sampler-3:4317");
  CHECK(owner_of("") == "sampler-1:4317");
}

TEST_CASE("loadbalancing: by trace id each span has the position of its trace", "[loadbalancing]") {
  const SpanBatch batch = make_batch(
      {{.service = "shop",
        .spans = {{.trace_id = ring_id(1)}, {.trace_id = ring_id(2)}, {.trace_id = ring_id(1)}}},
       {.service = "pay", .spans = {{.trace_id = ring_id(2)}}}});
  const std::uint32_t one = ring_position(ring_id(1)), two = ring_position(ring_id(2));
  CHECK(ring_positions(batch, {}) == Owners{one, two, one, two});
}

TEST_CASE("loadbalancing: by service the spans of one trace part where its services do",
          "[loadbalancing]") {
  const SpanBatch batch = make_batch(
      {{.service = "shop", .spans = {{.trace_id = ring_id(1)}, {.trace_id = ring_id(2)}}},
       {.service = "pay", .spans = {{.trace_id = ring_id(1)}}},
       {.spans = {{.trace_id = ring_id(1)}}}});
  check_keys(batch, {"service.name"},
             {"service.name=shop|", "service.name=shop|", "service.name=pay|", "service.name=|"});
}

TEST_CASE("loadbalancing: an attribute is of the resource, else of the scope, else of the span",
          "[loadbalancing]") {
  const SpanBatch batch = make_batch(
      {{.attributes = {{"where", "resource"}},
        .spans = {{.trace_id = ring_id(1), .attributes = {{"where", "span"}}}},
        .scopes = {{.attributes = {{"where", "scope"}}, .spans = {{.trace_id = ring_id(1)}}}}},
       {.scopes = {{.attributes = {{"where", "scope"}},
                    .spans = {{.trace_id = ring_id(1), .attributes = {{"where", "span"}}}}}}},
       {.spans = {{.trace_id = ring_id(1), .attributes = {{"where", "span"}}}}}});
  check_keys(batch, {"where"},
             {"where=resource|", "where=resource|", "where=scope|", "where=span|"});
}

TEST_CASE("loadbalancing: the first span of a trace in a scope speaks for the others there",
          "[loadbalancing]") {
  const SpanBatch batch = make_batch({{.spans = {{.name = "first", .trace_id = ring_id(1)},
                                                 {.name = "other", .trace_id = ring_id(2)},
                                                 {.name = "later", .trace_id = ring_id(1)}}},
                                      {.spans = {{.name = "later", .trace_id = ring_id(1)}}}});
  check_keys(batch, {"span.name"},
             {"span.name=first|", "span.name=other|", "span.name=first|", "span.name=later|"});
}

TEST_CASE("loadbalancing: names and values are joined in the order of the options",
          "[loadbalancing]") {
  const SpanBatch batch = make_batch(
      {{.attributes = {{"tenant", 7}},
        .spans = {{.name = "pay", .trace_id = ring_id(1), .kind = 2, .attributes = {{"ok", true}}},
                  {.trace_id = ring_id(2), .kind = 77}}}});
  check_keys(batch, {"span.kind", "tenant", "ok", "none"},
             {"span.kind=Server|tenant=7|ok=true|none=|", "span.kind=|tenant=7|ok=|none=|"});
}
