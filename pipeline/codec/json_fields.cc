#include "pipeline/codec/json_fields.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "pipeline/codec/base64.h"
#include "pipeline/codec/hex.h"

namespace sluice::json {
namespace {

/// The bytes that the length of a string or id usually takes.
constexpr std::size_t width_small = 1;

/// Eight characters as one number: digits are those whose high half is 3, and stays 3 with 6 added.
bool eight_digits(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  const std::uint64_t high = 0xf0f0f0f0f0f0f0f0;
  return ((word & high) | ((word + 0x0606060606060606) & high) >> 4) == 0x3333333333333333;
}

/// Adjacent digits to pairs, pairs to fours, fours to one number.
std::uint32_t parse_eight(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  word -= 0x3030303030303030;
  word = (word * 10 + (word >> 8)) & 0x00ff00ff00ff00ff;
  word = (word * 100 + (word >> 16)) & 0x0000ffff0000ffff;
  return static_cast<std::uint32_t>(word * 10'000 + (word >> 32));
}

/// Too small for a double is zero, too large is a mistake.
bool parse_real(std::string_view token, double& value) {
  if (token.empty() || !((token.back() >= '0' && token.back() <= '9') || token.back() == '.'))
    return false;
  const auto [rest, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (rest != token.data() + token.size()) return false;
  if (error != std::errc::result_out_of_range) return error == std::errc();
  value = std::strtod(std::string(token).c_str(), nullptr);
  return std::isfinite(value);
}

}  // namespace

bool FieldWriter::strings(std::uint32_t number) {
  if (!in_.open_array()) return false;
  while (in_.next_element()) {
    if (!string(number)) return false;
  }
  return in_.ok();
}

bool FieldWriter::string(std::uint32_t number) {
  if (in_.peek() != '"') return in_.expected("a string");
  const std::size_t mark = begin(number, width_small);
  if (!copy_string()) return false;
  end(mark, width_small);
  return true;
}

/// The content of a string, unescaped, to the output.
bool FieldWriter::copy_string() {
  const char* at = in_.at() + 1;
  const char* const end = in_.end();
  for (;;) {
    const char* const stop = copy_plain(at);
    if (stop == end) return in_.fail_at(stop, "a string without an end");
    if (*stop == '"') [[likely]] {
      in_.seek(stop + 1);
      return true;
    }
    if (*stop != '\\') return in_.fail_at(stop, "a control character in a string");
    const Escape escape = read_escape(stop, end);
    if (escape.next == nullptr) return in_.fail_at(stop, "an unknown escape sequence");
    out_.put({escape.bytes.data(), escape.size});
    at = escape.next;
  }
}

/// Copies up to the first byte that a string cannot hold as it is, and returns where that stands.
/// Whole blocks are stored, and those bytes of the last one that are too many are written over by
/// what follows.
const char* FieldWriter::copy_plain(const char* at) {
  const char* const end = in_.end();
#ifdef __SSE2__
  while (end - at >= 16) {
    char* const out = out_.room(16);
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), block);
    const unsigned stops = string_stops(block);
    const int plain = stops == 0 ? 16 : std::countr_zero(stops);
    at += plain;
    out_.advance_to(out + plain);
    if (stops != 0) return at;
  }
#endif
  const char* const stop = find_string_stop(at, end);
  out_.put({at, static_cast<std::size_t>(stop - at)});
  return stop;
}

/// A string in which escapes make no sense: a number, an id, a name of an enum.
bool FieldWriter::short_string(std::string_view& text) {
  if (in_.peek() != '"') return false;
  const char* const start = in_.at() + 1;
  const char* const stop = find_string_stop(start, in_.end());
  if (stop == in_.end() || *stop != '"') return false;
  text = {start, static_cast<std::size_t>(stop - start)};
  in_.seek(stop + 1);
  return true;
}

/// Trace and span ids. One of the wrong length is passed on so (an odd number of digits as one
/// byte, which is the length of no id), and found invalid where all ids are looked at: that costs
/// its span alone. One that is not hex at all (base64, say) is a sender that speaks another format,
/// and refuses the request. The collector refuses the request for both.
bool FieldWriter::identifier(std::uint32_t number) {
  std::string_view text;
  in_.peek();
  const char* const start = in_.at();
  if (!short_string(text)) return in_.expected("hexadecimal digits");
  const std::size_t mark = begin(number, width_small);
  char* const out = out_.room(hex::decoded_size(text.size()));
  if (!hex::decode(text, out)) {
    in_.seek(start);
    return in_.expected("hexadecimal digits");
  }
  out_.advance_to(out + (text.size() % 2 == 0 ? text.size() / 2 : 1));
  end(mark, width_small);
  return true;
}

/// Decoded where it was copied to: the bytes are fewer than the characters.
bool FieldWriter::bytes(std::uint32_t number) {
  if (in_.peek() != '"') return in_.expected("base64");
  const char* const start = in_.at();
  const std::size_t mark = begin(number, width_small);
  if (!copy_string()) return false;
  char* const content = out_.at(mark);
  const std::optional<std::size_t> size =
      base64::decode({content, out_.position() - mark}, content);
  if (!size) {
    in_.seek(start);
    return in_.expected("base64");
  }
  out_.advance_to(content + *size);
  end(mark, width_small);
  return true;
}

bool FieldWriter::boolean(std::uint32_t number) {
  const char c = in_.peek();
  if (c != 't' && c != 'f') return in_.expected("true or false");
  if (!in_.literal(c == 't' ? "true" : "false")) return false;
  tag(number, wire::Type::varint);
  out_.put(c == 't' ? '\1' : '\0');
  return true;
}

bool FieldWriter::fixed64(std::uint32_t number) {
  std::uint64_t value = 0;
  if (!integer(value, "an unsigned 64-bit integer")) return false;
  tag(number, wire::Type::fixed64);
  fixed(value);
  return true;
}

bool FieldWriter::fixed32(std::uint32_t number) {
  std::uint32_t value = 0;
  if (!integer(value, "an unsigned 32-bit integer")) return false;
  tag(number, wire::Type::fixed32);
  fixed(value);
  return true;
}

bool FieldWriter::count(std::uint32_t number) {
  std::uint32_t value = 0;
  if (!integer(value, "an unsigned 32-bit integer")) return false;
  tag(number, wire::Type::varint);
  varint(value);
  return true;
}

bool FieldWriter::signed_integer(std::uint32_t number) {
  std::int64_t value = 0;
  if (!integer(value, "a 64-bit integer")) return false;
  tag(number, wire::Type::varint);
  varint(static_cast<std::uint64_t>(value));
  return true;
}

bool FieldWriter::enumeration(std::uint32_t number, std::span<const std::string_view> names) {
  std::int32_t value = 0;
  const char first = in_.peek();
  if (first == '"' && in_.end() - in_.at() > 1 && in_.at()[1] == 'S') {
    const char* const start = in_.at();
    std::string_view text;
    const auto found =
        short_string(text) ? std::find(names.begin(), names.end(), text) : names.end();
    if (found == names.end()) {
      in_.seek(start);
      return in_.expected("a number or name of the enum");
    }
    value = static_cast<std::int32_t>(found - names.begin());
  } else if (!integer(value, "a number or name of the enum")) {
    return false;
  }
  tag(number, wire::Type::varint);
  varint(static_cast<std::uint64_t>(std::int64_t{value}));
  return true;
}

bool FieldWriter::real(std::uint32_t number) {
  in_.peek();
  const char* const start = in_.at();
  double value = 0;
  std::string_view token;
  if (in_.peek() != '"') {
    if (!in_.number(token)) return false;
  } else if (!short_string(token)) {
    return in_.expected("a number");
  }
  if (token == "NaN") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (token == "Infinity") {
    value = std::numeric_limits<double>::infinity();
  } else if (token == "-Infinity") {
    value = -std::numeric_limits<double>::infinity();
  } else if (!parse_real(token, value)) {
    in_.seek(start);
    return in_.expected("a double");
  }
  tag(number, wire::Type::fixed64);
  fixed(std::bit_cast<std::uint64_t>(value));
  return true;
}

/// A number, or a string that holds one: up to 19 plain digits here, everything else in
/// `unusual_integer`.
template <typename Integer>
bool FieldWriter::integer(Integer& value, std::string_view what) {
  const bool quoted = in_.peek() == '"';
  const char* const start = in_.at() + (quoted ? 1 : 0);
  const char* const end = in_.end();
  const char* at = start;
  std::uint64_t sum = 0;
  while (end - at >= 8 && at - start < 16 && eight_digits(at)) {
    sum = sum * 100'000'000 + parse_eight(at);
    at += 8;
  }
  while (at != end && at - start < 19 && static_cast<unsigned>(*at - '0') <= 9) {
    sum = sum * 10 + static_cast<unsigned>(*at++ - '0');
  }
  const bool leading_zero = at - start > 1 && *start == '0';
  const bool ended = at != end && (quoted ? *at == '"' : *at == ',' || *at == '}' || *at == ']');
  if (at == start || !ended || leading_zero || !std::in_range<Integer>(sum))
    return unusual_integer(value, what);
  value = static_cast<Integer>(sum);
  in_.seek(at + (quoted ? 1 : 0));
  return true;
}

/// Signs, white space, twenty digits; also 1.0 and 1e3, which the JSON mapping allows where they
/// are whole.
template <typename Integer>
bool FieldWriter::unusual_integer(Integer& value, std::string_view what) {
  const char* const start = in_.at();
  std::string_view token;
  if (in_.peek() != '"' ? !in_.number(token) : !short_string(token)) return in_.expected(what);
  const char* const last = token.data() + token.size();
  const auto [rest, error] = std::from_chars(token.data(), last, value);
  if (rest == last && error == std::errc()) return true;
  double whole = 0;
  // 2^63 and 2^64 are doubles, one less than them is not: hence `<`.
  const double above = std::ldexp(1.0, std::numeric_limits<Integer>::digits);
  if (rest != last && parse_real(token, whole) && whole == std::trunc(whole) && whole < above &&
      whole >= (std::is_signed_v<Integer> ? -above : 0)) {
    value = static_cast<Integer>(whole);
    return true;
  }
  in_.seek(start);
  return in_.expected(what);
}

/// One byte for every field but `flags`.
inline void FieldWriter::tag(std::uint32_t number, wire::Type type) {
  const std::uint32_t value = wire::tag(number, type);
  char* const out = out_.room(2);
  if (value < 0x80) {
    out[0] = static_cast<char>(value);
    return out_.advance_to(out + 1);
  }
  out[0] = static_cast<char>(value | 0x80);
  out[1] = static_cast<char>(value >> 7);
  out_.advance_to(out + 2);
}

void FieldWriter::varint(std::uint64_t value) {
  out_.advance_to(wire::write_varint(out_.room(10), value));
}

template <typename Integer>
void FieldWriter::fixed(Integer value) {
  static_assert(std::endian::native == std::endian::little);
  char* const out = out_.room(sizeof value);
  std::memcpy(out, &value, sizeof value);
  out_.advance_to(out + sizeof value);
}

void FieldWriter::end_long(std::size_t mark, std::size_t width, std::size_t size) {
  const std::size_t needed = wire::varint_size(size);
  if (needed != width) {
    out_.room(needed);
    std::memmove(out_.at(mark - width + needed), out_.at(mark), size);
  }
  wire::write_varint(out_.at(mark - width), size);
  out_.advance_to(out_.at(mark - width + needed + size));
}

}  // namespace sluice::json
