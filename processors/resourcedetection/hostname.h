#pragma once

#include <optional>
#include <string>

namespace sluice::resourcedetection {

enum class HostnameSource {
  os,      ///< what the kernel says
  dns,     ///< the full name: of /etc/hosts, else of the name service
  cname,   ///< the canonical name by the name service
  reverse  ///< the name of the host's address by the name service
};

/// May wait for the name service. `root` stands before "/etc".
std::optional<std::string> hostname(HostnameSource source, const std::string& root);

}  // namespace sluice::resourcedetection
