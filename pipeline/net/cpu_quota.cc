#include "pipeline/net/cpu_quota.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string_view>

// /proc/self/cgroup has a line per hierarchy: "ID:CONTROLLERS:PATH". Version 2 is the line
// "0::PATH" and holds "QUOTA PERIOD" or "max PERIOD" in cpu.max; version 1 is the line whose
// controllers include "cpu", with one number each in cpu.cfs_quota_us (-1: none) and
// cpu.cfs_period_us. Inside a container the path may be that of the host and not exist below the
// mount, so every ancestor up to the mount is tried.

namespace sluice::net {
namespace {

std::optional<double> ratio(double quota, double period) {
  if (quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

std::optional<double> read_v2(const std::string& directory) {
  std::ifstream file(directory + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max") return std::nullopt;
  double value = 0;
  std::istringstream(quota) >> value;
  return ratio(value, period);
}

std::optional<double> read_v1(const std::string& directory) {
  std::ifstream quota_file(directory + "/cpu.cfs_quota_us"),
      period_file(directory + "/cpu.cfs_period_us");
  double quota = 0, period = 0;
  if (!(quota_file >> quota) || !(period_file >> period)) return std::nullopt;
  return ratio(quota, period);
}

using Reader = std::optional<double> (*)(const std::string& directory);

void tighten(std::optional<double>& limit, const std::string& mount, std::string path,
             Reader read) {
  for (;;) {
    if (const std::optional<double> quota = read(mount + path))
      limit = std::min(limit.value_or(*quota), *quota);
    if (path.empty()) return;
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
}

bool names_cpu(std::string_view controllers) {
  while (!controllers.empty()) {
    const std::size_t comma = controllers.find(',');
    if (controllers.substr(0, comma) == "cpu") return true;
    if (comma == std::string_view::npos) return false;
    controllers.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace

std::optional<double> cpu_quota(const std::string& root) {
  std::optional<double> limit;
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::string path = line.substr(second + 1);
    if (path == "/") path.clear();
    if (controllers.empty()) {
      tighten(limit, root + "/sys/fs/cgroup", path, read_v2);
    } else if (names_cpu(controllers)) {
      tighten(limit, root + "/sys/fs/cgroup/" + controllers, path, read_v1);
      tighten(limit, root + "/sys/fs/cgroup/cpu", path, read_v1);
    }
  }
  return limit;
}

}  // namespace sluice::net
