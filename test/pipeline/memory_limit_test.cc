#include "pipeline/memory_limit.h"

#include <string>
#include <string_view>

#include <stdlib.h>

#include <catch2/catch.hpp>

#include "test/support/file_root.h"

namespace sluice {
namespace {

TEST_CASE("the tightest control group up the tree limits memory", "[memory_limit]") {
  const test::FileRoot root;
  SECTION("version 2") {
    root.file("/proc/self/cgroup", "0::/a/b\n");
    root.file("/sys/fs/cgroup/memory.max", "max\n");
    root.file("/sys/fs/cgroup/a/memory.max", "1000\n");
    root.file("/sys/fs/cgroup/a/b/memory.max", "4000\n");
    CHECK(memory_limit(root.path()) == 1000);
  }
  SECTION("version 1, inside a container that does not see its own path") {
    root.file("/proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/docker/x\n");
    root.file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "536870912\n");
    CHECK(memory_limit(root.path()) == 536'870'912);
  }
  SECTION("version 1 without a limit") {
    root.file("/proc/self/cgroup", "4:memory:/\n");
    root.file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    CHECK(memory_limit(root.path()) == std::nullopt);
  }
  SECTION("nothing is mounted") { CHECK(memory_limit(root.path()) == std::nullopt); }
}

TEST_CASE("in flight by default are 128 MiB, or a quarter of what the process may use",
          "[memory_limit]") {
  CHECK(default_in_flight(std::nullopt) == 128 << 20);
  CHECK(default_in_flight(std::uint64_t{4} << 30) == 128 << 20);
  CHECK(default_in_flight(64 << 20) == 16 << 20);
}

}  // namespace
}  // namespace sluice
