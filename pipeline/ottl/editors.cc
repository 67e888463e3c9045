#include <algorithm>
#include <string>
#include <unordered_set>

#include "pipeline/attributes/value.h"
#include "pipeline/model/span_view.h"
#include "pipeline/ottl/library.h"
#include "pipeline/ottl/patterns.h"
#include "pipeline/ottl/utf8.h"

namespace sluice::ottl::library {
namespace {

using Item = AttributeList::Item;

/// Runs `edit(map, memory)` over the map that the first argument names.
template <typename Edit>
Value edit_map(Evaluation& in, const Call& call, Edit edit) {
  return call.path(0).edit_map(in, MapEdit(edit));
}

/// Erases the items that `goes` says.
template <typename Predicate>
Value erase_if(Evaluation& in, const Call& call, Predicate goes) {
  return edit_map(in, call, [&](AttributeList& map, Arena&) {
    map.each([&](Item& item) {
      if (goes(item)) map.erase(item);
    });
    return Value();
  });
}

bool named_in(Evaluation& in, const Call::Argument& argument, std::string_view key,
              Value& failure) {
  for (const ExpressionPtr& each : argument.list) {
    const Value name = converted(in, each->get(in), argument.kind);
    if (name.failed()) failure = name;
    if (name.failed() || name.text == key) return true;
  }
  return false;
}

Value add_to(Evaluation& in, ListBuilder& list, const Value& value) {
  if (value.failed() || list.add(value)) return value;
  return in.fail("a list cannot hold ", name_of(value.type));
}

/// What is in a value, as the start of a list: a list's items, nothing of nil, anything else
/// itself.
Value start_list(Evaluation& in, ListBuilder& list, const Value& value) {
  if (value.type != Type::list) return value.is_nil() ? value : add_to(in, list, value);
  Items items(value);
  while (const auto item = items.next()) list.add(*item);
  return value;
}

}  // namespace

Value set(Evaluation& in, const Call& call) {
  const Value value = call.argument(in, 1);
  if (const Attribute* const attribute = call.attribute_at(0);
      attribute != nullptr && value.type == Type::string) {
    attribute->set_text(in, {&value.text, 1});
    return {};
  }
  return value.failed() ? value : call.path(0).set(in, value);
}

/// What is known to fail on every span is said at once.
std::string check_set(Call& call) {
  const Type field = call.path(0).type();
  const Type value = call.arguments[1].value->type();
  const bool known = field != Type::any && value != Type::any && value != Type::nil;
  if (!known || field == value) return {};
  return "expected " + std::string(name_of(field)) + " for this field, found " +
         std::string(name_of(value));
}

Value clear(Evaluation& in, const Call& call) {
  const Value there = call.path(0).get(in);
  switch (there.type) {
    case Type::failed: return there;
    case Type::map: return call.path(0).set(in, Value::of_map({}, 1));
    case Type::events:
    case Type::links: return call.path(0).set(in, Value::of(Type::list));
    case Type::trace_id:
    case Type::span_id:
      return call.path(0).set(
          in, Value::of(there.type,
                        std::string_view("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", there.text.size())));
    default: return call.path(0).set(in, Value::of(there.type));
  }
}

Value append(Evaluation& in, const Call& call) {
  ListBuilder list;
  const Value there = start_list(in, list, call.path(0).get(in));
  if (there.failed()) return there;
  if (call.has(1)) {
    const Value added = add_to(in, list, call.argument(in, 1));
    if (added.failed()) return added;
  }
  for (const ExpressionPtr& each : call.arguments[2].list) {
    const Value added = add_to(in, list, each->get(in));
    if (added.failed()) return added;
  }
  return call.path(0).set(in, list.finish(in.arena));
}

std::string check_append(Call& call) {
  return call.has(1) || call.has(2) ? "" : "needs one of \"value\" and \"values\"";
}

Value delete_key(Evaluation& in, const Call& call) {
  const Value key = call.argument(in, 1);
  if (key.failed()) return key;
  return edit_map(in, call, [&key](AttributeList& map, Arena&) {
    map.erase(key.text);
    return Value();
  });
}

Value delete_matching_keys(Evaluation& in, const Call& call) {
  const Pattern pattern(in, call, 1);
  if (!pattern) return Value::failure();
  return erase_if(in, call, [&pattern](const Item& item) { return pattern.found_in(item.key); });
}

Value keep_matching_keys(Evaluation& in, const Call& call) {
  const Pattern pattern(in, call, 1);
  if (!pattern) return Value::failure();
  return erase_if(in, call, [&pattern](const Item& item) { return !pattern.found_in(item.key); });
}

Value keep_keys(Evaluation& in, const Call& call) {
  Value failure;
  const Value result = erase_if(in, call, [&](const Item& item) {
    return !failure.failed() && !named_in(in, call.arguments[1], item.key, failure);
  });
  return failure.failed() ? failure : result;
}

Value limit(Evaluation& in, const Call& call) {
  const auto most = static_cast<std::size_t>(call.literal(1, std::int64_t{0}));
  return edit_map(in, call, [&](AttributeList& map, Arena&) {
    if (map.size() <= most) return Value();
    Value failure;
    const auto priority = [&](const Item& item) {
      return named_in(in, call.arguments[2], item.key, failure);
    };
    std::size_t count = 0;
    map.each([&](const Item& item) { count += priority(item) ? 1 : 0; });
    map.each([&](Item& item) {
      if (priority(item)) return;
      if (count < most) {
        ++count;
      } else {
        map.erase(item);
      }
    });
    return Value();
  });
}

std::string check_limit(Call& call) {
  const std::int64_t most = call.literal(1, std::int64_t{0});
  if (most < 0) return "the limit cannot be negative";
  if (static_cast<std::size_t>(most) < call.arguments[2].list.size())
    return "the limit is less than the number of priority keys";
  return {};
}

Value merge_maps(Evaluation& in, const Call& call) {
  const Value source = call.argument(in, 1);
  if (source.failed()) return source;
  const std::string_view strategy = call.literal(2, std::string_view());
  return edit_map(in, call, [&](AttributeList& map, Arena& memory) {
    Entries entries(source);
    while (const auto entry = entries.next()) {
      if (strategy != "upsert" && map.find(entry->key).has_value() != (strategy == "update"))
        continue;
      if (const auto value = encoded(entry->value, in.arena)) map.set(entry->key, *value, memory);
    }
    return Value();
  });
}

std::string check_strategy(Call& call) {
  const std::string_view strategy = call.literal(2, std::string_view());
  const bool known = strategy == "insert" || strategy == "update" || strategy == "upsert";
  return known ? "" : "the strategy is \"insert\", \"update\" or \"upsert\"";
}

Value stringify_all(Evaluation& in, const Call& call) {
  return edit_map(in, call, [&in](AttributeList& map, Arena& memory) {
    map.each([&](Item& item) {
      const AnyValueView value(item.value);
      if (value.type() == AnyValueView::Type::string) return;
      const std::string text = sluice::text_of(value);
      if (const auto bytes = encoded(Value::of_string(text), in.arena))
        map.change(item, *bytes, memory);
    });
    return Value();
  });
}

Value truncate_all(Evaluation& in, const Call& call) {
  const auto most = static_cast<std::size_t>(call.literal(1, std::int64_t{0}));
  const bool whole_characters = call.literal(2, true);
  const std::string_view marker = call.literal(3, std::string_view());
  return edit_map(in, call, [&](AttributeList& map, Arena& memory) {
    map.each([&](Item& item) {
      const AnyValueView value(item.value);
      const std::string_view text = value.string();
      if (value.type() != AnyValueView::Type::string || text.size() <= most) return;
      std::size_t end = most - marker.size();
      while (whole_characters && end > 0 && !begins_character(text[end])) --end;
      in.text.assign(text.substr(0, end)).append(marker);
      if (const auto bytes = encoded(Value::of_string(in.text), in.arena))
        map.change(item, *bytes, memory);
    });
    return Value();
  });
}

std::string check_truncate(Call& call) {
  const std::int64_t most = call.literal(1, std::int64_t{0});
  if (most < 0) return "the limit cannot be negative";
  if (call.literal(3, std::string_view()).size() > static_cast<std::size_t>(most))
    return "the truncation marker is longer than the limit";
  return {};
}

Value delete_index(Evaluation& in, const Call& call) {
  const Value list = call.path(0).get(in);
  if (list.failed()) return list;
  if (list.type != Type::list) return in.mismatch("a list", list.type);
  const Value start = call.argument(in, 1);
  if (start.failed()) return start;
  const Value end = call.has(2) ? call.argument(in, 2) : Value::of_integer(start.integer + 1);
  if (end.failed()) return end;
  const auto count = static_cast<std::int64_t>(count_of(list));
  const bool all = start.integer == 0 && end.integer == count;
  if (!all && (start.integer < 0 || start.integer >= count || end.integer < start.integer ||
               end.integer > count))
    return in.fail("the range is out of bounds");
  ListBuilder kept;
  Items items(list);
  for (std::int64_t at = 0; const auto item = items.next(); ++at) {
    if (at < start.integer || at >= end.integer) kept.add(*item);
  }
  return call.path(0).set(in, kept.finish(in.arena));
}

}  // namespace sluice::ottl::library
