#include "pipeline/net/grpc_framing.h"

#include <algorithm>
#include <charconv>

#include "pipeline/codec/base64.h"

namespace sluice::net::grpc {
namespace {

void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void append_number(std::string& out, char tag, std::uint64_t value) {
  if (value == 0) return;
  out += tag;
  append_varint(out, value);
}

void append_bytes(std::string& out, char tag, std::string_view bytes) {
  out += tag;
  append_varint(out, bytes.size());
  out += bytes;
}

std::optional<std::chrono::nanoseconds> unit_of(char unit) {
  switch (unit) {
    case 'H': return std::chrono::hours(1);
    case 'M': return std::chrono::minutes(1);
    case 'S': return std::chrono::seconds(1);
    case 'm': return std::chrono::milliseconds(1);
    case 'u': return std::chrono::microseconds(1);
    case 'n': return std::chrono::nanoseconds(1);
    default: return std::nullopt;
  }
}

}  // namespace

std::optional<Prefix> parse_prefix(std::string_view bytes) {
  const auto byte = [&](std::size_t index) {
    return std::uint32_t{static_cast<unsigned char>(bytes[index])};
  };
  if (byte(0) > 1) return std::nullopt;
  return Prefix{byte(0) == 1, byte(1) << 24 | byte(2) << 16 | byte(3) << 8 | byte(4)};
}

std::array<char, prefix_size> make_prefix(std::uint32_t length) {
  const auto byte = [length](int shift) { return static_cast<char>(length >> shift & 0xff); };
  return {0, byte(24), byte(16), byte(8), byte(0)};
}

bool is_content_type(std::string_view content_type) {
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  return type == "application/grpc" || type == "application/grpc+proto";
}

std::optional<std::chrono::nanoseconds> parse_timeout(std::string_view text) {
  constexpr std::size_t digits_max = 8;
  if (text.size() < 2 || text.size() > digits_max + 1) return std::nullopt;
  const std::string_view digits = text.substr(0, text.size() - 1);
  if (!std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  const std::optional<std::chrono::nanoseconds> unit = unit_of(text.back());
  if (!unit) return std::nullopt;
  std::int64_t count = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), count);
  // Beyond a century nobody waits, and nanoseconds in 64 bits end after three.
  const std::int64_t count_max = std::chrono::nanoseconds(std::chrono::hours(24 * 36500)) / *unit;
  return std::min(count, count_max) * *unit;
}

std::string percent_encode(std::string_view message) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  out.reserve(message.size());
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte <= 0x7e && byte != '%') {
      out += c;
    } else {
      out += '%';
      out += hex[byte >> 4];
      out += hex[byte & 15];
    }
  }
  return out;
}

std::string retry_details(GrpcCode code, std::string_view message,
                          std::chrono::milliseconds delay) {
  const std::int64_t milliseconds = std::max<std::int64_t>(delay.count(), 0);
  std::string duration, retry_info, any, status;
  append_number(duration, '\x08', static_cast<std::uint64_t>(milliseconds / 1000));
  append_number(duration, '\x10', static_cast<std::uint64_t>(milliseconds % 1000 * 1'000'000));
  append_bytes(retry_info, '\x0a', duration);
  append_bytes(any, '\x0a', "type.googleapis.com/google.rpc.RetryInfo");
  append_bytes(any, '\x12', retry_info);
  append_number(status, '\x08', static_cast<std::uint64_t>(code));
  if (!message.empty()) append_bytes(status, '\x12', message);
  append_bytes(status, '\x1a', any);
  std::string text = base64::encoded(status);
  text.resize(std::min(text.size(), text.find('=')));  // binary headers leave without padding
  return text;
}

}  // namespace sluice::net::grpc
