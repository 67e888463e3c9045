#include "exporters/file/rotation.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <functional>
#include <string_view>
#include <system_error>
#include <vector>

namespace sluice {
namespace {

namespace fs = std::filesystem;
using std::chrono::system_clock;

constexpr std::string_view stamp_shape = "dddd-dd-ddTdd-dd-dd.ddd";  // d: a digit

struct NameParts {
  std::string prefix;     ///< "traces-"
  std::string extension;  ///< ".json"
};

NameParts split_name(const fs::path& path) {
  const std::string name = path.filename().string();
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos) return {name + "-", ""};
  return {name.substr(0, dot) + "-", name.substr(dot)};
}

std::string stamp_of(system_clock::time_point time, bool localtime) {
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  const std::time_t seconds = static_cast<std::time_t>(milliseconds / 1000);
  std::tm parts{};
  if (localtime) {
    localtime_r(&seconds, &parts);
  } else {
    gmtime_r(&seconds, &parts);
  }
  char text[64];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H-%M-%S", &parts);
  char fraction[16];
  std::snprintf(fraction, sizeof fraction, ".%03d", static_cast<int>(milliseconds % 1000));
  return std::string(text, length) + fraction;
}

bool is_stamp(std::string_view text) {
  if (text.size() != stamp_shape.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (stamp_shape[i] == 'd' ? !digit : text[i] != stamp_shape[i]) return false;
  }
  return true;
}

/// The time stamps in the names of the backups that are there, newest first.
std::vector<std::string> backup_stamps(const fs::path& directory, const NameParts& parts) {
  std::vector<std::string> stamps;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(parts.prefix) || !name.ends_with(parts.extension)) continue;
    if (name.size() < parts.prefix.size() + parts.extension.size()) continue;
    std::string stamp = name.substr(parts.prefix.size(),
                                    name.size() - parts.prefix.size() - parts.extension.size());
    if (is_stamp(stamp)) stamps.push_back(std::move(stamp));
  }
  std::sort(stamps.begin(), stamps.end(), std::greater<>());
  return stamps;
}

fs::path directory_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

}  // namespace

std::string backup_path(const std::string& path, system_clock::time_point now, bool localtime) {
  const NameParts parts = split_name(path);
  for (;; now += std::chrono::milliseconds(1)) {
    const fs::path backup =
        directory_of(path) / (parts.prefix + stamp_of(now, localtime) + parts.extension);
    std::error_code error;
    if (!fs::exists(backup, error)) return backup.string();
  }
}

void remove_old_backups(const std::string& path, const RotationOptions& rotation,
                        system_clock::time_point now) {
  if (rotation.max_backups == 0 && rotation.max_days == 0) return;
  const NameParts parts = split_name(path);
  const fs::path directory = directory_of(path);
  // The stamps sort as the times do.
  const std::string oldest =
      stamp_of(now - std::chrono::hours(24) * rotation.max_days, rotation.localtime);
  std::uint32_t kept = 0;
  for (const std::string& stamp : backup_stamps(directory, parts)) {
    const bool too_many = rotation.max_backups != 0 && kept >= rotation.max_backups;
    const bool too_old = rotation.max_days != 0 && stamp < oldest;
    std::error_code error;
    if (too_many || too_old) {
      fs::remove(directory / (parts.prefix + stamp + parts.extension), error);
    } else {
      ++kept;
    }
  }
}

}  // namespace sluice
