#include <charconv>

#include "pipeline/net/client.h"

namespace sluice::net {

namespace {

bool strip(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool read_port(std::string_view text, std::uint16_t& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0;
}

}  // namespace

std::optional<GrpcTarget> parse_grpc_target(std::string_view text) {
  GrpcTarget target;
  if (strip(text, "unix://") || strip(text, "unix:")) {
    target.unix_path = text;
    if (text.empty()) return std::nullopt;
    return target;
  }
  if (strip(text, "https://")) {
    target.https = true;
  } else if (!strip(text, "http://") && !strip(text, "passthrough:///") && strip(text, "dns:")) {
    // dns://server/name would ask a name server of its own; only the system's is asked here.
    if (text.starts_with("//") && !strip(text, "///")) return std::nullopt;
  }
  if (!text.empty() && text.back() == '/') text.remove_suffix(1);
  target.authority = (text.starts_with(':') ? "localhost" : "") + std::string(text);
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !read_port(text.substr(colon + 1), target.port))
    return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!bracketed && host.find_first_of(":/[]@") != std::string_view::npos) return std::nullopt;
  target.host = host.empty() ? "localhost" : host;
  return target;
}

}  // namespace sluice::net
