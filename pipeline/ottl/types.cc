// What type a value has, and values of one type made of another.
#include <cmath>
#include <string>

#include "pipeline/codec/hex.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/ottl/library.h"
#include "pipeline/ottl/numbers.h"

namespace sluice::ottl::library {
namespace {

Value has_type(Evaluation& in, const Call& call, Type type) {
  const Value value = call.argument(in, 0);
  return value.failed() ? value : Value::of_boolean(value.type == type);
}

/// An id from its bytes, or from their hexadecimal digits.
Value id(Evaluation& in, const Call& call, Type type, std::size_t size) {
  const Value bytes = call.argument(in, 0);
  if (bytes.failed()) return bytes;
  if (bytes.text.size() == size) return Value::of(type, bytes.text);
  char* const out = in.arena.take(size);
  if (bytes.text.size() == 2 * size && hex::decode(bytes.text, out))
    return Value::of(type, std::string_view(out, size));
  return in.fail("expected ", std::to_string(size), " bytes or twice as many hexadecimal digits");
}

}  // namespace

/// Int, Double, String, Bool: the parameter's kind does it all.
Value first_argument(Evaluation& in, const Call& call) { return call.argument(in, 0); }

Value is_bool(Evaluation& in, const Call& call) { return has_type(in, call, Type::boolean); }
Value is_double(Evaluation& in, const Call& call) { return has_type(in, call, Type::real); }
Value is_int(Evaluation& in, const Call& call) { return has_type(in, call, Type::integer); }
Value is_map(Evaluation& in, const Call& call) { return has_type(in, call, Type::map); }
Value is_string(Evaluation& in, const Call& call) { return has_type(in, call, Type::string); }

Value is_list(Evaluation& in, const Call& call) {
  const Value value = call.argument(in, 0);
  if (value.failed()) return value;
  return Value::of_boolean(value.type == Type::list || value.type == Type::events ||
                           value.type == Type::links);
}

Value is_root_span(Evaluation& in, const Call&) {
  return Value::of_boolean(
      SpanView(in.span.holder_of(otlp::span::parent_span_id)).parent_span_id().empty());
}

Value is_empty(Evaluation& in, const Call& call) {
  const Value value = call.argument(in, 0);
  switch (value.type) {
    case Type::failed: return value;
    case Type::nil: return Value::of_boolean(true);
    case Type::boolean: return Value::of_boolean(!value.boolean);
    case Type::real: return Value::of_boolean(value.real == 0);
    case Type::integer:
    case Type::duration: return Value::of_boolean(value.integer == 0);
    case Type::time: return Value::of_boolean(false);
    case Type::list:
    case Type::map: return Value::of_boolean(count_of(value) == 0);
    case Type::trace_id:
    case Type::span_id:
      return Value::of_boolean(value.text.find_first_not_of('\0') == std::string_view::npos);
    default: return Value::of_boolean(value.text.empty());
  }
}

Value len(Evaluation& in, const Call& call) {
  const Value value = call.argument(in, 0);
  switch (value.type) {
    case Type::failed: return value;
    case Type::string:
    case Type::bytes: return Value::of_integer(static_cast<std::int64_t>(value.text.size()));
    case Type::list:
    case Type::map:
    case Type::events:
    case Type::links: return Value::of_integer(static_cast<std::int64_t>(count_of(value)));
    default: return in.mismatch("a string, a list or a map", value.type);
  }
}

Value hex(Evaluation& in, const Call& call) {
  const Value bytes = call.argument(in, 0);
  if (bytes.failed()) return bytes;
  char* const out = in.arena.take(2 * bytes.text.size());
  hex::encode(bytes.text, out);
  return Value::of_string({out, 2 * bytes.text.size()});
}

Value coalesce(Evaluation& in, const Call& call) {
  for (const ExpressionPtr& each : call.arguments[0].list) {
    const Value value = each->get(in);
    if (!value.is_nil()) return value;
  }
  return {};
}

std::string check_coalesce(Call& call) {
  return call.arguments[0].list.empty() ? "needs at least one value" : "";
}

Value log(Evaluation& in, const Call& call) {
  const Value number = call.argument(in, 0);
  if (number.failed()) return number;
  if (number.is_nil()) return in.mismatch("a number", number.type);
  if (number.real <= 0) return in.fail("a logarithm is of a number above zero");
  return Value::of_real(std::log(number.real));
}

Value parse_int(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  const Value base = call.argument(in, 1);
  if (base.failed()) return base;
  const bool known = base.integer == 0 || (base.integer >= 2 && base.integer <= 36);
  if (!known) return in.fail("the base is 0, or from 2 to 36");
  const auto number = parse_integer(text.text, static_cast<int>(base.integer));
  return number ? Value::of_integer(*number) : in.fail("not an integer: ", text.text);
}

Value span_id(Evaluation& in, const Call& call) { return id(in, call, Type::span_id, 8); }
Value trace_id(Evaluation& in, const Call& call) { return id(in, call, Type::trace_id, 16); }

}  // namespace sluice::ottl::library
