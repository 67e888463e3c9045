#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "pipeline/model/span_view.h"
#include "pipeline/ottl/arena.h"

namespace sluice::ottl {

enum class Type : std::uint8_t {
  failed,  ///< there is no value; the evaluation says why
  nil,
  boolean,
  integer,
  real,
  string,
  bytes,
  list,
  map,
  time,
  duration,
  trace_id,
  span_id,
  status,
  events,
  links,
  any,  ///< of an expression: known only when it is evaluated
};

/// "string", "a list": how messages name it.
std::string_view name_of(Type type);

/// What an expression gives. Borrows its text from the span, from the statement or from the
/// evaluation's arena, so it lives as long as the shortest of these. Lists and maps stay encoded:
/// `text` is the content of an ArrayValue, or a message that holds KeyValues in the field `field`
/// (so a span's attributes are a map without a copy).
struct Value {
  Type type = Type::nil;
  std::uint32_t field = 1;
  union {
    std::int64_t integer =
        0;  ///< time: nanoseconds since 1970; duration: nanoseconds; status: code
    double real;
    bool boolean;
  };
  std::string_view text;  ///< string, bytes, ids; status: the message; events, links: the span

  bool failed() const { return type == Type::failed; }
  bool is_nil() const { return type == Type::nil; }

  static Value failure() { return of(Type::failed); }
  static Value of(Type type) {
    Value value;
    value.type = type;
    return value;
  }
  static Value of(Type type, std::int64_t integer) {
    Value value = of(type);
    value.integer = integer;
    return value;
  }
  static Value of(Type type, std::string_view text) {
    Value value = of(type);
    value.text = text;
    return value;
  }
  static Value of_integer(std::int64_t integer) { return of(Type::integer, integer); }
  static Value of_string(std::string_view text) { return of(Type::string, text); }
  static Value of_boolean(bool boolean) {
    Value value = of(Type::boolean);
    value.boolean = boolean;
    return value;
  }
  static Value of_real(double real) {
    Value value = of(Type::real);
    value.real = real;
    return value;
  }
  static Value of_map(std::string_view message, std::uint32_t field) {
    Value value = of(Type::map, message);
    value.field = field;
    return value;
  }
};

/// The value that an AnyValue's content holds.
Value decoded(const AnyValueView& view);
/// Short texts and small numbers, most of what there is, are read here.
inline Value decoded(std::string_view any) {
  constexpr char string_tag = 1 << 3 | 2;  // any_value::string_value, length-delimited
  constexpr char int_tag = 3 << 3;         // any_value::int_value
  const auto byte = [any](std::size_t at) { return static_cast<unsigned char>(any[at]); };
  if (any.size() >= 2 && any.size() < 0x82 && any[0] == string_tag && byte(1) == any.size() - 2)
    return Value::of_string(any.substr(2));
  if (any.size() == 3 && any[0] == int_tag && byte(1) >= 0x80 && byte(2) < 0x80)
    return Value::of_integer((byte(1) & 0x7f) | byte(2) << 7);
  return decoded(AnyValueView(any));
}

/// The content of an AnyValue; nothing for a value that an attribute cannot hold (a time, an id).
std::optional<std::string_view> encoded(const Value& value, Arena& arena);
/// The same, behind what is in `out`.
bool append_encoded(const Value& value, std::string& out);

/// The same map with its entries in field 1, as in a KeyValueList.
Value as_key_value_list(const Value& map, Arena& arena);

/// The items of a list and the entries of a map, one by one.
class Items {
 public:
  explicit Items(const Value& list) : range_(list.text, list.field) {}
  std::optional<Value> next();

 private:
  FieldRange range_;
};
class Entries {
 public:
  explicit Entries(const Value& map) : range_(map.text, map.field) {}
  struct Entry {
    std::string_view key;
    Value value;
  };
  std::optional<Entry> next();

 private:
  AttributeRange range_;
};
std::size_t count_of(const Value& list_or_map);
/// The entry under `key`, if any.
std::optional<Value> entry_of(const Value& map, std::string_view key);

/// Builds what a list or a map literal, or a function, gives.
class ListBuilder {
 public:
  /// False for a value that a list cannot hold.
  bool add(const Value& value);
  Value finish(Arena& arena) const { return Value::of(Type::list, arena.keep(content_)); }

 private:
  std::string content_, item_;
};
class MapBuilder {
 public:
  /// A key that is there already gets the new value in its old place.
  bool put(std::string_view key, const Value& value);
  bool has(std::string_view key) const { return places_.contains(std::string(key)); }
  Value finish(Arena& arena) const;

 private:
  std::vector<std::pair<std::string, std::string>> entries_;
  std::unordered_map<std::string, std::size_t> places_;
};

/// The collector's text of a value (its StringLikeGetter): scalars plain, bytes in hexadecimal,
/// lists and maps as JSON. Nothing for what has none.
std::optional<std::string_view> text_of(const Value& value, Arena& arena);

enum class Comparison : std::uint8_t { equal, not_equal, less, less_equal, greater, greater_equal };
/// By OTTL's rules: numbers compare across types, all else only with its own type; what cannot be
/// compared is not equal, and nothing else.
bool compare(const Value& left, const Value& right, Comparison how);
inline bool equal(const Value& left, const Value& right) {
  return compare(left, right, Comparison::equal);
}

}  // namespace sluice::ottl
