#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "pipeline/codec/json_scanner.h"
#include "pipeline/codec/zipkin/span.h"

/// The values that v1 and v2 JSON are made of. Each reads the value that comes next; false, and the
/// scanner knows why, when it does not fit.
namespace sluice::zipkin {

bool read_unusual_text(json::Scanner& in, Text& out);
/// Inline, since it runs some fifteen times a span, mostly on strings without escapes.
inline bool read_text(json::Scanner& in, Text& out) {
  if (in.peek() != '"') [[unlikely]]
    return in.expected("a string");
  const char* const start = in.at() + 1;
  const char* const stop = json::find_string_stop(start, in.end());
  if (stop == in.end() || *stop != '"') [[unlikely]]
    return read_unusual_text(in, out);
  out = Text(std::string_view(start, static_cast<std::size_t>(stop - start)));
  in.seek(stop + 1);
  return true;
}
/// As Scanner::next_key, for keys that are content: whatever their length, and with their escapes.
Text raw_key(const json::Scanner& in, const char* before);
inline bool next_text_key(json::Scanner& in, Text& key) {
  const char* const before = in.at();
  std::string_view found;
  if (!in.next_key(found)) return false;
  const bool in_place =
      std::less_equal<>()(before, found.data()) && std::less<>()(found.data(), in.at());
  key = in_place ? Text(found) : raw_key(in, before);
  return true;
}
/// A string, or a number or boolean by its text.
bool read_literal_value(json::Scanner& in, Text& out);
inline bool read_tag_value(json::Scanner& in, Text& out) {
  return in.peek() == '"' ? read_text(in, out) : read_literal_value(in, out);
}
/// A whole number that fits 64 bits, signed; also as a string, and also written as 1.5e15.
bool read_integer(json::Scanner& in, std::int64_t& out);
bool read_boolean(json::Scanner& in, bool& out);
bool read_endpoint(json::Scanner& in, Endpoint& out);
/// A hexadecimal id of either case: shorter ones are padded, what is none is invalid.
template <std::size_t size>
bool read_id(json::Scanner& in, Id<size>& out);

/// Calls `member` with each key of an object; it reads the value. One that is null is as good as
/// absent.
template <typename Member>
bool read_members(json::Scanner& in, Member member) {
  if (!in.open_object()) return false;
  std::string_view key;
  while (in.next_key(key)) {
    if (in.peek() == 'n' ? !in.literal("null") : !member(key)) return false;
  }
  return in.ok();
}

/// Microseconds: what is not above zero is absent.
inline std::uint64_t microseconds(std::int64_t number) {
  return number > 0 ? static_cast<std::uint64_t>(number) : 0;
}

}  // namespace sluice::zipkin
