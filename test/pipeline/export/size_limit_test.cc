#include <catch2/catch.hpp>

#include <algorithm>

#include "pipeline/export/size_limit.h"

using sluice::SizeLimit;

namespace {

/// How many of `count` requests are refused by a destination that takes `size_max` bytes, when each
/// is as large as the limit allows, and at most `wanted`.
int refusals(SizeLimit& limit, std::size_t size_max, std::size_t wanted, int count) {
  int refused = 0;
  for (int i = 0; i < count; ++i) {
    const std::size_t size = limit.current() == 0 ? wanted : std::min(wanted, limit.current());
    if (size > size_max) {
      limit.refused(size);
      ++refused;
    } else {
      limit.taken(size);
    }
  }
  return refused;
}

}  // namespace

TEST_CASE("nothing is limited before something was refused", "[export]") {
  SizeLimit limit;
  limit.taken(1000000);
  CHECK(limit.current() == 0);
}

TEST_CASE("the limit finds the destination's own and rarely asks for more", "[export]") {
  SizeLimit limit;
  CHECK(refusals(limit, 1000, 20000, 20) <= 11);
  CHECK(limit.current() <= 1000);
  CHECK(limit.current() >= 700);
  CHECK(refusals(limit, 1000, 20000, 10000) <= 100);
  CHECK(limit.current() >= 700);
}

TEST_CASE("a destination that takes more again is found out", "[export]") {
  SizeLimit limit;
  refusals(limit, 1000, 20000, 20);
  CHECK(refusals(limit, 100000, 20000, 128 * 60) == 0);
  CHECK(limit.current() >= 20000);
}

TEST_CASE("a limit never reaches zero", "[export]") {
  SizeLimit limit;
  for (int i = 0; i < 100; ++i) limit.refused(limit.current() == 0 ? 10 : limit.current());
  CHECK(limit.current() == 1);
}
