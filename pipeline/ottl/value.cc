#include "pipeline/ottl/value.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "pipeline/attributes/value.h"
#include "pipeline/codec/hex.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/wire.h"
#include "pipeline/ottl/clock.h"

namespace sluice::ottl {
namespace {

char* put_head(char* out, std::uint32_t number, wire::Type type, std::uint64_t value) {
  out = wire::write_varint(out, wire::tag(number, type));
  return wire::write_varint(out, value);
}

void append_head(std::string& out, std::uint32_t number, wire::Type type, std::uint64_t value) {
  std::array<char, 20> head;
  out.append(head.data(), put_head(head.data(), number, type, value));
}

void append_field(std::string& out, std::uint32_t number, std::string_view content) {
  append_head(out, number, wire::Type::length, content.size());
  out += content;
}

/// Entries of field `map.field` under the tag of field 1.
void append_entries(const Value& map, std::string& out) {
  if (map.field == otlp::list::values) {
    out += map.text;
    return;
  }
  FieldRange entries(map.text, map.field);
  while (const auto entry = entries.next()) append_field(out, otlp::list::values, entry->content);
}

/// The field of an AnyValue that holds a text of this type.
std::uint32_t text_field(Type type) {
  switch (type) {
    case Type::string: return otlp::any_value::string_value;
    case Type::bytes: return otlp::any_value::bytes_value;
    case Type::list: return otlp::any_value::array_value;
    case Type::map: return otlp::any_value::kvlist_value;
    default: return 0;
  }
}

/// Writes a scalar's AnyValue, at most 11 bytes; null for what is none.
char* put_scalar(const Value& value, char* out) {
  switch (value.type) {
    case Type::nil: return out;
    case Type::boolean:
      return put_head(out, otlp::any_value::bool_value, wire::Type::varint, value.boolean ? 1 : 0);
    case Type::integer:
      return put_head(out, otlp::any_value::int_value, wire::Type::varint,
                      static_cast<std::uint64_t>(value.integer));
    case Type::real:
      out = wire::write_varint(out, wire::tag(otlp::any_value::double_value, wire::Type::fixed64));
      std::memcpy(out, &value.real, sizeof value.real);
      return out + sizeof value.real;
    default: return nullptr;
  }
}
constexpr std::size_t scalar_size_max = 12;

/// JSON as the collector's encoder writes it: without markup in its texts, and with two digits in
/// an exponent.
std::string as_written_there(const std::string& json) {
  std::string out;
  bool in_text = false, escaped = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    switch (c) {
      case '<': out += "\\u003c"; break;
      case '>': out += "\\u003e"; break;
      case '&': out += "\\u0026"; break;
      default: out += c;
    }
    if (c == '"' && !escaped) in_text = !in_text;
    escaped = in_text && c == '\\' && !escaped;
    const bool exponent = !in_text && c == '-' && i > 0 && json[i - 1] == 'e';
    if (exponent && json.find_first_not_of("0123456789", i + 1) == i + 2) out += '0';
    if (exponent && i + 2 == json.size()) out += '0';
  }
  return out;
}

}  // namespace

std::string_view name_of(Type type) {
  switch (type) {
    case Type::failed: return "nothing";
    case Type::nil: return "nil";
    case Type::boolean: return "a boolean";
    case Type::integer: return "an integer";
    case Type::real: return "a double";
    case Type::string: return "a string";
    case Type::bytes: return "bytes";
    case Type::list: return "a list";
    case Type::map: return "a map";
    case Type::time: return "a time";
    case Type::duration: return "a duration";
    case Type::trace_id: return "a trace id";
    case Type::span_id: return "a span id";
    case Type::status: return "a status";
    case Type::events: return "events";
    case Type::links: return "links";
    case Type::any: return "a value";
  }
  return {};
}

Value decoded(const AnyValueView& view) {
  switch (view.type()) {
    case AnyValueView::Type::empty: return {};
    case AnyValueView::Type::string: return Value::of_string(view.string());
    case AnyValueView::Type::boolean: return Value::of_boolean(view.boolean());
    case AnyValueView::Type::integer: return Value::of_integer(view.integer());
    case AnyValueView::Type::real: return Value::of_real(view.real());
    case AnyValueView::Type::array: return Value::of(Type::list, view.string());
    case AnyValueView::Type::kvlist: return Value::of_map(view.string(), otlp::list::values);
    case AnyValueView::Type::bytes: return Value::of(Type::bytes, view.string());
  }
  return {};
}

