#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/node.h"
#include "processors/resourcedetection/detected.h"
#include "processors/resourcedetection/hostname.h"

namespace sluice::resourcedetection {

struct SystemOptions {
  static SystemOptions decode(const config::Node& node);

  std::vector<HostnameSource> hostname_sources = {HostnameSource::dns, HostnameSource::os};
  std::set<std::string, std::less<>> enabled = {"host.name", "os.type"};
};

/// Attributes of the machine. Nothing where no source knows a host name within `timeout`.
std::optional<Detected> detect_system(const SystemOptions& options,
                                      std::chrono::nanoseconds timeout, const std::string& root);

}  // namespace sluice::resourcedetection
