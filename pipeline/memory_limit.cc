#include "pipeline/memory_limit.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string_view>

// /proc/self/cgroup has a line per hierarchy, "ID:CONTROLLERS:PATH"; version 2 is the one without
// controllers. The limit is in memory.max ("max" for none) or, in version 1, memory.limit_in_bytes
// (near 2^63 for none). Inside a container the path may be that of the host and not exist below the
// mount, so every ancestor up to the mount is tried.

namespace sluice {
namespace {

constexpr std::uint64_t none_from = std::uint64_t{1} << 60;

void tighten(std::optional<std::uint64_t>& limit, const std::string& mount, std::string path,
             const char* name) {
  for (;;) {
    std::ifstream file(mount + path + name);
    std::uint64_t bytes = 0;
    if (file >> bytes && bytes < none_from) limit = std::min(limit.value_or(bytes), bytes);
    if (path.empty()) return;
    path.resize(std::min(path.rfind('/'), path.size() - 1));
  }
}

}  // namespace

std::optional<std::uint64_t> memory_limit(const std::string& root) {
  std::optional<std::uint64_t> limit;
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    std::string path = line.substr(second + 1);
    if (path == "/") path.clear();
    if (controllers == ",,") {
      tighten(limit, root + "/sys/fs/cgroup", path, "/memory.max");
    } else if (controllers.find(",memory,") != std::string::npos) {
      tighten(limit, root + "/sys/fs/cgroup/memory", path, "/memory.limit_in_bytes");
    }
  }
  return limit;
}

std::uint64_t usable_memory() {
  const auto all = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                   static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return std::min(all, memory_limit("").value_or(all));
}

std::uint64_t resident_memory() {
  long pages = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  if (std::fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
  std::fclose(file);
  return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::uint64_t default_in_flight(std::optional<std::uint64_t> limit) {
  constexpr std::uint64_t usual = 128 << 20;
  return limit ? std::min(usual, *limit / 4) : usual;
}

}  // namespace sluice
