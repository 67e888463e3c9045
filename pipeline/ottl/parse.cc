// Texts that have a form: key-value pairs, CSV, base64, formats, card numbers.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/attributes/value.h"
#include "pipeline/codec/base64.h"
#include "pipeline/ottl/library.h"
#include "pipeline/ottl/numbers.h"
#include "pipeline/ottl/utf8.h"

namespace sluice::ottl::library {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

/// At the delimiter, but not within quotes, which go; nothing where a quote stays open.
std::optional<std::vector<std::string>> split_quoted(std::string_view text,
                                                     std::string_view delimiter) {
  std::vector<std::string> parts;
  std::string part;
  char quote = 0;
  bool escaped = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quote == 0 && text.substr(i).starts_with(delimiter)) {
      if (!part.empty()) parts.push_back(std::exchange(part, {}));
      i += delimiter.size() - 1;
      continue;
    }
    const char c = text[i];
    if (!escaped && ((quote == 0 && (c == '"' || c == '\'')) || (quote != 0 && c == quote))) {
      quote = quote == 0 ? c : 0;
      continue;
    }
    escaped = !escaped && c == '\\';
    part += c;
  }
  if (quote != 0) return std::nullopt;
  if (!part.empty()) parts.push_back(part);
  return parts;
}

std::string quoted(std::string_view text, std::string_view delimiter, std::string_view pairs) {
  std::string out;
  for (const char c : text) {
    if (c == '"') out += '\\';
    out += c;
  }
  const bool special =
      out.find(delimiter) != std::string::npos || out.find(pairs) != std::string::npos;
  return special ? '"' + out + '"' : out;
}

std::vector<std::string> split_plain(std::string_view text, std::string_view delimiter) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t at = text.find(delimiter);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + delimiter.size());
  }
}

/// Lines of CSV are one record, without the empty ones.
std::string joined_lines(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    if (text[i] != '\n' || out.empty() || out.back() != '\n') out += text[i];
  }
  return out;
}

std::string_view without_outer_lines(std::string_view text) {
  while (text.starts_with('\n') || text.starts_with("\r\n")) text.remove_prefix(1);
  while (text.ends_with('\n') || text.ends_with("\n\r")) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

/// A record of CSV: fields may stand in double quotes, in which a quote is doubled. With `lazy` a
/// quote may also stand within a field that does not begin with one.
std::optional<std::vector<std::string>> csv_fields(std::string_view row, std::string_view delimiter,
                                                   bool lazy) {
  std::vector<std::string> fields;
  for (;;) {
    std::string field;
    if (!row.starts_with('"')) {
      const std::size_t end = std::min(row.find(delimiter), row.size());
      field = joined_lines(row.substr(0, end));
      if (!lazy && field.find('"') != std::string::npos) return std::nullopt;
      row.remove_prefix(end);
    } else {
      row.remove_prefix(1);
      bool closed = false;
      while (!row.empty() && !closed) {
        const std::size_t end = std::min(row.find('"'), row.size());
        field += row.substr(0, end);
        row.remove_prefix(std::min(end + 1, row.size()));
        const bool doubled = row.starts_with('"');
        closed = !doubled && (row.empty() || row.starts_with(delimiter));
        if (doubled) row.remove_prefix(1);
        if (!doubled && !closed && !lazy) return std::nullopt;
        if (!closed) field += '"';
      }
      if (!closed && !lazy) return std::nullopt;
    }
    fields.push_back(std::move(field));
    if (row.empty()) return fields;
    row.remove_prefix(delimiter.size());
  }
}

void replace_characters(std::string& text, std::string_view from, std::string_view to) {
  for (char& c : text) {
    const std::size_t at = from.find(c);
    if (at != std::string_view::npos) c = to[at];
  }
}

/// `%v` of Go for what occurs in formats.
std::string plain_text(const Value& value) {
  switch (value.type) {
    case Type::nil: return "<nil>";
    case Type::real: return shortest(value.real);
    case Type::integer: return std::to_string(value.integer);
    case Type::boolean: return value.boolean ? "true" : "false";
    case Type::string: return std::string(value.text);
    default: break;
  }
  std::string any;
  append_encoded(value, any);
  return sluice::text_of(AnyValueView(any));
}

std::string padded(std::string text, std::string_view width) {
  const bool left = width.starts_with('-');
  const bool zeros = width.starts_with('0');
  if (left) width.remove_prefix(1);
  const auto wanted = static_cast<std::size_t>(parse_integer(width, 10).value_or(0));
  if (wanted > 1024 || text.size() >= wanted) return text;
  const std::size_t missing = wanted - text.size();
  if (left) return text + std::string(missing, ' ');
  const bool sign = zeros && text.starts_with('-');
  return (sign ? "-" : "") + std::string(missing, zeros ? '0' : ' ') + text.substr(sign ? 1 : 0);
}

}  // namespace

