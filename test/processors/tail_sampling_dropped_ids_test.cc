#include "processors/tail_sampling/dropped_ids.h"

#include <catch2/catch.hpp>
#include <random>

#include "pipeline/traces/arrivals.h"

namespace sluice::tail_sampling {

TEST_CASE("the last dropped ids are remembered, as many as were asked for", "[tail_sampling]") {
  for (const std::size_t capacity : {1UL, 10UL, 1000UL, 30'000UL}) {
    DroppedIds ids(capacity);
    std::mt19937_64 random(capacity);
    std::vector<std::uint64_t> inserted;
    for (std::size_t turn = 0; turn < 5 * capacity; ++turn) {
      inserted.push_back(random());
      ids.insert(inserted.back());
    }
    std::size_t forgotten = 0;
    for (std::size_t back = 1; back <= capacity; ++back)
      forgotten += !ids.contains(inserted[inserted.size() - back]);
    CAPTURE(capacity);
    CHECK(forgotten == 0);
  }
}

TEST_CASE("the ids of one shard of many find as much room as others", "[tail_sampling]") {
  constexpr std::size_t capacity = 10'000, shards = 16;
  DroppedIds ids(capacity);
  std::mt19937_64 random(7);
  std::vector<std::uint64_t> inserted;
  while (inserted.size() < 3 * capacity) {
    const std::uint64_t hash = random();
    if (shard_of(hash, shards) != 1) continue;
    inserted.push_back(hash);
    ids.insert(hash);
  }
  std::size_t forgotten = 0;
  for (std::size_t back = 1; back <= capacity; ++back)
    forgotten += !ids.contains(inserted[inserted.size() - back]);
  CHECK(forgotten == 0);
}

TEST_CASE("what was dropped long ago is forgotten", "[tail_sampling]") {
  constexpr std::size_t capacity = 10'000;
  DroppedIds ids(capacity);
  std::mt19937_64 random(3);
  std::vector<std::uint64_t> first(1000);
  for (std::uint64_t& hash : first) ids.insert(hash = random());
  for (std::size_t turn = 0; turn < 20 * capacity; ++turn) ids.insert(random());
  std::size_t remembered = 0;
  for (const std::uint64_t hash : first) remembered += ids.contains(hash);
  CHECK(remembered == 0);
}

TEST_CASE("ids that were never dropped are hardly ever taken for dropped ones", "[tail_sampling]") {
  DroppedIds ids(100'000);
  std::mt19937_64 random(5);
  for (int turn = 0; turn < 200'000; ++turn) ids.insert(random());
  int mistaken = 0;
  for (int turn = 0; turn < 2'000'000; ++turn) mistaken += ids.contains(random());
  CHECK(mistaken <= 3);
}

TEST_CASE("ids that differ little, and those inserted twice, take no more room",
          "[tail_sampling]") {
  DroppedIds ids(1000);
  for (std::uint64_t turn = 0; turn < 3000; ++turn) {
    ids.insert(0x1234'5678'0000'0000 + turn % 10);
    ids.insert(turn * 0x9e3779b97f4a7c15);
  }
  for (std::uint64_t turn = 2500; turn < 3000; ++turn)
    CHECK(ids.contains(turn * 0x9e3779b97f4a7c15));
}

TEST_CASE("ten million dropped ids take less than 100 MB, and none nothing", "[tail_sampling]") {
  CHECK(DroppedIds(10'000'000).memory() < 100'000'000);
  DroppedIds none(0);
  none.insert(1);
  CHECK_FALSE(none.contains(1));
  CHECK(none.memory() == 0);
}

}  // namespace sluice::tail_sampling
