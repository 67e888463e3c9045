#include "processors/resourcedetection/interfaces.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netpacket/packet.h>

#include <array>
#include <cstdio>
#include <memory>

namespace sluice::resourcedetection {
namespace {

/// `visit` gets every entry: an interface has one for each of its addresses.
template <typename Visit>
void for_each_entry(Visit visit) {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owned(first, freeifaddrs);
  for (const ifaddrs* each = first; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr != nullptr) visit(*each);
  }
}

bool serves_others(const ifaddrs& entry) {
  return (entry.ifa_flags & IFF_UP) != 0 && (entry.ifa_flags & IFF_LOOPBACK) == 0;
}

std::string text_of(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  if (address.sa_family == AF_INET)
    bytes = &reinterpret_cast<const sockaddr_in&>(address).sin_addr;
  else if (address.sa_family == AF_INET6)
    bytes = &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  if (bytes == nullptr ||
      inet_ntop(address.sa_family, bytes, text.data(), text.size()) == nullptr) {
    return {};
  }
  return text.data();
}

std::string text_of(const sockaddr_ll& address) {
  std::string text;
  for (std::size_t i = 0; i < address.sll_halen && i < sizeof address.sll_addr; ++i) {
    std::array<char, 4> octet{};
    std::snprintf(octet.data(), octet.size(), "%s%02X", i == 0 ? "" : "-", address.sll_addr[i]);
    text += octet.data();
  }
  return text;
}

}  // namespace

std::vector<std::string> interface_addresses() {
  std::vector<std::string> addresses;
  for_each_entry([&](const ifaddrs& entry) {
    if (!serves_others(entry)) return;
    if (std::string text = text_of(*entry.ifa_addr); !text.empty())
      addresses.push_back(std::move(text));
  });
  return addresses;
}

std::vector<std::string> interface_hardware() {
  std::vector<std::string> addresses;
  for_each_entry([&](const ifaddrs& entry) {
    if (!serves_others(entry) || entry.ifa_addr->sa_family != AF_PACKET) return;
    addresses.push_back(text_of(reinterpret_cast<const sockaddr_ll&>(*entry.ifa_addr)));
  });
  return addresses;
}

std::vector<std::string> interface_names() {
  std::vector<std::string> names;
  for_each_entry([&](const ifaddrs& entry) {
    if (entry.ifa_addr->sa_family == AF_PACKET) names.emplace_back(entry.ifa_name);
  });
  return names;
}

}  // namespace sluice::resourcedetection
