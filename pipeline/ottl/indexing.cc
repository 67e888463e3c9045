#include "pipeline/ottl/indexing.h"

#include <string>

namespace sluice::ottl {
namespace {

Value out_of_bounds(Evaluation& in, std::int64_t index) {
  return in.fail("the index ", std::to_string(index), " is out of bounds");
}

Value not_indexable(Evaluation& in, Type type) {
  return in.fail(name_of(type), " cannot be indexed");
}

Value integer_key(Evaluation& in, const Expression& key) {
  const Value value = key.get(in);
  if (value.failed() || value.type == Type::integer) return value;
  return in.fail("a list's index is an integer, found ", name_of(value.type));
}

Value item_of(Evaluation& in, const Value& list, std::int64_t index) {
  if (index < 0) return out_of_bounds(in, index);
  Items items(list);
  std::int64_t at = 0;
  while (const std::optional<Value> item = items.next()) {
    if (at++ == index) return *item;
  }
  return out_of_bounds(in, index);
}

Value set_in_map(Evaluation& in, const Value& map, KeySpan keys, const Value& leaf) {
  const Value key = string_key(in, *keys.front());
  if (key.failed()) return key;
  const std::optional<Value> there = map.is_nil() ? std::nullopt : entry_of(map, key.text);
  const Value child = with_set(in, there.value_or(Value()), keys.subspan(1), leaf);
  if (child.failed()) return child;
  const auto bytes = encoded(child, in.arena);
  if (!bytes) return in.fail("an attribute cannot hold ", name_of(child.type));
  AttributeList list;
  list.begin(map.text, map.field);
  list.set(key.text, *bytes, in.arena);
  return list.as_map(in.arena);
}

Value set_in_list(Evaluation& in, const Value& list, KeySpan keys, const Value& leaf) {
  const Value index = integer_key(in, *keys.front());
  if (index.failed()) return index;
  const Value there = item_of(in, list, index.integer);
  if (there.failed()) return there;
  const Value child = with_set(in, there, keys.subspan(1), leaf);
  if (child.failed()) return child;
  ListBuilder builder;
  Items items(list);
  for (std::int64_t at = 0; const std::optional<Value> item = items.next(); ++at) {
    if (!builder.add(at == index.integer ? child : *item))
      return in.fail("a list cannot hold ", name_of(child.type));
  }
  return builder.finish(in.arena);
}

/// In place of nothing: an integer makes a list, a string a map.
Value set_in_nothing(Evaluation& in, KeySpan keys, const Value& leaf) {
  const Value key = keys.front()->get(in);
  if (key.failed()) return key;
  if (key.type == Type::string) return set_in_map(in, {}, keys, leaf);
  if (key.type != Type::integer)
    return in.fail("an index is a string or an integer, found ", name_of(key.type));
  if (key.integer < 0 || key.integer >= list_growth_max) return out_of_bounds(in, key.integer);
  const Value child = with_set(in, {}, keys.subspan(1), leaf);
  if (child.failed()) return child;
  ListBuilder builder;
  for (std::int64_t at = 0; at < key.integer; ++at) builder.add({});
  if (!builder.add(child)) return in.fail("a list cannot hold ", name_of(child.type));
  return builder.finish(in.arena);
}

}  // namespace

Value string_key(Evaluation& in, const Expression& key) {
  const Value value = key.get(in);
  if (value.failed() || value.type == Type::string) return value;
  return in.fail("a map's key is a string, found ", name_of(value.type));
}

Value value_at(Evaluation& in, Value value, KeySpan keys) {
  for (const ExpressionPtr& key : keys) {
    if (value.failed()) return value;
    if (value.type == Type::map) {
      const Value name = string_key(in, *key);
      if (name.failed()) return name;
      const std::optional<Value> entry = entry_of(value, name.text);
      if (!entry) return {};
      value = *entry;
    } else if (value.type == Type::list) {
      const Value index = integer_key(in, *key);
      if (index.failed()) return index;
      value = item_of(in, value, index.integer);
    } else {
      return not_indexable(in, value.type);
    }
  }
  return value;
}

Value item_at(Evaluation& in, Value value, KeySpan keys) {
  for (const ExpressionPtr& key : keys) {
    if (value.failed()) return value;
    const Value wanted = key->get(in);
    if (wanted.failed()) return wanted;
    if (wanted.type == Type::string) {
      if (value.type != Type::map) return not_indexable(in, value.type);
      const std::optional<Value> entry = entry_of(value, wanted.text);
      if (!entry) return in.fail("there is no key ", wanted.text);
      value = *entry;
    } else if (wanted.type == Type::integer) {
      if (value.type != Type::list) return not_indexable(in, value.type);
      value = item_of(in, value, wanted.integer);
    } else {
      return in.fail("an index is a string or an integer, found ", name_of(wanted.type));
    }
  }
  return value;
}

Value with_set(Evaluation& in, const Value& value, KeySpan keys, const Value& leaf) {
  if (keys.empty()) return leaf;
  switch (value.type) {
    case Type::map: return set_in_map(in, value, keys, leaf);
    case Type::list: return set_in_list(in, value, keys, leaf);
    case Type::nil: return set_in_nothing(in, keys, leaf);
    default: return not_indexable(in, value.type);
  }
}

}  // namespace sluice::ottl
