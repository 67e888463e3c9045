// `flatten`: nested maps and lists to one level, keys joined with dots.
#include <limits>
#include <string>
#include <unordered_map>

#include "pipeline/ottl/library.h"

namespace sluice::ottl::library {
namespace {

class Flattener {
 public:
  Flattener(std::int64_t depth_max, bool resolve_conflicts)
      : depth_max_(depth_max), resolve_conflicts_(resolve_conflicts) {}

  void add_map(const Value& map, std::string prefix, std::int64_t depth) {
    if (!prefix.empty()) prefix += '.';
    Entries entries(map);
    while (const auto entry = entries.next())
      add(prefix + std::string(entry->key), entry->value, depth);
  }
  Value finish(Arena& arena) const { return result_.finish(arena); }

 private:
  void add(const std::string& key, const Value& value, std::int64_t depth) {
    const bool open = depth < depth_max_ && depth < value_depth_max;
    if (open && value.type == Type::map) {
      add_map(value, key, depth + 1);
    } else if (open && value.type == Type::list) {
      add_items(key, value, depth);
    } else {
      put(key, value);
    }
  }

  /// Conflicts are resolved over the list's own key where its items are plain.
  void add_items(const std::string& key, const Value& list, std::int64_t depth) {
    Items items(list);
    for (std::size_t i = 0; const auto item = items.next(); ++i) {
      const std::string numbered = key + '.' + std::to_string(i);
      const bool open = depth + 1 < depth_max_ && depth + 1 < value_depth_max;
      if (open && item->type == Type::map) {
        add_map(*item, numbered, depth + 2);
      } else if (open && item->type == Type::list) {
        add_inner_items(numbered, *item, depth + 3);
      } else {
        put(resolve_conflicts_ ? key : numbered, *item);
      }
    }
  }

  /// The items of a list in a list have no dot before their number: the collector's keys.
  void add_inner_items(const std::string& key, const Value& list, std::int64_t depth) {
    Items items(list);
    for (std::size_t i = 0; const auto item = items.next(); ++i)
      add(key + std::to_string(i), *item, depth);
  }

  void put(const std::string& key, const Value& value) {
    if (!resolve_conflicts_ || !result_.has(key)) {
      result_.put(key, value);
      return;
    }
    result_.put(key + '.' + std::to_string(repeats_[key]++), value);
  }

  const std::int64_t depth_max_;
  const bool resolve_conflicts_;
  MapBuilder result_;
  std::unordered_map<std::string, std::size_t> repeats_;
};

bool is_flat(const AttributeList& map, Arena& arena) {
  Entries entries(map.as_map(arena));
  while (const auto entry = entries.next()) {
    if (entry->value.type == Type::map || entry->value.type == Type::list) return false;
  }
  return true;
}

}  // namespace

Value flatten(Evaluation& in, const Call& call) {
  const std::string prefix(call.literal(1, std::string_view()));
  const std::int64_t depth = call.literal(2, std::numeric_limits<std::int64_t>::max());
  auto edit = [&](AttributeList& map, Arena& memory) {
    if (prefix.empty() && is_flat(map, in.arena)) return Value();
    Flattener flattener(depth, call.literal(3, false));
    flattener.add_map(map.as_map(in.arena), prefix, 0);
    const Value flat = flattener.finish(in.arena);
    map.clear();
    Entries entries(flat);
    while (const auto entry = entries.next()) {
      if (const auto value = encoded(entry->value, in.arena)) map.set(entry->key, *value, memory);
    }
    return Value();
  };
  return call.path(0).edit_map(in, MapEdit(edit));
}

std::string check_flatten(Call& call) {
  return call.literal(2, std::int64_t{1}) < 1 ? "the depth must be at least 1" : "";
}

}  // namespace sluice::ottl::library
