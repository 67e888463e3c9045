#include "processors/resourcedetection/hostname.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <memory>
#include <sstream>
#include <string_view>

namespace sluice::resourcedetection {
namespace {

std::optional<std::string> name_of_kernel() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return std::nullopt;
  return name.data();
}

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Addresses look_up(const std::string& name) {
  addrinfo hints{};
  hints.ai_flags = AI_CANONNAME;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(name.c_str(), nullptr, &hints, &found) != 0) found = nullptr;
  return {found, freeaddrinfo};
}

std::string without_last_dot(std::string name) {
  while (name.ends_with('.')) name.pop_back();
  return name;
}

std::optional<std::string> canonical(const std::string& name) {
  const Addresses found = look_up(name);
  if (!found || found->ai_canonname == nullptr) return std::nullopt;
  return without_last_dot(found->ai_canonname);
}

std::optional<std::string> by_address(const std::string& name) {
  const Addresses found = look_up(name);
  for (const addrinfo* each = found.get(); each != nullptr; each = each->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (getnameinfo(each->ai_addr, each->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NAMEREQD) == 0) {
      return without_last_dot(text.data());
    }
  }
  return std::nullopt;
}

/// A line is `address canonical-name alias…`: the canonical name of the first that has the name.
std::optional<std::string> in_hosts_file(const std::string& name, const std::string& root) {
  std::ifstream file(root + "/etc/hosts");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string address, first;
    if (!(words >> address >> first)) continue;
    for (std::string word = first; !word.empty();) {
      if (word == name) return first;
      if (!(words >> word)) break;
    }
  }
  return std::nullopt;
}

std::optional<std::string> full(const std::string& name, const std::string& root) {
  if (std::optional<std::string> found = in_hosts_file(name, root)) return found;
  if (std::optional<std::string> found = canonical(name)) return found;
  return by_address(name);
}

}  // namespace

std::optional<std::string> hostname(HostnameSource source, const std::string& root) {
  const std::optional<std::string> name = name_of_kernel();
  if (!name) return std::nullopt;
  switch (source) {
    case HostnameSource::os: return name;
    case HostnameSource::dns: return full(*name, root);
    case HostnameSource::cname: return canonical(*name);
    case HostnameSource::reverse: return by_address(*name);
  }
  return std::nullopt;
}

}  // namespace sluice::resourcedetection
