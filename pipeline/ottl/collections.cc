// Lists and maps as values.
#include <algorithm>
#include <string>
#include <vector>

#include "pipeline/attributes/value.h"
#include "pipeline/ottl/library.h"

namespace sluice::ottl::library {
namespace {

/// What lies under the keys of a literal list, in a map of maps.
std::optional<Value> under(const Value& map, const Call::Argument& path) {
  Value at = map;
  for (const ExpressionPtr& key : path.list) {
    if (at.type != Type::map) return std::nullopt;
    const std::optional<Value> entry = entry_of(at, key->constant()->text);
    if (!entry) return std::nullopt;
    at = *entry;
  }
  return at;
}

/// What a list's items are sorted as: texts if any of them is none of a number, numbers otherwise.
/// Nothing where they have no order.
std::optional<Type> common_type(const std::vector<Value>& items) {
  bool texts = false, reals = false;
  for (const Value& item : items) {
    switch (item.type) {
      case Type::integer: break;
      case Type::real: reals = true; break;
      case Type::string:
      case Type::boolean:
      case Type::nil: texts = true; break;
      default: return std::nullopt;
    }
  }
  return texts ? Type::string : reals ? Type::real : Type::integer;
}

std::string text_key(const Value& value) {
  std::string any;
  append_encoded(value, any);
  return sluice::text_of(AnyValueView(any));
}

double real_key(const Value& value) {
  return value.type == Type::real ? value.real : static_cast<double>(value.integer);
}

template <typename Key>
void sort_by(std::vector<Value>& items, bool descending, Key key) {
  std::stable_sort(items.begin(), items.end(), [&](const Value& a, const Value& b) {
    return descending ? key(b) < key(a) : key(a) < key(b);
  });
}

}  // namespace

Value contains_value(Evaluation& in, const Call& call) {
  const Value list = call.argument(in, 0);
  if (list.failed()) return list;
  const Value wanted = call.argument(in, 1);
  if (wanted.failed()) return wanted;
  Items items(list);
  while (const auto item = items.next()) {
    if (equal(*item, wanted)) return Value::of_boolean(true);
  }
  return Value::of_boolean(false);
}

Value index(Evaluation& in, const Call& call) {
  const Value target = call.argument(in, 0);
  if (target.failed()) return target;
  const Value wanted = call.argument(in, 1);
  if (wanted.failed()) return wanted;
  if (target.type == Type::string) {
    if (wanted.type != Type::string) return in.mismatch("a string", wanted.type);
    const std::size_t at = target.text.find(wanted.text);
    return Value::of_integer(at == std::string_view::npos ? -1 : static_cast<std::int64_t>(at));
  }
  if (target.type != Type::list) return in.mismatch("a string or a list", target.type);
  Items items(target);
  for (std::int64_t at = 0; const auto item = items.next(); ++at) {
    if (equal(*item, wanted)) return Value::of_integer(at);
  }
  return Value::of_integer(-1);
}

Value keys(Evaluation& in, const Call& call) {
  const Value map = call.argument(in, 0);
  if (map.failed()) return map;
  ListBuilder list;
  Entries entries(map);
  while (const auto entry = entries.next()) list.add(Value::of_string(entry->key));
  return list.finish(in.arena);
}

Value values(Evaluation& in, const Call& call) {
  const Value map = call.argument(in, 0);
  if (map.failed()) return map;
  ListBuilder list;
  Entries entries(map);
  while (const auto entry = entries.next()) list.add(entry->value);
  return list.finish(in.arena);
}

Value slice_to_map(Evaluation& in, const Call& call) {
  const Value list = call.argument(in, 0);
  if (list.failed()) return list;
  MapBuilder map;
  Items items(list);
  for (std::size_t at = 0; const auto item = items.next(); ++at) {
    std::string key = std::to_string(at);
    if ((call.has(1) || call.has(2)) && item->type != Type::map)
      return in.mismatch("a list of maps", item->type);
    if (call.has(1)) {
      const std::optional<Value> name = under(*item, call.arguments[1]);
      if (!name || name->type != Type::string)
        return in.fail("an item of the list has no string under the key path");
      key = name->text;
    }
    const std::optional<Value> value = call.has(2) ? under(*item, call.arguments[2]) : *item;
    if (!value) return in.fail("an item of the list has nothing under the value path");
    map.put(key, *value);
  }
  return map.finish(in.arena);
}

Value sort(Evaluation& in, const Call& call) {
  const Value list = call.argument(in, 0);
  if (list.failed()) return list;
  if (list.type != Type::list) return in.mismatch("a list", list.type);
  std::vector<Value> items;
  Items range(list);
  while (const auto item = range.next()) items.push_back(*item);
  const std::optional<Type> type = common_type(items);
  if (!type) return list;
  const bool descending = call.literal(1, std::string_view("asc")) == "desc";
  if (*type == Type::string) {
    sort_by(items, descending, text_key);
  } else if (*type == Type::real) {
    sort_by(items, descending, real_key);
  } else {
    sort_by(items, descending, [](const Value& value) { return value.integer; });
  }
  ListBuilder sorted;
  for (const Value& item : items) sorted.add(item);
  return sorted.finish(in.arena);
}

std::string check_order(Call& call) {
  const std::string_view order = call.literal(1, std::string_view("asc"));
  return order == "asc" || order == "desc" ? "" : "the order is \"asc\" or \"desc\"";
}

}  // namespace sluice::ottl::library
