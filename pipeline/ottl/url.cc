// `URL` (RFC 3986) under the names of the semantic conventions, and `IsInCIDR`.
#include <arpa/inet.h>

#include <array>
#include <cstring>
#include <optional>
#include <string>

#include "pipeline/ottl/library.h"
#include "pipeline/ottl/numbers.h"

namespace sluice::ottl::library {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char low = static_cast<char>(c | 0x20);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size() || hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0)
      return std::nullopt;
    out += static_cast<char>(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2]));
    i += 2;
  }
  return out;
}

/// The scheme in front, in small letters; empty where there is none.
std::string take_scheme(std::string_view& rest) {
  std::string scheme;
  for (const char c : rest) {
    const bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    const bool other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
    if (c == ':' && !scheme.empty()) {
      rest.remove_prefix(scheme.size() + 1);
      return scheme;
    }
    if (!letter && (!other || scheme.empty())) return {};
    scheme += letter ? static_cast<char>(c | 0x20) : c;
  }
  return {};
}

/// Cuts `rest` at the sign; what was behind it.
std::optional<std::string_view> cut(std::string_view& rest, char sign) {
  const std::size_t at = rest.find(sign);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view behind = rest.substr(at + 1);
  rest = rest.substr(0, at);
  return behind;
}

class UrlReader {
 public:
  explicit UrlReader(MapBuilder& map) : map_(map) {}

  bool read(std::string_view text) {
    for (const char c : text) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
    }
    put("url.original", text);
    std::string_view rest = text;
    const auto fragment = cut(rest, '#');
    const std::string scheme = take_scheme(rest);
    if (scheme.empty() && rest.starts_with(':')) return false;
    const auto query = cut(rest, '?');
    std::string_view authority;
    if (rest.starts_with("//")) {
      rest.remove_prefix(2);
      authority = rest.substr(0, rest.find('/'));
      rest.remove_prefix(authority.size());
    }
    if (!read_authority(authority)) return false;
    put("url.scheme", scheme);
    const auto path = percent_decoded(rest);
    if (!path) return false;
    put("url.path", *path);
    if (query && !query->empty()) put("url.query", *query);
    if (fragment && !fragment->empty()) {
      const auto decoded_fragment = percent_decoded(*fragment);
      if (!decoded_fragment) return false;
      put("url.fragment", *decoded_fragment);
    }
    const std::size_t dot = path->rfind('.');
    if (dot != std::string::npos && dot + 1 < path->size())
      put("url.extension", path->substr(dot + 1));
    return true;
  }

 private:
  void put(std::string_view key, std::string_view text) { map_.put(key, Value::of_string(text)); }

  bool read_authority(std::string_view authority) {
    const std::size_t at = authority.rfind('@');
    std::optional<std::string_view> user;
    if (at != std::string_view::npos) {
      user = authority.substr(0, at);
      authority.remove_prefix(at + 1);
    }
    if (!read_host(authority)) return false;
    if (!user) return true;
    put("url.user_info", *user);
    std::string_view name = *user;
    const auto password = cut(name, ':');
    const auto decoded_name = percent_decoded(name);
    if (!decoded_name) return false;
    if (!decoded_name->empty()) put("url.username", *decoded_name);
    if (!password) return true;
    const auto decoded_password = percent_decoded(*password);
    if (decoded_password) put("url.password", *decoded_password);
    return decoded_password.has_value();
  }

  bool read_host(std::string_view host) {
    std::string_view port;
    if (host.starts_with('[')) {
      const std::size_t end = host.find(']');
      if (end == std::string_view::npos) return false;
      port = host.substr(end + 1);
      host = host.substr(1, end - 1);
      if (!port.empty() && port[0] != ':') return false;
      if (!port.empty()) port.remove_prefix(1);
    } else if (const auto behind = cut(host, ':')) {
      port = *behind;
    }
    if (host.find(' ') != std::string_view::npos) return false;
    if (port.find_first_not_of("0123456789") != std::string_view::npos) return false;
    put("url.domain", host);
    if (port.empty()) return true;
    const auto number = parse_integer(port, 10);
    if (number) map_.put("url.port", Value::of_integer(*number));
    return number.has_value();
  }

  MapBuilder& map_;
};

/// An address as sixteen bytes: IPv4 in its place in IPv6, as Go has it.
struct Address {
  std::array<unsigned char, 16> bytes{};
  bool v4 = false;
};

std::optional<Address> address_of(const std::string& text) {
  Address address;
  if (inet_pton(AF_INET, text.c_str(), address.bytes.data() + 12) == 1) {
    address.v4 = true;
    address.bytes[10] = address.bytes[11] = 0xff;
    return address;
  }
  if (inet_pton(AF_INET6, text.c_str(), address.bytes.data()) != 1) return std::nullopt;
  static constexpr unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  address.v4 = std::memcmp(address.bytes.data(), mapped, sizeof mapped) == 0;
  return address;
}

/// Whether the network holds the address; nothing for what is no network.
std::optional<bool> holds(std::string_view network, const Address& address) {
  std::string_view host = network;
  const auto prefix = cut(host, '/');
  const auto base = address_of(std::string(host));
  const auto size = prefix ? parse_integer(*prefix, 10) : std::nullopt;
  if (!base || !size) return std::nullopt;
  const bool v4 = host.find(':') == std::string_view::npos;
  if (*size < 0 || *size > (v4 ? 32 : 128)) return std::nullopt;
  if (v4 != address.v4) return false;
  const auto bits = static_cast<std::size_t>(*size) + (v4 ? 96 : 0);
  for (std::size_t i = 0; i < bits; ++i) {
    if (((base->bytes[i / 8] ^ address.bytes[i / 8]) >> (7 - i % 8) & 1) != 0) return false;
  }
  return true;
}

}  // namespace

Value url(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  if (text.text.empty()) return in.fail("a URL cannot be empty");
  MapBuilder map;
  return UrlReader(map).read(text.text) ? map.finish(in.arena) : in.fail("not a URL: ", text.text);
}

Value is_in_cidr(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  const auto address = address_of(std::string(text.text));
  if (!address) return Value::of_boolean(false);
  for (const ExpressionPtr& each : call.arguments[1].list) {
    const Value network = converted(in, each->get(in), Parameter::Kind::string);
    if (network.failed()) return network;
    const auto held = holds(network.text, *address);
    if (!held) return in.fail("not a network such as 10.0.0.0/8: ", network.text);
    if (*held) return Value::of_boolean(true);
  }
  return Value::of_boolean(false);
}

}  // namespace sluice::ottl::library
