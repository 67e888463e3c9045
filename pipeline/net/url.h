#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::net {

/// "http://user:secret@host:8080/path?query" in its parts.
struct Url {
  std::string scheme;  ///< "http" or "https"
  std::string user;    ///< "user:secret", percent-decoded
  std::string host;    ///< without the brackets of IPv6
  std::uint16_t port = 0;
  std::string path;  ///< with the query; at least "/"
};
std::optional<Url> parse_url(std::string_view text);
/// As a Host header has it: brackets around IPv6, no port where it is the scheme's own.
std::string host_header(std::string_view scheme, std::string_view host, std::uint16_t port);

}  // namespace sluice::net
