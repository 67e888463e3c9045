#include "pipeline/ottl/lexer.h"

#include <algorithm>
#include <array>
#include <optional>

#include "config/error.h"
#include "pipeline/ottl/utf8.h"

namespace sluice::ottl {
namespace {

using Kind = Token::Kind;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_word_part(char c) { return is_lower(c) || is_upper(c) || is_digit(c) || c == '_'; }
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

template <typename Predicate>
std::size_t run(std::string_view text, std::size_t at, Predicate predicate) {
  while (at < text.size() && predicate(text[at])) ++at;
  return at;
}

/// Behind the number at `at`: digits, a dot and digits of which one side may lack, an exponent.
std::size_t scan_number(std::string_view text, std::size_t at, Kind& kind) {
  kind = Kind::integer;
  std::size_t end = run(text, at, is_digit);
  if (end >= text.size() || text[end] != '.') return end;
  kind = Kind::real;
  end = run(text, end + 1, is_digit);
  if (end >= text.size() || (text[end] != 'e' && text[end] != 'E')) return end;
  std::size_t exponent = end + 1;
  if (exponent < text.size() && (text[exponent] == '+' || text[exponent] == '-')) ++exponent;
  const std::size_t digits_end = run(text, exponent, is_digit);
  return digits_end > exponent ? digits_end : end;
}

/// Behind the closing quote, or npos where there is none.
std::size_t scan_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '"') return at + 1;
    if (text[at] == '\\') ++at;
  }
  return std::string_view::npos;
}

bool begins_number(std::string_view rest) {
  return is_digit(rest[0]) || (rest[0] == '.' && rest.size() > 1 && is_digit(rest[1]));
}

std::size_t scan_sign(std::string_view rest, Kind& kind) {
  static constexpr std::array<std::string_view, 7> pairs = {"==", "!=", ">=", "<=", "=>", ">", "<"};
  for (const std::string_view each : pairs) {
    if (!rest.starts_with(each)) continue;
    kind = each == "=>" ? Kind::sign : Kind::comparison;
    return each.size();
  }
  kind = Kind::sign;
  return std::string_view("+-*/()[]{},.:=").find(rest[0]) == std::string_view::npos ? 0 : 1;
}

/// Size of the token that `rest` begins with; 0 where none does.
std::size_t scan(std::string_view rest, Kind& kind) {
  if (rest.starts_with("0x") && rest.size() > 2 && is_hex(rest[2])) {
    kind = Kind::bytes;
    return run(rest, 2, is_hex);
  }
  if (begins_number(rest)) return scan_number(rest, 0, kind);
  if (rest[0] == '"') {
    kind = Kind::string;
    const std::size_t end = scan_string(rest, 0);
    return end == std::string_view::npos ? 0 : end;
  }
  if (is_word_part(rest[0])) {
    kind = is_lower(rest[0])   ? Kind::lower_word
           : is_upper(rest[0]) ? Kind::upper_word
                               : Kind::blank;
    const std::size_t end = run(rest, 0, is_word_part);
    return kind == Kind::blank && end > 1 ? 0 : end;
  }
  return scan_sign(rest, kind);
}

std::optional<std::uint32_t> code_of(std::string_view digits, unsigned base) {
  std::uint32_t code = 0;
  for (const char c : digits) {
    const unsigned digit = is_digit(c)   ? static_cast<unsigned>(c - '0')
                           : is_lower(c) ? static_cast<unsigned>(c - 'a' + 10)
                                         : static_cast<unsigned>(c - 'A' + 10);
    if (!is_hex(c) || digit >= base) return std::nullopt;
    code = code * base + digit;
  }
  return code;
}

/// Appends what the escape at the start of `rest` stands for; its size, or 0 where it is none.
std::size_t append_escape(std::string_view rest, std::string& out) {
  if (rest.size() < 2) return 0;
  static constexpr std::string_view letters = "abfnrtv\\\"";
  static constexpr std::string_view meanings = "\a\b\f\n\r\t\v\\\"";
  const std::size_t letter = letters.find(rest[1]);
  if (letter != std::string_view::npos) {
    out += meanings[letter];
    return 2;
  }
  const bool octal = is_digit(rest[1]);
  const std::size_t start = octal ? 1 : 2;
  const std::size_t count = octal ? 3 : rest[1] == 'x' ? 2 : rest[1] == 'u' ? 4 : 8;
  if (!octal && rest[1] != 'x' && rest[1] != 'u' && rest[1] != 'U') return 0;
  if (rest.size() < start + count) return 0;
  const std::optional<std::uint32_t> code = code_of(rest.substr(start, count), octal ? 8 : 16);
  if (!code) return 0;
  if (octal || rest[1] == 'x') {
    if (*code > 0xff) return 0;
    out += static_cast<char>(*code);
  } else if (!append_utf8(*code, out)) {
    return 0;
  }
  return start + count;
}

}  // namespace

bool tokenize(std::string_view text, std::vector<Token>& tokens, Mistake& mistake) {
  tokens.clear();
  std::size_t at = 0;
  for (;;) {
    at = run(text, at, is_space);
    if (at == text.size()) break;
    Token token;
    const std::size_t size = scan(text.substr(at), token.kind);
    if (size == 0) {
      const bool quote = text[at] == '"';
      const std::size_t end =
          quote ? text.size() : std::min(text.size(), at + character_size(text.substr(at)));
      mistake = {{at, end - at},
                 quote ? "this quote is never closed"
                       : "expected a name, a number, a string or an operator, found " +
                             config::in_quotes(text.substr(at, end - at))};
      return false;
    }
    token.place = {at, size};
    token.text = text.substr(at, size);
    tokens.push_back(token);
    at += size;
  }
  tokens.push_back({Kind::end, {text.size(), 0}, {}});
  return true;
}

bool unquote(std::string_view literal, std::string& out, Mistake& mistake) {
  out.clear();
  const std::string_view inside = literal.substr(0, literal.size() - 1);
  for (std::size_t at = 1; at < inside.size();) {
    if (inside[at] == '\n') {
      mistake = {{at, 1}, "a string ends on the line it begins on; a line break in it is \"\\n\""};
      return false;
    }
    if (inside[at] != '\\') {
      out += inside[at++];
      continue;
    }
    const std::size_t size = append_escape(inside.substr(at), out);
    if (size == 0) {
      mistake = {{at, std::min<std::size_t>(2, inside.size() - at)},
                 "expected an escape such as \\n, \\\" or \\u00e9, found " +
                     config::in_quotes(inside.substr(at, 2)) + "; a backslash is written \\\\"};
      return false;
    }
    at += size;
  }
  return true;
}

}  // namespace sluice::ottl
