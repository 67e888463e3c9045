#include "pipeline/attributes/value.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <vector>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/wire.h"

namespace sluice {
namespace {

using Type = AnyValueView::Type;

void append_varint(std::string& out, std::uint64_t value) {
  char bytes[10];
  out.append(bytes, wire::write_varint(bytes, value));
}

void append_field(std::string& out, std::uint32_t number, std::string_view content) {
  append_varint(out, wire::tag(number, wire::Type::length));
  append_varint(out, content.size());
  out += content;
}

std::string key_value(std::string_view key, std::string_view value) {
  std::string out;
  append_field(out, otlp::key_value::key, key);
  append_field(out, otlp::key_value::value, value);
  return out;
}

std::string encoded_scalar(const config::Node::Scalar& scalar) {
  switch (scalar.type) {
    case config::Node::Scalar::Type::null: return {};
    case config::Node::Scalar::Type::boolean: return encoded_boolean(scalar.boolean);
    case config::Node::Scalar::Type::integer: return encoded_integer(scalar.integer);
    case config::Node::Scalar::Type::real: return encoded_real(scalar.real);
    case config::Node::Scalar::Type::string: return encoded_string(scalar.string);
  }
  return {};
}

bool same_array(std::string_view left, std::string_view right) {
  FieldRange lefts(left, otlp::list::values);
  FieldRange rights(right, otlp::list::values);
  for (;;) {
    const std::optional<FieldRange::Field> one = lefts.next();
    const std::optional<FieldRange::Field> other = rights.next();
    if (!one || !other) return !one && !other;
    if (!same_value(AnyValueView(one->content), AnyValueView(other->content))) return false;
  }
}

/// Whether every entry of `left` is in `right`, with an equal value.
bool contained(std::string_view left, std::string_view right) {
  AttributeRange entries(left, otlp::list::values);
  while (const std::optional<KeyValueView> entry = entries.next()) {
    const std::optional<KeyValueView> other = find_attribute(right, otlp::list::values, entry->key);
    if (!other || !same_value(entry->value(), other->value())) return false;
  }
  return true;
}

std::size_t entry_count(std::string_view list) {
  std::size_t count = 0;
  for (FieldRange entries(list, otlp::list::values); entries.next();) ++count;
  return count;
}

}  // namespace

std::string encoded_string(std::string_view value) {
  std::string out;
  append_field(out, otlp::any_value::string_value, value);
  return out;
}

std::string encoded_boolean(bool value) {
  std::string out;
  append_varint(out, wire::tag(otlp::any_value::bool_value, wire::Type::varint));
  append_varint(out, value ? 1 : 0);
  return out;
}

std::string encoded_integer(std::int64_t value) {
  std::string out;
  append_varint(out, wire::tag(otlp::any_value::int_value, wire::Type::varint));
  append_varint(out, static_cast<std::uint64_t>(value));
  return out;
}

std::string encoded_real(double value) {
  std::string out;
  append_varint(out, wire::tag(otlp::any_value::double_value, wire::Type::fixed64));
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(bits >> shift & 0xff);
  return out;
}

std::string encoded_list(const std::vector<std::string>& texts) {
  std::string list;
  std::string out;
  for (const std::string& text : texts)
    append_field(list, otlp::list::values, encoded_string(text));
  append_field(out, otlp::any_value::array_value, list);
  return out;
}

std::string encoded_value(const config::Node& node) {
  std::string list;
  std::string out;
  if (node.kind() == config::Node::Kind::list) {
    for (const config::Node& item : node.list())
      append_field(list, otlp::list::values, encoded_value(item));
    append_field(out, otlp::any_value::array_value, list);
  } else if (node.kind() == config::Node::Kind::map) {
    for (const auto& [key, value] : node.entries()) {
      append_field(list, otlp::list::values, key_value(key, encoded_value(value)));
    }
    append_field(out, otlp::any_value::kvlist_value, list);
  } else if (const std::optional<config::Node::Scalar> scalar = node.scalar()) {
    out = encoded_scalar(*scalar);
  }
  return out;
}

std::string encoded_attribute(std::uint32_t number, std::string_view key, std::string_view value) {
  std::string out;
  append_field(out, number, key_value(key, value));
  return out;
}

bool same_value(const AnyValueView& left, const AnyValueView& right) {
  if (left.type() != right.type()) return false;
  switch (left.type()) {
    case Type::empty: return true;
    case Type::boolean: return left.boolean() == right.boolean();
    case Type::integer: return left.integer() == right.integer();
    case Type::real: return left.real() == right.real();
    case Type::string:
    case Type::bytes: return left.string() == right.string();
    case Type::array: return same_array(left.string(), right.string());
    case Type::kvlist:
      return entry_count(left.string()) == entry_count(right.string()) &&
             contained(left.string(), right.string());
  }
  return false;
}

}  // namespace sluice
