#pragma once

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

/// A pull reader over JSON text (RFC 8259): the caller asks for what it expects, in one forward
/// pass, and nothing is built. Neither the text is copied nor memory allocated, and nothing is read
/// past the end. Depth is limited to 64. Bytes above 0x7f are passed on as they are: whether text
/// is UTF-8 is the concern of whoever needs it to be, as with protobuf.
///
/// Why not simdjson here: its index takes four bytes for every byte of text in the worst case and
/// two thirds in the usual one, beside a text that must be padded, against a promise of at most
/// twice the bytes received. And it is not faster for a text that is read whole: over 512 spans of
/// 756 bytes its On-Demand parser took 0.95 µs a span to visit every value (0.21 of that for the
/// index), the OTLP reader on this scanner 0.51 with its output written (one core, other work
/// beside it).
namespace sluice::json {

#ifdef __SSE2__
/// A bit for each byte of the block that a string cannot hold as it is.
inline unsigned string_stops(__m128i block) {
  const __m128i special = _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('"')),
                                       _mm_cmpeq_epi8(block, _mm_set1_epi8('\\')));
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(special, control)));
}
#endif

/// The first byte from `at` that a string cannot hold as it is: a quote, a backslash, a control
/// byte; or `end`.
inline const char* find_string_stop(const char* at, const char* end) {
#ifdef __SSE2__
  for (; end - at >= 16; at += 16) {
    const unsigned mask = string_stops(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
    if (mask != 0) return at + std::countr_zero(mask);
  }
#endif
  while (at != end && *at != '"' && *at != '\\' && static_cast<unsigned char>(*at) >= 0x20) ++at;
  return at;
}

/// One escape sequence as UTF-8. Half a surrogate pair is U+FFFD.
struct Escape {
  std::array<char, 4> bytes{};
  std::size_t size = 0;
  const char* next = nullptr;  ///< behind the sequence; null: malformed
};
/// `at` stands on the backslash.
Escape read_escape(const char* at, const char* end);

class Scanner {
 public:
  static constexpr int depth_max = 64;
  explicit Scanner(std::string_view text)
      : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()) {}

  /// The first byte of what comes next, white space skipped; 0 at the end.
  char peek() {
    if (at_ != end_ && static_cast<unsigned char>(*at_) > ' ') [[likely]]
      return *at_;
    return skip_space();
  }

  /// `{`, then `next_key` before each value until it is false: at the `}`, or after a mistake
  /// (`ok`).
  bool open_object() { return open('{', "an object"); }
  bool next_key(std::string_view& key) {
    const char* at = at_;
    if (at != end_ && *at == '}') [[unlikely]]
      return close();
    if (!first_) {
      if (at == end_ || *at != ',') [[unlikely]]
        return next_key_spaced(key);
      ++at;
    }
    if (at == end_ || *at != '"') [[unlikely]]
      return next_key_spaced(key);
    const char* const start = ++at;
    at = find_string_stop(start, end_);
    if (end_ - at < 2 || at[0] != '"' || at[1] != ':') [[unlikely]]
      return next_key_spaced(key);
    at_ = at + 2;
    first_ = false;
    const std::string_view found(start, static_cast<std::size_t>(at - start));
    key_ = found;
    key = found;
    return true;
  }
  /// Whether the `}` comes next, without white space; then it is taken. Saves the call.
  bool take_close() {
    if (at_ == end_ || *at_ != '}') return false;
    close();
    return true;
  }
  /// Where the next member's key begins, if nothing but the comma and one space stands before it;
  /// null if not. Nothing is taken; `seek_member` does so, up to behind the member's value.
  const char* next_member() const {
    const char* at = at_;
    if (!first_) {
      if (at == end_ || *at != ',') return nullptr;
      ++at;
    }
    if (at != end_ && *at == ' ') ++at;
    return at != end_ && *at == '"' ? at : nullptr;
  }
  void seek_member(const char* behind) {
    at_ = behind;
    first_ = false;
  }
  /// `[`, then `next_element` before each value.
  bool open_array() { return open('[', "an array"); }
  bool next_element() {
    if (at_ != end_ && *at_ == ',' && !first_) [[likely]] {
      ++at_;
      return true;
    }
    return next(']');
  }

  /// Steps over `text` if exactly that comes next: for what most senders write, recognised whole.
  /// It ends with the colon of a member, and begins with the comma before it, or, for `take_first`,
  /// with the bracket that opens the object.
  template <std::size_t size>
  bool take(const char (&text)[size]) {
    if (static_cast<std::size_t>(end_ - at_) < size || std::memcmp(at_, text, size - 1) != 0)
      return false;
    at_ += size - 1;
    return true;
  }
  template <std::size_t size>
  bool take_first(const char (&text)[size]) {
    if (depth_ == depth_max || !take(text)) return false;
    ++depth_;
    first_ = false;
    return true;
  }
  /// The same for one member, `,"key":` or `{"key":`, whose key the messages know then.
  template <std::size_t size>
  bool take_member(const char (&text)[size]) {
    return take(text) && name_member(size);
  }
  template <std::size_t size>
  bool take_first_member(const char (&text)[size]) {
    return take_first(text) && name_member(size);
  }

  /// `null`, `true` or `false`, whichever is asked for.
  bool literal(std::string_view word);
  /// A number that the grammar of JSON allows, as text.
  bool number(std::string_view& token);
  /// Steps over a value of any type, checking it.
  bool skip();
  /// Nothing but white space is left.
  bool at_end();

  const char* at() const { return at_; }
  const char* end() const { return end_; }
  void seek(const char* at) { at_ = at; }

  bool ok() const { return error_.empty(); }
  /// Keeps the first mistake, with its place; false always.
  bool fail(std::string_view what) { return fail_at(at_, what); }
  bool fail_at(const char* place, std::string_view what);
  /// "expected …, found …", with the key that the value belongs to.
  bool expected(std::string_view what);
  const std::string& error() const { return error_; }

 private:
  bool open(char bracket, std::string_view what) {
    if (peek() != bracket) [[unlikely]]
      return expected(what);
    if (depth_ == depth_max) [[unlikely]]
      return fail("nested deeper than 64");
    ++at_;
    ++depth_;
    first_ = true;
    return true;
  }
  /// Steps over the closing bracket; false, since nothing comes next.
  bool close() {
    ++at_;
    --depth_;
    first_ = false;
    return false;
  }
  /// `size`: of the text with its terminating zero.
  bool name_member(std::size_t size) {
    key_ = {at_ - size + 3, size - 5};
    return true;
  }
  char skip_space();
  bool next(char bracket);
  bool next_key_spaced(std::string_view& key);
  bool skip_string();
  bool read_key(std::string_view& key);
  bool read_escaped_key(const char* start, std::string_view& key);

  const char* begin_;
  const char* at_;
  const char* end_;
  std::string_view key_;  ///< the latest, for the messages
  std::string error_;
  std::array<char, 160> unescaped_{};
  int depth_ = 0;
  bool first_ = false;  ///< just behind an opening bracket
};

}  // namespace sluice::json
