#include "pipeline/codec/zipkin/json_values.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "pipeline/codec/hex.h"

namespace sluice::zipkin {
namespace {

constexpr std::int64_t port_max = 65535;

/// Eight digits at once: times have sixteen.
bool are_digits(const char* at) {
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, at, sizeof bytes);
  constexpr std::uint64_t high = 0xf0f0f0f0f0f0f0f0;
  return ((bytes & high) | ((bytes + 0x0606060606060606) & high) >> 4) == 0x3333333333333333;
}

/// The first digit lies in the lowest byte: pairs become numbers up to 99, these up to 9999, and so
/// on.
std::int64_t eight_digits(const char* at) {
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, at, sizeof bytes);
  bytes = (bytes & 0x0f0f0f0f0f0f0f0f) * (10 << 8 | 1) >> 8;
  bytes = (bytes & 0x00ff00ff00ff00ff) * (100 << 16 | 1) >> 16;
  bytes = (bytes & 0x0000ffff0000ffff) * (std::uint64_t{10'000} << 32 | 1) >> 32;
  return static_cast<std::int64_t>(bytes);
}

/// Signs, white space, quotes, nineteen digits, exponents.
bool read_unusual_integer(json::Scanner& in, std::int64_t& out) {
  constexpr std::string_view what = "a whole number of 64 bits";
  in.peek();
  const char* const start = in.at();
  std::string_view token;
  if (in.peek() == '"') {
    Text text;
    if (!read_text(in, text)) return false;
    token = text.raw();
  } else if (!in.number(token)) {
    return false;
  }
  const char* const end = token.data() + token.size();
  const auto [rest, error] = std::from_chars(token.data(), end, out);
  if (!token.empty() && rest == end && error == std::errc()) return true;
  double real = 0;
  const auto [real_rest, real_error] = std::from_chars(token.data(), end, real);
  // 2^63 is a double, one less than it is not: hence `<`.
  constexpr double above = 9223372036854775808.0;
  if (!token.empty() && real_rest == end && real_error == std::errc() && rest != end &&
      real == std::trunc(real) && real < above && real >= -above) {
    out = static_cast<std::int64_t>(real);
    return true;
  }
  in.seek(start);
  return in.expected(what);
}

bool read_port(json::Scanner& in, std::uint16_t& out) {
  in.peek();
  const char* const start = in.at();
  std::int64_t port = 0;
  if (!read_integer(in, port)) return false;
  if (port > port_max) {
    in.seek(start);
    return in.expected("a port of at most 65535");
  }
  out = port > 0 ? static_cast<std::uint16_t>(port) : std::uint16_t{0};
  return true;
}

bool read_address(json::Scanner& in, Endpoint& out) {
  Text text;
  if (!read_text(in, text)) return false;
  if (text.is_plain()) out.place(parse_address(text.raw()));
  return true;
}

}  // namespace

/// With escapes, or with a mistake.
bool read_unusual_text(json::Scanner& in, Text& out) {
  const char* const start = in.at() + 1;
  const char* const end = in.end();
  const char* at = json::find_string_stop(start, end);
  Text::Form form = Text::Form::plain;
  while (at == end || *at != '"') {
    if (at == end) return in.fail_at(at, "a string without an end");
    if (*at != '\\') return in.fail_at(at, "a control character in a string");
    const json::Escape escape = json::read_escape(at, end);
    if (escape.next == nullptr) return in.fail_at(at, "an unknown escape sequence");
    form = Text::Form::json;
    at = json::find_string_stop(escape.next, end);
  }
  out = Text({start, static_cast<std::size_t>(at - start)}, form);
  in.seek(at + 1);
  return true;
}

/// The key that was just read, which the scanner unescaped. Between `before` and it there were a
/// comma and white space at most.
Text raw_key(const json::Scanner& in, const char* before) {
  const char* const start = std::find(before, in.end(), '"') + 1;
  const char* at = json::find_string_stop(start, in.end());
  while (*at != '"') at = json::find_string_stop(json::read_escape(at, in.end()).next, in.end());
  return Text({start, static_cast<std::size_t>(at - start)}, Text::Form::json);
}

bool read_literal_value(json::Scanner& in, Text& out) {
  const char first = in.peek();
  std::string_view token;
  if (first == 't' || first == 'f') {
    token = first == 't' ? "true" : "false";
    if (!in.literal(token)) return false;
  } else if (first == '-' || (first >= '0' && first <= '9')) {
    if (!in.number(token)) return false;
  } else {
    return in.expected("a string");
  }
  out = Text(token);
  return true;
}

bool read_integer(json::Scanner& in, std::int64_t& out) {
  constexpr int digits_max = 18;
  constexpr int block = 8;
  in.peek();
  const char* at = in.at();
  const char* const start = at;
  const char* const end = in.end();
  std::int64_t sum = 0;
  for (; end - at >= block && at - start <= digits_max - block && are_digits(at); at += block)
    sum = sum * 100'000'000 + eight_digits(at);
  while (at != end && at - start < digits_max && static_cast<unsigned>(*at - '0') <= 9)
    sum = sum * 10 + (*at++ - '0');
  const bool leading_zero = at - start > 1 && *start == '0';
  const bool ended = at != end && (*at == ',' || *at == '}');
  if (at == start || !ended || leading_zero) return read_unusual_integer(in, out);
  out = sum;
  in.seek(at);
  return true;
}

bool read_boolean(json::Scanner& in, bool& out) {
  const char first = in.peek();
  if (first != 't' && first != 'f') return in.expected("true or false");
  out = first == 't';
  return in.literal(out ? "true" : "false");
}

bool read_endpoint(json::Scanner& in, Endpoint& out) {
  out = Endpoint();
  return read_members(in, [&](std::string_view key) {
    if (key == "serviceName") return read_text(in, out.service_name);
    if (key == "ipv4" || key == "ipv6") return read_address(in, out);
    if (key == "port") return read_port(in, out.port);
    return in.skip();
  });
}

template <std::size_t size>
bool read_id(json::Scanner& in, Id<size>& out) {
  constexpr std::size_t digits = 2 * size;
  in.peek();
  const char* const at = in.at();
  if (in.end() - at > static_cast<std::ptrdiff_t>(digits + 1) && at[0] == '"' &&
      at[digits + 1] == '"' && hex::decode({at + 1, digits}, out.bytes.data())) [[likely]] {
    out.judge();
    in.seek(at + digits + 2);
    return true;
  }
  Text text;
  if (!read_text(in, text)) return false;
  out = id_of_digits<size>(text.is_plain() ? text.raw() : std::string_view());
  return true;
}
template bool read_id<16>(json::Scanner&, Id<16>&);
template bool read_id<8>(json::Scanner&, Id<8>&);

}  // namespace sluice::zipkin