Value parse_key_value(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  if (text.text.empty()) return in.fail("there is nothing to parse");
  const std::string_view delimiter = call.literal(1, std::string_view("="));
  const auto pairs = split_quoted(text.text, call.literal(2, std::string_view(" ")));
  if (!pairs) return in.fail("a quote is never closed");
  MapBuilder map;
  for (const std::string_view pair : *pairs) {
    const std::size_t at = pair.find(delimiter);
    if (at == std::string_view::npos) return in.fail("not a key and a value: ", pair);
    map.put(trimmed(pair.substr(0, at)),
            Value::of_string(trimmed(pair.substr(at + delimiter.size()))));
  }
  return map.finish(in.arena);
}

Value to_key_value_string(Evaluation& in, const Call& call) {
  const Value map = call.argument(in, 0);
  if (map.failed()) return map;
  const std::string_view delimiter = call.literal(1, std::string_view("="));
  const std::string_view pairs = call.literal(2, std::string_view(" "));
  std::vector<std::pair<std::string, std::string>> texts;
  Entries entries(map);
  while (const auto entry = entries.next()) {
    std::string any;
    append_encoded(entry->value, any);
    texts.emplace_back(entry->key, sluice::text_of(AnyValueView(any)));
  }
  if (call.literal(3, false)) std::stable_sort(texts.begin(), texts.end());
  std::string out;
  for (const auto& [key, value] : texts) {
    if (!out.empty()) out += pairs;
    out += quoted(key, delimiter, pairs);
    out += delimiter;
    out += quoted(value, delimiter, pairs);
  }
  return Value::of_string(in.arena.keep(out));
}

std::string check_delimiters(Call& call) {
  const std::string_view delimiter = call.literal(1, std::string_view("="));
  const std::string_view pairs = call.literal(2, std::string_view(" "));
  if (delimiter.empty() || pairs.empty()) return "a delimiter cannot be empty";
  return delimiter == pairs ? "the two delimiters cannot be the same" : "";
}

Value parse_csv(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  const Value header = call.argument(in, 1);
  if (header.failed()) return header;
  if (header.text.empty()) return in.fail("the header cannot be empty");
  const std::string_view delimiter = call.literal(2, std::string_view(","));
  const std::string_view mode = call.literal(4, std::string_view("strict"));
  const std::vector<std::string> names = split_plain(header.text, call.literal(3, delimiter));
  const bool plain = mode == "ignoreQuotes";
  const std::string_view record = plain ? text.text : without_outer_lines(text.text);
  if (!plain && record.empty()) return in.fail("there is nothing to parse");
  const auto fields = plain ? std::optional(split_plain(record, delimiter))
                            : csv_fields(record, delimiter, mode == "lazyQuotes");
  if (!fields) return in.fail("a quote is out of place");
  if (fields->size() != names.size())
    return in.fail("the line has not as many fields as the header");
  MapBuilder map;
  for (std::size_t i = 0; i < names.size(); ++i) map.put(names[i], Value::of_string((*fields)[i]));
  return map.finish(in.arena);
}

std::string check_csv(Call& call) {
  const std::string_view delimiter = call.literal(2, std::string_view(","));
  if (delimiter.empty() || character_size(delimiter) != delimiter.size())
    return "the delimiter is one character";
  if (call.has(3) && call.literal(3, std::string_view()).empty())
    return "the header's delimiter cannot be empty";
  const std::string_view mode = call.literal(4, std::string_view("strict"));
  const bool known = mode == "strict" || mode == "lazyQuotes" || mode == "ignoreQuotes";
  return known ? "" : "the mode is \"strict\", \"lazyQuotes\" or \"ignoreQuotes\"";
}

Value base64_encode(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  const Value variant = call.has(1) ? call.argument(in, 1) : Value::of_string("base64");
  if (variant.failed()) return variant;
  std::string out = base64::encoded(text.text);
  const std::string_view name = variant.text;
  const bool url = name == "base64-url" || name == "base64-raw-url";
  const bool raw = name == "base64-raw" || name == "base64-raw-url";
  if (!url && !raw && name != "base64") return in.fail("unknown variant of base64: ", name);
  if (url) replace_characters(out, "+/", "-_");
  if (raw) out.erase(out.find_last_not_of('=') + 1);
  return Value::of_string(in.arena.keep(out));
}

