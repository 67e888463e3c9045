#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace sluice {

struct RotationOptions {
  std::uint64_t max_megabytes = 100;
  std::uint32_t max_days = 0;       ///< 0: whatever their age
  std::uint32_t max_backups = 100;  ///< 0: all of them
  bool localtime = false;
};

/// Where `path` goes when it is full: `traces.json` becomes `traces-2026-01-02T15-04-05.000.json`.
/// A name that is taken is passed over for the next millisecond's.
std::string backup_path(const std::string& path, std::chrono::system_clock::time_point now,
                        bool localtime);

/// Removes backups of `path` that are more than `max_backups` or older than `max_days`, by the time
/// in their names. Other files are left alone.
void remove_old_backups(const std::string& path, const RotationOptions& rotation,
                        std::chrono::system_clock::time_point now);

}  // namespace sluice
