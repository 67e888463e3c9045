// What arguments are converted to before a function sees them.
#include "pipeline/ottl/expression.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "pipeline/ottl/functions.h"
#include "pipeline/ottl/numbers.h"

namespace sluice::ottl {
namespace {

using Kind = Parameter::Kind;

Value as_integer(Evaluation& in, const Value& value) {
  switch (value.type) {
    case Type::nil:
    case Type::integer: return value;
    case Type::real: return Value::of_integer(truncated(value.real));
    case Type::boolean: return Value::of_integer(value.boolean ? 1 : 0);
    case Type::string:
      if (const auto number = parse_integer(value.text, 10)) return Value::of_integer(*number);
      return in.fail("not an integer: ", value.text);
    default: return in.mismatch("an integer or what can be read as one", value.type);
  }
}

Value as_real(Evaluation& in, const Value& value) {
  switch (value.type) {
    case Type::nil:
    case Type::real: return value;
    case Type::integer: return Value::of_real(static_cast<double>(value.integer));
    case Type::boolean: return Value::of_real(value.boolean ? 1 : 0);
    case Type::string:
      if (const auto number = parse_real(value.text)) return Value::of_real(*number);
      return in.fail("not a number: ", value.text);
    default: return in.mismatch("a number or what can be read as one", value.type);
  }
}

Value as_boolean(Evaluation& in, const Value& value) {
  switch (value.type) {
    case Type::nil:
    case Type::boolean: return value;
    case Type::integer: return Value::of_boolean(value.integer != 0);
    case Type::real: return Value::of_boolean(value.real != 0);
    case Type::string:
      if (const auto boolean = parse_boolean(value.text)) return Value::of_boolean(*boolean);
      return in.fail("not a boolean: ", value.text);
    default: return in.mismatch("a boolean or what can be read as one", value.type);
  }
}

/// Numbers as eight bytes, the highest first.
Value as_bytes(Evaluation& in, const Value& value) {
  std::uint64_t bits = 0;
  std::size_t size = sizeof bits;
  switch (value.type) {
    case Type::nil:
    case Type::bytes: return value;
    case Type::string: return Value::of(Type::bytes, value.text);
    case Type::integer: bits = static_cast<std::uint64_t>(value.integer); break;
    case Type::real: bits = std::bit_cast<std::uint64_t>(value.real); break;
    case Type::boolean:
      bits = std::uint64_t{value.boolean} << 56;
      size = 1;
      break;
    default: return in.mismatch("bytes or what can be read as them", value.type);
  }
  bits = __builtin_bswap64(bits);
  return Value::of(Type::bytes, in.arena.keep({reinterpret_cast<const char*>(&bits), size}));
}

Value as_text(Evaluation& in, const Value& value) {
  if (value.is_nil() || value.type == Type::string) return value;
  const auto text = text_of(value, in.arena);
  return text ? Value::of_string(*text) : in.mismatch("what can be read as text", value.type);
}

}  // namespace

Type strict_type(Parameter::Kind kind) {
  switch (kind) {
    case Kind::string: return Type::string;
    case Kind::integer: return Type::integer;
    case Kind::real: return Type::real;
    case Kind::time: return Type::time;
    case Kind::duration: return Type::duration;
    case Kind::map: return Type::map;
    case Kind::list: return Type::list;
    default: return Type::any;
  }
}

Value converted(Evaluation& in, const Value& value, Parameter::Kind kind) {
  if (value.failed()) return value;
  const Type wanted = strict_type(kind);
  if (wanted != Type::any)
    return value.type == wanted ? value : in.mismatch(name_of(wanted), value.type);
  switch (kind) {
    case Kind::text: return as_text(in, value);
    case Kind::integer_like: return as_integer(in, value);
    case Kind::real_like: return as_real(in, value);
    case Kind::boolean_like: return as_boolean(in, value);
    case Kind::bytes_like: return as_bytes(in, value);
    default: return value;
  }
}

Value Call::get(Evaluation& in) const { return function->run(in, *this); }

bool Call::constant_arguments() const {
  const auto known = [](const ExpressionPtr& value) { return value->constant() != nullptr; };
  for (const Argument& argument : arguments) {
    if (!argument.given) continue;
    if (argument.lambda || argument.function != nullptr) return false;
    if (argument.value ? !known(argument.value) : !std::ranges::all_of(argument.list, known))
      return false;
  }
  return !arguments.empty();
}

std::string_view Call::literal(std::size_t index, std::string_view otherwise) const {
  return has(index) ? arguments[index].value->constant()->text : otherwise;
}
std::int64_t Call::literal(std::size_t index, std::int64_t otherwise) const {
  return has(index) ? arguments[index].value->constant()->integer : otherwise;
}
bool Call::literal(std::size_t index, bool otherwise) const {
  return has(index) ? arguments[index].value->constant()->boolean : otherwise;
}

Value Lambda::call(Evaluation& in) const {
  if (value) return value->get(in);
  switch (condition->test(in)) {
    case Truth::no: return Value::of_boolean(false);
    case Truth::yes: return Value::of_boolean(true);
    case Truth::failed: break;
  }
  return Value::failure();
}

}  // namespace sluice::ottl