std::optional<std::string_view> encoded(const Value& value, Arena& arena) {
  if (const std::uint32_t number = text_field(value.type); number != 0) {
    const std::string_view text =
        value.type == Type::map ? as_key_value_list(value, arena).text : value.text;
    char* const out = arena.take(text.size() + 11);
    char* const end = put_head(out, number, wire::Type::length, text.size());
    if (!text.empty()) std::memcpy(end, text.data(), text.size());
    return std::string_view(out, static_cast<std::size_t>(end - out) + text.size());
  }
  char* const out = arena.take(scalar_size_max);
  const char* const end = put_scalar(value, out);
  if (end == nullptr) return std::nullopt;
  return std::string_view(out, static_cast<std::size_t>(end - out));
}

bool append_encoded(const Value& value, std::string& out) {
  if (const std::uint32_t number = text_field(value.type); number != 0) {
    if (value.type == Type::map && value.field != otlp::list::values) {
      std::string entries;
      append_entries(value, entries);
      append_field(out, number, entries);
    } else {
      append_field(out, number, value.text);
    }
    return true;
  }
  std::array<char, scalar_size_max> bytes;
  const char* const end = put_scalar(value, bytes.data());
  if (end == nullptr) return false;
  out.append(static_cast<const char*>(bytes.data()), end);
  return true;
}

Value as_key_value_list(const Value& map, Arena& arena) {
  if (map.field == otlp::list::values) return map;
  std::string entries;
  append_entries(map, entries);
  return Value::of_map(arena.keep(entries), otlp::list::values);
}

std::optional<Value> Items::next() {
  const auto item = range_.next();
  return item ? std::optional(decoded(item->content)) : std::nullopt;
}

std::optional<Entries::Entry> Entries::next() {
  const auto entry = range_.next();
  if (!entry) return std::nullopt;
  return Entry{entry->key, decoded(entry->value())};
}

std::size_t count_of(const Value& list_or_map) {
  std::size_t count = 0;
  for (FieldRange range(list_or_map.text, list_or_map.field); range.next();) ++count;
  return count;
}

std::optional<Value> entry_of(const Value& map, std::string_view key) {
  const auto entry = find_attribute(map.text, map.field, key);
  return entry ? std::optional(decoded(entry->value())) : std::nullopt;
}

bool ListBuilder::add(const Value& value) {
  item_.clear();
  if (!append_encoded(value, item_)) return false;
  append_field(content_, otlp::list::values, item_);
  return true;
}

bool MapBuilder::put(std::string_view key, const Value& value) {
  std::string any;
  if (!append_encoded(value, any)) return false;
  const auto [place, fresh] = places_.emplace(key, entries_.size());
  if (fresh) {
    entries_.emplace_back(key, std::move(any));
  } else {
    entries_[place->second].second = std::move(any);
  }
  return true;
}

Value MapBuilder::finish(Arena& arena) const {
  std::string content;
  for (const auto& [key, value] : entries_)
    content += encoded_attribute(otlp::list::values, key, value);
  return Value::of_map(arena.keep(content), otlp::list::values);
}

std::optional<std::string_view> text_of(const Value& value, Arena& arena) {
  switch (value.type) {
    case Type::string: return value.text;
    case Type::boolean: return value.boolean ? "true" : "false";
    case Type::bytes: {
      char* const out = arena.take(2 * value.text.size());
      return std::string_view(out, static_cast<std::size_t>(hex::encode(value.text, out) - out));
    }
    case Type::integer:
    case Type::duration: return arena.keep(std::to_string(value.integer));
    case Type::time: return arena.keep('"' + rfc3339(value.integer) + '"');
    case Type::real:
      if (!std::isfinite(value.real)) return std::nullopt;
      [[fallthrough]];
    case Type::list:
    case Type::map: {
      std::string any;
      append_encoded(value, any);
      return arena.keep(as_written_there(sluice::text_of(AnyValueView(any))));
    }
    default: return std::nullopt;
  }
}

}  // namespace sluice::ottl
