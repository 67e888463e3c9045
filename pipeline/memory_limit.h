#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace sluice {

/// Bytes that the control groups of this process allow (cgroup v1 and v2, the tightest one up the
/// tree), empty where none sets a limit. `root` stands before "/proc" and "/sys"; empty outside of
/// tests.
std::optional<std::uint64_t> memory_limit(const std::string& root);

/// What this process may use: the machine's memory, or what its control groups allow of it.
std::uint64_t usable_memory();

/// What it does use: the pages that are resident.
std::uint64_t resident_memory();

/// What `service.limits.in_flight` is when nothing is said: 128 MiB, or a quarter of the limit if
/// that is less.
std::uint64_t default_in_flight(std::optional<std::uint64_t> limit);

}  // namespace sluice
