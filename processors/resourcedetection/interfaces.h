#pragma once

#include <string>
#include <vector>

namespace sluice::resourcedetection {

/// Of the network interfaces that are up and no loopback: their addresses, as text without a
/// prefix length, and their hardware addresses, as "02-42-AC-11-00-02".
std::vector<std::string> interface_addresses();
std::vector<std::string> interface_hardware();
/// Of all network interfaces.
std::vector<std::string> interface_names();

}  // namespace sluice::resourcedetection
