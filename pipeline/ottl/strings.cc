#include <algorithm>
#include <string>
#include <vector>

#include "pipeline/attributes/value.h"
#include "pipeline/ottl/library.h"
#include "pipeline/ottl/utf8.h"

namespace sluice::ottl::library {
namespace {

/// What a computed text may grow to.
constexpr std::size_t text_max = std::size_t{16} << 20;

/// Both arguments, if they are there.
struct Pair {
  Value text, other;
  Value failure;
  Pair(Evaluation& in, const Call& call) : text(call.argument(in, 0)) {
    if (text.failed()) {
      failure = text;
      return;
    }
    other = call.argument(in, 1);
    if (other.failed()) failure = other;
  }
};

/// Appends one of the values that are joined; false after a failure.
bool add(Evaluation& in, const Value& value, std::string_view delimiter, bool first,
         std::string& out) {
  if (value.failed()) return false;
  if (!first) out += delimiter;
  out += value.is_nil() ? std::string_view("<nil>") : value.text;
  if (out.size() <= text_max) return true;
  in.fail("longer than 16 MiB");
  return false;
}

}  // namespace

Value concat(Evaluation& in, const Call& call) {
  const Value delimiter = call.argument(in, 1);
  if (delimiter.failed()) return delimiter;
  std::string out;
  bool first = true;
  const Call::Argument& values = call.arguments[0];
  if (!values.value) {
    for (const ExpressionPtr& each : values.list) {
      const Value text = converted(in, each->get(in), Parameter::Kind::text);
      if (!add(in, text, delimiter.text, first, out)) return Value::failure();
      first = false;
    }
    return Value::of_string(in.arena.keep(out));
  }
  const Value list = values.value->get(in);
  if (list.failed()) return list;
  if (list.type != Type::list) return in.mismatch("a list", list.type);
  // The items of a value are texts as attributes are.
  FieldRange items(list.text, list.field);
  while (const auto item = items.next()) {
    const std::string text = sluice::text_of(AnyValueView(item->content));
    if (!add(in, Value::of_string(text), delimiter.text, first, out)) return Value::failure();
    first = false;
  }
  return Value::of_string(in.arena.keep(out));
}

Value split(Evaluation& in, const Call& call) {
  const Pair pair(in, call);
  if (pair.failure.failed()) return pair.failure;
  std::string_view rest = pair.text.text;
  const std::string_view delimiter = pair.other.text;
  ListBuilder list;
  if (delimiter.empty()) {
    while (!rest.empty()) {
      const std::size_t size = character_size(rest);
      list.add(Value::of_string(rest.substr(0, size)));
      rest.remove_prefix(size);
    }
    return list.finish(in.arena);
  }
  for (;;) {
    const std::size_t at = rest.find(delimiter);
    list.add(Value::of_string(rest.substr(0, at)));
    if (at == std::string_view::npos) return list.finish(in.arena);
    rest.remove_prefix(at + delimiter.size());
  }
}

Value has_prefix(Evaluation& in, const Call& call) {
  const Pair pair(in, call);
  if (pair.failure.failed()) return pair.failure;
  return Value::of_boolean(pair.text.text.starts_with(pair.other.text));
}

Value has_suffix(Evaluation& in, const Call& call) {
  const Pair pair(in, call);
  if (pair.failure.failed()) return pair.failure;
  return Value::of_boolean(pair.text.text.ends_with(pair.other.text));
}

Value trim_prefix(Evaluation& in, const Call& call) {
  const Pair pair(in, call);
  if (pair.failure.failed()) return pair.failure;
  const bool there = pair.text.text.starts_with(pair.other.text);
  return Value::of_string(pair.text.text.substr(there ? pair.other.text.size() : 0));
}

Value trim_suffix(Evaluation& in, const Call& call) {
  const Pair pair(in, call);
  if (pair.failure.failed()) return pair.failure;
  const bool there = pair.text.text.ends_with(pair.other.text);
  return Value::of_string(
      pair.text.text.substr(0, pair.text.text.size() - (there ? pair.other.text.size() : 0)));
}

Value trim(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  const std::string_view set = call.literal(1, std::string_view(" "));
  const auto goes = [set](std::string_view character) {
    return set.find(character) != std::string_view::npos;
  };
  std::string_view rest = text.text;
  while (!rest.empty() && goes(rest.substr(0, character_size(rest))))
    rest.remove_prefix(character_size(rest));
  while (!rest.empty()) {
    std::size_t begin = rest.size() - 1;
    while (begin > 0 && !begins_character(rest[begin])) --begin;
    if (!goes(rest.substr(begin))) break;
    rest = rest.substr(0, begin);
  }
  return Value::of_string(rest);
}

Value substring(Evaluation& in, const Call& call) {
  const Value start = call.argument(in, 1);
  if (start.failed()) return start;
  if (start.integer < 0) return in.fail("a substring's start cannot be negative");
  const Value length = call.argument(in, 2);
  if (length.failed()) return length;
  if (length.integer <= 0) return in.fail("a substring's length must be above zero");
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  const auto size = static_cast<std::int64_t>(text.text.size());
  if (start.integer > size || length.integer > size - start.integer)
    return in.fail("the range of the substring is not within the text");
  auto begin = static_cast<std::size_t>(start.integer);
  std::size_t end = begin + static_cast<std::size_t>(length.integer);
  if (call.literal(3, false)) {
    while (begin < text.text.size() && !begins_character(text.text[begin])) ++begin;
    while (begin < end && end < text.text.size() && !begins_character(text.text[end])) --end;
    end = std::max(begin, end);
  }
  return Value::of_string(text.text.substr(begin, end - begin));
}

}  // namespace sluice::ottl::library
