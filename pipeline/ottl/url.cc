// `URL` (RFC 3986) under the names of the semantic conventions.
#include <algorithm>
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

bool plain(char c, std::string_view also) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         also.find(c) != std::string_view::npos;
}

/// A part of a URL as Go writes it: as it was read where all of it may stand in such a part, and
/// else encoded anew from what it means.
std::string written_part(std::string_view text, std::string_view decoded,
                         std::string_view plain_signs, std::string_view signs_as_read) {
  const std::string as_read = std::string(plain_signs) + std::string(signs_as_read) + '%';
  if (std::all_of(text.begin(), text.end(), [&](char c) { return plain(c, as_read); }))
    return std::string(text);
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : decoded) {
    const auto byte = static_cast<unsigned char>(c);
    if (plain(c, plain_signs)) {
      out += c;
    } else {
      out += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return out;
}
std::string written_path(std::string_view text, std::string_view decoded) {
  return written_part(text, decoded, "-_.~$&+,/:;=@", "!'()*[]");
}
std::string written_fragment(std::string_view text, std::string_view decoded) {
  return written_part(text, decoded, "-_.~$&+,/:;=?@!()*", "'[]");
}

class UrlReader {
 public:
  explicit UrlReader(MapBuilder& map) : map_(map) {}

  bool read(std::string_view text) {
    for (const char c : text) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
    }
    std::string_view rest = text;
    const auto fragment = cut(rest, '#');
    const std::string scheme = take_scheme(rest);
    if (scheme.empty() && rest.starts_with(':')) return false;
    const auto query = cut(rest, '?');
    std::string original = scheme.empty() ? "" : scheme + ':';
    std::string_view authority;
    if (rest.starts_with("//")) {
      rest.remove_prefix(2);
      authority = rest.substr(0, rest.find('/'));
      rest.remove_prefix(authority.size());
      original += "//" + std::string(authority);
    } else if (scheme.empty() && rest.substr(0, rest.find('/')).find(':') != rest.npos) {
      return false;
    } else if (!scheme.empty() && !rest.starts_with('/')) {
      original += rest;  // as in mailto:a@b, which has no path
      rest = {};
    }
    if (!read_authority(authority)) return false;
    put("url.scheme", scheme);
    const auto path = percent_decoded(rest);
    if (!path) return false;
    put("url.path", *path);
    original += written_path(rest, *path);
    if (query) original += '?' + std::string(*query);
    if (query && !query->empty()) put("url.query", *query);
    if (fragment && !fragment->empty()) {
      const auto decoded_fragment = percent_decoded(*fragment);
      if (!decoded_fragment) return false;
      put("url.fragment", *decoded_fragment);
      original += '#' + written_fragment(*fragment, *decoded_fragment);
    }
    put("url.original", original);
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
      for (const char c : *user) {
        if (!plain(c, "-._:~!$&'()*+,;=%@")) return false;
      }
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

}  // namespace

Value url(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  if (text.text.empty()) return in.fail("a URL cannot be empty");
  MapBuilder map;
  return UrlReader(map).read(text.text) ? map.finish(in.arena) : in.fail("not a URL: ", text.text);
}

}  // namespace sluice::ottl::library
