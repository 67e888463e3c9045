#include "processors/tail_sampling/kept_ids.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <list>
#include <random>

namespace sluice::tail_sampling {
namespace {

TraceId id_of(std::uint64_t number) {
  TraceId id{};
  std::memcpy(id.data(), &number, sizeof number);
  return id;
}
std::uint64_t hash_of(std::uint64_t number) { return number * 0x9e3779b97f4a7c15; }

}  // namespace

TEST_CASE("an id is found with the threshold under which it was kept", "[tail_sampling]") {
  KeptIds ids(2, true);
  for (const std::uint64_t number : {1, 2, 3}) ids.insert(id_of(number), hash_of(number), number);
  CHECK_FALSE(ids.find(id_of(1), hash_of(1)));
  CHECK(ids.find(id_of(2), hash_of(2)) == 2);
  CHECK(ids.find(id_of(3), hash_of(3)) == 3);
}

TEST_CASE("the kept ids that were used last are remembered", "[tail_sampling]") {
  KeptIds ids(3);
  for (const std::uint64_t number : {1, 2, 3}) ids.insert(id_of(number), hash_of(number));
  CHECK(ids.find(id_of(1), hash_of(1)));
  ids.insert(id_of(4), hash_of(4));
  CHECK_FALSE(ids.find(id_of(2), hash_of(2)));
  ids.insert(id_of(3), hash_of(3));
  ids.insert(id_of(5), hash_of(5));
  CHECK_FALSE(ids.find(id_of(1), hash_of(1)));
  CHECK(ids.find(id_of(3), hash_of(3)));
  CHECK(ids.size() == 3);
}

TEST_CASE("with no capacity nothing is remembered", "[tail_sampling]") {
  KeptIds ids(0);
  ids.insert(id_of(1), hash_of(1));
  CHECK_FALSE(ids.find(id_of(1), hash_of(1)));
  CHECK(ids.size() == 0);
}

TEST_CASE("kept ids agree with a plain list, hashes that collide included", "[tail_sampling]") {
  for (const std::uint64_t hashes : {1UL, 7UL, UINT64_MAX}) {
    constexpr std::size_t capacity = 50;
    KeptIds ids(capacity);
    std::list<std::uint64_t> by_use;
    std::mt19937_64 random(hashes);
    for (int turn = 0; turn < 20'000; ++turn) {
      const std::uint64_t number = random() % 100;
      const std::uint64_t hash = hash_of(number) % hashes;
      const auto found = std::find(by_use.begin(), by_use.end(), number);
      if (random() % 2 == 0) {
        CHECK(ids.find(id_of(number), hash).has_value() == (found != by_use.end()));
        if (found == by_use.end()) continue;
      } else {
        ids.insert(id_of(number), hash);
      }
      if (found != by_use.end()) by_use.erase(found);
      by_use.push_front(number);
      if (by_use.size() > capacity) by_use.pop_back();
    }
  }
}

}  // namespace sluice::tail_sampling
