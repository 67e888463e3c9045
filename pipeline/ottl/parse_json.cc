// ParseJSON. A number is a double, as JSON has no other.
#include <nlohmann/json.hpp>
#include <string>

#include "pipeline/model/span_view.h"
#include "pipeline/ottl/library.h"

namespace sluice::ottl::library {
namespace {

using Json = nlohmann::json;

/// Nothing where values lie deeper in one another than a span's may.
std::optional<Value> value_of(const Json& json, Arena& arena, int depth) {
  if (depth > value_depth_max) return std::nullopt;
  switch (json.type()) {
    case Json::value_t::boolean: return Value::of_boolean(json.get<bool>());
    case Json::value_t::string:
      return Value::of_string(arena.keep(json.get_ref<const std::string&>()));
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
    case Json::value_t::number_float: return Value::of_real(json.get<double>());
    case Json::value_t::array: {
      ListBuilder list;
      for (const Json& item : json) {
        const auto value = value_of(item, arena, depth + 1);
        if (!value) return value;
        list.add(*value);
      }
      return list.finish(arena);
    }
    case Json::value_t::object: {
      MapBuilder map;
      for (const auto& [key, item] : json.items()) {
        const auto value = value_of(item, arena, depth + 1);
        if (!value) return value;
        map.put(key, *value);
      }
      return map.finish(arena);
    }
    default: return Value();
  }
}

/// Whether brackets lie deeper in one another than is taken: the parser's tree would be as deep.
bool too_deep(std::string_view text) {
  int depth = 0;
  for (const char c : text) {
    if (c == '[' || c == '{') ++depth;
    if (depth > 10 * value_depth_max) return true;
    if (c == ']' || c == '}') --depth;
  }
  return false;
}

}  // namespace

Value parse_json(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  if (too_deep(text.text)) return in.fail("JSON nested deeper than 100");
  const Json json = Json::parse(text.text.begin(), text.text.end(), nullptr, false);
  if (json.is_discarded()) return in.fail("not JSON");
  if (!json.is_array() && !json.is_object())
    return in.fail("the JSON is neither an object nor an array");
  const auto value = value_of(json, in.arena, 0);
  return value ? *value : in.fail("JSON nested deeper than 100");
}

}  // namespace sluice::ottl::library
