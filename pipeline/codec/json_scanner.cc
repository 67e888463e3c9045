#include "pipeline/codec/json_scanner.h"

namespace sluice::json {
namespace {

constexpr std::size_t excerpt_max = 24;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Four hex digits, or -1.
int read_hex4(const char* at, const char* end) {
  if (end - at < 4) return -1;
  int value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = at[i];
    const char lower = static_cast<char>(c | 0x20);
    if (is_digit(c)) {
      value = value << 4 | (c - '0');
    } else if (lower >= 'a' && lower <= 'f') {
      value = value << 4 | (lower - 'a' + 10);
    } else {
      return -1;
    }
  }
  return value;
}

std::size_t encode_utf8(char32_t code, std::array<char, 4>& out) {
  const auto continuation = [code](int shift) {
    return static_cast<char>(0x80 | (code >> shift & 0x3f));
  };
  if (code < 0x80) {
    out[0] = static_cast<char>(code);
    return 1;
  }
  if (code < 0x800) {
    out = {static_cast<char>(0xc0 | code >> 6), continuation(0)};
    return 2;
  }
  if (code < 0x10000) {
    out = {static_cast<char>(0xe0 | code >> 12), continuation(6), continuation(0)};
    return 3;
  }
  out = {static_cast<char>(0xf0 | code >> 18), continuation(12), continuation(6), continuation(0)};
  return 4;
}

/// `at` stands behind "\u".
Escape read_unicode_escape(const char* at, const char* end) {
  Escape escape;
  const int unit = read_hex4(at, end);
  if (unit < 0) return escape;
  at += 4;
  auto code = static_cast<char32_t>(unit);
  if (unit >= 0xd800 && unit < 0xe000) {
    const bool paired = unit < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u';
    const int low = paired ? read_hex4(at + 2, end) : -1;
    if (low >= 0xdc00 && low < 0xe000) {
      code = 0x10000 + (static_cast<char32_t>(unit - 0xd800) << 10) +
             static_cast<char32_t>(low - 0xdc00);
      at += 6;
    } else {
      code = 0xfffd;
    }
  }
  escape.size = encode_utf8(code, escape.bytes);
  escape.next = at;
  return escape;
}

std::string excerpt(const char* at, const char* end) {
  std::string text;
  for (; at != end && text.size() < excerpt_max; ++at) text += *at < ' ' || *at > '~' ? '?' : *at;
  return text;
}

}  // namespace

Escape read_escape(const char* at, const char* end) {
  Escape escape;
  if (end - at < 2) return escape;
  char byte = 0;
  switch (at[1]) {
    case '"': byte = '"'; break;
    case '\\': byte = '\\'; break;
    case '/': byte = '/'; break;
    case 'b': byte = '\b'; break;
    case 'f': byte = '\f'; break;
    case 'n': byte = '\n'; break;
    case 'r': byte = '\r'; break;
    case 't': byte = '\t'; break;
    case 'u': return read_unicode_escape(at + 2, end);
    default: return escape;
  }
  escape.bytes[0] = byte;
  escape.size = 1;
  escape.next = at + 2;
  return escape;
}

bool Scanner::fail_at(const char* place, std::string_view what) {
  if (!error_.empty()) return false;
  at_ = place;
  error_ = "at byte " + std::to_string(place - begin_) + ": " + std::string(what);
  return false;
}

bool Scanner::expected(std::string_view what) {
  const char c = peek();
  std::string message = "expected " + std::string(what);
  if (!key_.empty()) message += " near \"" + excerpt(key_.data(), key_.data() + key_.size()) + '"';
  message += c == 0 && at_ == end_ ? ", found the end" : ", found " + excerpt(at_, end_);
  return fail(message);
}

char Scanner::skip_space() {
  while (at_ != end_) {
    const char c = *at_;
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') return c;
    ++at_;
  }
  return 0;
}