namespace {

/// By one variant alone, as Go reads it: line breaks do not count.
std::optional<std::string> decoded_base64(std::string_view encoded, std::string_view variant) {
  const bool url = variant.ends_with("-url");
  const bool raw = variant.starts_with("base64-raw");
  std::string text(encoded);
  std::erase_if(text, [](char c) { return c == '\r' || c == '\n'; });
  if (text.find_first_of(url ? "+/" : "-_") != std::string::npos) return std::nullopt;
  if (raw ? text.find('=') != std::string::npos : text.size() % 4 != 0) return std::nullopt;
  return base64::decoded(text);
}

}  // namespace

Value decode(Evaluation& in, const Call& call) {
  const Value value = call.argument(in, 0);
  if (value.failed()) return value;
  if (value.type != Type::string && value.type != Type::bytes)
    return in.mismatch("a string or bytes", value.type);
  const Value encoding = call.argument(in, 1);
  if (encoding.failed()) return encoding;
  const std::string_view variant = encoding.text;
  if (variant == "base64" || variant == "base64-raw" || variant == "base64-url" ||
      variant == "base64-raw-url") {
    const auto decoded_text = decoded_base64(value.text, encoding.text);
    return decoded_text ? Value::of_string(in.arena.keep(*decoded_text)) : in.fail("not base64");
  }
  std::string name(encoding.text);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (name == "utf-8" || name == "utf8" || name == "us-ascii" || name == "ascii" || name == "nop")
    return Value::of_string(value.text);
  if (name != "iso-8859-1" && name != "latin1") return in.fail("unknown encoding: ", encoding.text);
  std::string out;
  for (const char c : value.text) append_utf8(static_cast<unsigned char>(c), out);
  return Value::of_string(in.arena.keep(out));
}

/// The verbs of Go that attributes need: %s %v %d %f %t %q %x %%, with a width.
Value format(Evaluation& in, const Call& call) {
  std::string_view rest = call.literal(0, std::string_view());
  const std::vector<ExpressionPtr>& values = call.arguments[1].list;
  std::string out;
  std::size_t next = 0;
  while (!rest.empty()) {
    const std::size_t percent = std::min(rest.find('%'), rest.size());
    out += rest.substr(0, percent);
    rest.remove_prefix(percent);
    if (rest.empty()) break;
    const std::size_t verb = std::min(rest.find_first_not_of("-0123456789.", 1), rest.size() - 1);
    const std::string_view directive = rest.substr(1, verb - 1);
    const char letter = rest[verb];
    rest.remove_prefix(verb + 1);
    if (letter == '%') {
      out += '%';
      continue;
    }
    if (next == values.size())
      return in.fail("the format has more directives than there are values");
    const Value value = values[next++]->get(in);
    if (value.failed()) return value;
    const std::size_t dot = directive.find('.');
    std::string text = plain_text(value);
    if (letter == 'f') {
      const Value number = converted(in, value, Parameter::Kind::real_like);
      if (number.failed()) return number;
      const auto digits = dot == std::string_view::npos
                              ? 6
                              : parse_integer(directive.substr(dot + 1), 10).value_or(0);
      text = fixed(number.real, static_cast<int>(std::min<std::int64_t>(digits, 64)));
    } else if (letter == 'd') {
      if (value.type != Type::integer) return in.mismatch("an integer for %d", value.type);
    } else if (letter == 'q') {
      text = '"' + text + '"';
    } else if (letter != 's' && letter != 'v' && letter != 't') {
      return in.fail("unknown directive in the format: ", std::string_view(&letter, 1));
    }
    out += padded(std::move(text), directive.substr(0, dot));
  }
  return Value::of_string(in.arena.keep(out));
}

Value is_valid_luhn(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  if (text.is_nil()) return in.mismatch("a number", text.type);
  int sum = 0;
  std::size_t count = 0;
  for (std::size_t i = text.text.size(); i > 0; --i) {
    const char c = text.text[i - 1];
    if (c == ' ') continue;
    if (c < '0' || c > '9') return in.fail("not a digit: ", text.text.substr(i - 1, 1));
    const int digit = (c - '0') * (count++ % 2 == 1 ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return Value::of_boolean(count > 0 && sum % 10 == 0);
}

}  // namespace sluice::ottl::library
