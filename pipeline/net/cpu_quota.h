#pragma once

#include <optional>
#include <string>

namespace sluice::net {

/// CPUs that the control groups of this process allow (cgroup v1 and v2, the tightest one up the
/// tree), empty where none sets a limit. `root` stands before "/proc" and "/sys"; empty outside of
/// tests.
std::optional<double> cpu_quota(const std::string& root);

}  // namespace sluice::net
