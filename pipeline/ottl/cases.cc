// Upper and lower case. Letters beyond ASCII stay as they are but for those of Latin-1, Greek and
// Cyrillic, which differ from their counterparts by a fixed distance.
#include <string>
#include <utility>

#include "pipeline/ottl/library.h"
#include "pipeline/ottl/utf8.h"

namespace sluice::ottl::library {
namespace {

struct Block {
  std::uint32_t upper_first, upper_last, distance;
};
constexpr Block blocks[] = {
    {'A', 'Z', 32},     {0xc0, 0xd6, 32},   {0xd8, 0xde, 32},   {0x391, 0x3a1, 32},
    {0x3a3, 0x3ab, 32}, {0x410, 0x42f, 32}, {0x400, 0x40f, 80}, {0x531, 0x556, 48},
};

std::uint32_t lower(std::uint32_t code) {
  for (const Block& block : blocks) {
    if (code >= block.upper_first && code <= block.upper_last) return code + block.distance;
  }
  const bool pair = (code >= 0x100 && code <= 0x12f) || (code >= 0x14a && code <= 0x177);
  return pair && code % 2 == 0 ? code + 1 : code;
}

std::uint32_t upper(std::uint32_t code) {
  for (const Block& block : blocks) {
    if (code >= block.upper_first + block.distance && code <= block.upper_last + block.distance)
      return code - block.distance;
  }
  const bool pair = (code >= 0x100 && code <= 0x12f) || (code >= 0x14a && code <= 0x177);
  return pair && code % 2 == 1 ? code - 1 : code;
}

template <typename Change>
Value each_character(Evaluation& in, std::string_view text, Change change) {
  std::string out;
  for (std::string_view rest = text; !rest.empty();) {
    const Character character = first_character(rest);
    append_utf8(change(character.code), out);
    rest.remove_prefix(character.size);
  }
  return Value::of_string(in.arena.keep(out));
}

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_separator(char c) { return c == ' ' || c == '_' || c == '-' || c == '.'; }
char upper(char c) { return is_lower(c) ? static_cast<char>(c - 32) : c; }
char lower(char c) { return is_upper(c) ? static_cast<char>(c + 32) : c; }

std::string_view trimmed(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

/// Whether a word ends behind the letter `at`: before a capital, at the end of a run of capitals,
/// and between letters and digits.
bool word_ends(std::string_view text, std::size_t at) {
  if (at + 1 >= text.size()) return false;
  const char c = text[at], next = text[at + 1];
  const bool changes = (is_upper(c) && (is_lower(next) || is_digit(next))) ||
                       (is_lower(c) && (is_upper(next) || is_digit(next))) ||
                       (is_digit(c) && (is_upper(next) || is_lower(next)));
  return changes;
}

std::string snake(std::string_view text) {
  text = trimmed(text);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_separator(c)) {
      out += '_';
      continue;
    }
    if (!word_ends(text, i)) {
      out += lower(c);
      continue;
    }
    const char next = text[i + 1];
    if (is_upper(c) && is_lower(next)) {
      // The last capital of a run begins the word behind it.
      if (i > 0 && is_upper(text[i - 1])) out += '_';
      out += lower(c);
    } else {
      out += lower(c);
      out += '_';
    }
  }
  return out;
}

/// What is no letter, digit or separator goes; of a run of capitals the first one stays.
std::string camel(std::string_view text) {
  text = trimmed(text);
  if (text == "ID") return "Id";
  std::string out;
  bool raise = true, capital = false;
  for (const char c : text) {
    const bool in_capitals = std::exchange(capital, is_upper(c));
    if (is_lower(c) || is_upper(c)) {
      out += raise ? upper(c) : in_capitals ? lower(c) : c;
      raise = false;
    } else {
      if (is_digit(c)) out += c;
      raise = is_digit(c) || is_separator(c);
    }
  }
  return out;
}

Value converted_to(Evaluation& in, std::string_view text, std::string_view target) {
  if (target == "lower") return each_character(in, text, [](std::uint32_t c) { return lower(c); });
  if (target == "upper") return each_character(in, text, [](std::uint32_t c) { return upper(c); });
  return Value::of_string(in.arena.keep(target == "snake" ? snake(text) : camel(text)));
}

Value convert(Evaluation& in, const Call& call, std::string_view target) {
  const Value text = call.argument(in, 0);
  return text.failed() || text.text.empty() ? text : converted_to(in, text.text, target);
}

}  // namespace

Value to_camel_case(Evaluation& in, const Call& call) { return convert(in, call, "camel"); }
Value to_lower_case(Evaluation& in, const Call& call) { return convert(in, call, "lower"); }
Value to_snake_case(Evaluation& in, const Call& call) { return convert(in, call, "snake"); }
Value to_upper_case(Evaluation& in, const Call& call) { return convert(in, call, "upper"); }
Value convert_case(Evaluation& in, const Call& call) {
  return convert(in, call, call.literal(1, std::string_view()));
}

std::string check_case(Call& call) {
  const std::string_view target = call.literal(1, std::string_view());
  const bool known =
      target == "lower" || target == "upper" || target == "snake" || target == "camel";
  return known ? "" : "the case is \"lower\", \"upper\", \"snake\" or \"camel\"";
}

}  // namespace sluice::ottl::library