bool Scanner::next(char bracket) {
  const char c = peek();
  if (c == bracket) return close();
  if (first_) {
    first_ = false;
    return true;
  }
  if (c != ',') return expected(bracket == '}' ? "',' or '}'" : "',' or ']'");
  ++at_;
  return true;
}

/// `next_key` with white space, with escapes in the key, or with a mistake.
bool Scanner::next_key_spaced(std::string_view& key) {
  if (!next('}')) return false;
  if (peek() != '"') return expected("a key");
  if (!read_key(key)) return false;
  if (peek() != ':') return expected("':'");
  ++at_;
  return true;
}

bool Scanner::read_key(std::string_view& key) {
  const char* const start = at_ + 1;
  const char* const stop = find_string_stop(start, end_);
  key_ = {start, static_cast<std::size_t>(stop - start)};
  if (stop == end_ || *stop != '"') return read_escaped_key(start, key);
  at_ = stop + 1;
  key = key_;
  return true;
}

/// No key that anyone asks for is longer than the buffer; a longer one is unknown under any name.
bool Scanner::read_escaped_key(const char* start, std::string_view& key) {
  if (!skip_string()) return false;
  const char* const stop = at_ - 1;
  std::size_t size = 0;
  for (const char* at = start; at != stop && size + 4 <= unescaped_.size();) {
    if (*at != '\\') {
      unescaped_[size++] = *at++;
      continue;
    }
    const Escape escape = read_escape(at, stop);
    for (std::size_t i = 0; i < escape.size; ++i) unescaped_[size++] = escape.bytes[i];
    at = escape.next;
  }
  key = {unescaped_.data(), size};
  return true;
}

bool Scanner::skip_string() {
  const char* at = at_ + 1;
  for (;;) {
    at = find_string_stop(at, end_);
    if (at == end_) return fail_at(at, "a string without an end");
    if (*at == '"') break;
    if (*at != '\\') return fail_at(at, "a control character in a string");
    const Escape escape = read_escape(at, end_);
    if (escape.next == nullptr) return fail_at(at, "an unknown escape sequence");
    at = escape.next;
  }
  at_ = at + 1;
  return true;
}

bool Scanner::literal(std::string_view word) {
  peek();
  const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
  if (!rest.starts_with(word)) return expected(word);
  at_ += word.size();
  return true;
}

bool Scanner::number(std::string_view& token) {
  const auto digits = [this](const char* at) {
    while (at != end_ && is_digit(*at)) ++at;
    return at;
  };
  peek();
  const char* at = at_;
  if (at != end_ && *at == '-') ++at;
  const char* const whole = at;
  at = digits(at);
  if (at == whole || (*whole == '0' && at - whole > 1)) return expected("a number");
  if (at != end_ && *at == '.') {
    const char* const fraction = at + 1;
    at = digits(fraction);
    if (at == fraction) return expected("a number");
  }
  if (at != end_ && (*at | 0x20) == 'e') {
    ++at;
    if (at != end_ && (*at == '+' || *at == '-')) ++at;
    const char* const exponent = at;
    at = digits(exponent);
    if (at == exponent) return expected("a number");
  }
  token = {at_, static_cast<std::size_t>(at - at_)};
  at_ = at;
  return true;
}

bool Scanner::skip() {
  std::string_view ignored;
  switch (peek()) {
    case '{':
      if (!open_object()) return false;
      while (next_key(ignored)) {
        if (!skip()) return false;
      }
      return ok();
    case '[':
      if (!open_array()) return false;
      while (next_element()) {
        if (!skip()) return false;
      }
      return ok();
    case '"': return skip_string();
    case 't': return literal("true");
    case 'f': return literal("false");
    case 'n': return literal("null");
    default: return number(ignored);
  }
}

bool Scanner::at_end() {
  if (peek() == 0 && at_ == end_) return true;
  return fail("text behind the end of the object");
}

}  // namespace sluice::json
