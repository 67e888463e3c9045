// Views over messages that were validated down to the span's own fields; what lies deeper is
// checked here. Rules that hold everywhere: the last value of a singular field wins, a field in the
// wrong wire type is unknown and ignored, reading stops at the first malformed byte. A singular
// message that occurs again merges (status: field by field; a KeyValue's value: the last that is
// not empty, which is protobuf's merge of a oneof, except that two lists one behind the other do
// not grow together).

#include "pipeline/model/span_view.h"

#include <bit>

#include "pipeline/model/attribute_walk.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/usual_span.h"
#include "pipeline/model/wire.h"

namespace sluice {
namespace {

using wire::Cursor;
using wire::Field;
using wire::Type;

constexpr std::uint32_t key_of(std::uint32_t number, Type type) { return wire::tag(number, type); }
std::uint32_t key_of(const Field& field) { return wire::tag(field.number, field.type); }

bool all_zero(std::string_view id) {
  constexpr std::string_view zeros("\0\0\0\0\0\0\0\0", 8);
  return id.size() == zeros.size() ? id == zeros
                                   : id.find_first_not_of('\0') == std::string_view::npos;
}

std::uint32_t read_uint32(std::string_view message, std::uint32_t number) {
  Cursor cursor(message);
  Field field;
  std::uint32_t value = 0;
  while (cursor.next(field)) {
    if (field.is(number, Type::varint)) value = static_cast<std::uint32_t>(field.value);
  }
  return value;
}

struct Status {
  std::string_view message;
  std::int32_t code = 0;

  void merge(std::string_view content) {
    Cursor cursor(content);
    Field field;
    while (cursor.next(field)) {
      if (field.is(otlp::status::message, Type::length)) message = field.content;
      if (field.is(otlp::status::code, Type::varint)) code = static_cast<std::int32_t>(field.value);
    }
  }
};

}  // namespace

AnyValueView::AnyValueView(std::string_view message) {
  Cursor cursor(message);
  Field field;
  while (cursor.next(field)) {
    switch (key_of(field)) {
      case key_of(otlp::any_value::string_value, wire::Type::length):
        type_ = Type::string;
        payload_ = field.content;
        break;
      case key_of(otlp::any_value::bool_value, wire::Type::varint):
        type_ = Type::boolean;
        number_ = field.value != 0;
        break;
      case key_of(otlp::any_value::int_value, wire::Type::varint):
        type_ = Type::integer;
        number_ = static_cast<std::int64_t>(field.value);
        break;
      case key_of(otlp::any_value::double_value, wire::Type::fixed64):
        type_ = Type::real;
        number_ = static_cast<std::int64_t>(field.value);
        break;
      case key_of(otlp::any_value::array_value, wire::Type::length):
        type_ = Type::array;
        payload_ = field.content;
        break;
      case key_of(otlp::any_value::kvlist_value, wire::Type::length):
        type_ = Type::kvlist;
        payload_ = field.content;
        break;
      case key_of(otlp::any_value::bytes_value, wire::Type::length):
        type_ = Type::bytes;
        payload_ = field.content;
        break;
      default: break;
    }
  }
  if (!cursor.ok()) *this = {};
}

double AnyValueView::real() const { return std::bit_cast<double>(number_); }

std::optional<FieldRange::Field> FieldRange::next() {
  Cursor cursor(rest_);
  wire::Field field;
  while (cursor.next(field)) {
    if (!field.is(field_, wire::Type::length)) continue;
    rest_.remove_prefix(static_cast<std::size_t>(cursor.at() - rest_.data()));
    return Field{field.whole, field.content};
  }
  rest_ = {};
  return std::nullopt;
}

std::optional<KeyValueView> AttributeRange::next() {
  const auto field = fields_.next();
  if (!field) return std::nullopt;
  return read_key_value(*field);
}

KeyValueView read_any_key_value(FieldRange::Field field) {
  KeyValueView view{.field = field.whole};
  Cursor cursor(field.content);
  Field own;
  while (cursor.next(own)) {
    if (own.type != Type::length) continue;
    if (own.number == otlp::key_value::key) view.key = own.content;
    if (own.number != otlp::key_value::value) continue;
    view.has_value = true;
    if (!own.content.empty()) view.value_message = own.content;
  }
  return view;
}

std::optional<KeyValueView> find_attribute(std::string_view message, std::uint32_t number,
                                           std::string_view key) {
  std::optional<KeyValueView> found;
  each_attribute(message, number, [&](const KeyValueView& attribute) {
    if (!same_key(attribute.key, key)) return true;
    found = attribute;
    return false;
  });
  return found;
}

SpanView::SpanView(std::string_view message) : SpanView(message, SpanEntry::unknown_tail) {}

SpanView::SpanView(std::string_view message, std::uint8_t tail) : message_(message) {
  const UsualSpan usual(message, tail);
  trace_id_ = usual.trace_id;
  span_id_ = usual.span_id;
  parent_span_id_ = usual.parent_span_id;
  name_ = usual.name;
  kind_ = usual.kind();
  start_ = usual.start();
  end_ = usual.end();
  flags_ = usual.flags;
  has_status_ = usual.has_status;
  Status status;
  if (!usual.status.empty()) status.merge(usual.status);
  Cursor cursor(usual.rest());
  Field field;
  while (cursor.next(field)) {
    switch (key_of(field)) {
      case key_of(otlp::span::trace_id, Type::length): trace_id_ = field.content; break;
      case key_of(otlp::span::span_id, Type::length): span_id_ = field.content; break;
      case key_of(otlp::span::trace_state, Type::length): trace_state_ = field.content; break;
      case key_of(otlp::span::parent_span_id, Type::length): parent_span_id_ = field.content; break;
      case key_of(otlp::span::name, Type::length): name_ = field.content; break;
      case key_of(otlp::span::kind, Type::varint):
        kind_ = static_cast<std::int32_t>(field.value);
        break;
      case key_of(otlp::span::start_time, Type::fixed64): start_ = field.value; break;
      case key_of(otlp::span::end_time, Type::fixed64): end_ = field.value; break;
      case key_of(otlp::span::flags, Type::fixed32):
        flags_ = static_cast<std::uint32_t>(field.value);
        break;
      case key_of(otlp::span::dropped_attributes_count, Type::varint):
        dropped_attributes_ = static_cast<std::uint32_t>(field.value);
        break;
      case key_of(otlp::span::dropped_events_count, Type::varint):
        dropped_events_ = static_cast<std::uint32_t>(field.value);
        break;
      case key_of(otlp::span::dropped_links_count, Type::varint):
        dropped_links_ = static_cast<std::uint32_t>(field.value);
        break;
      case key_of(otlp::span::status, Type::length):
        has_status_ = true;
        status.merge(field.content);
        break;
      default: break;
    }
  }
  status_message_ = status.message;
  status_code_ = status.code;
  if (all_zero(parent_span_id_)) parent_span_id_ = {};
}

AttributeRange SpanView::attributes() const { return {message_, otlp::span::attributes}; }
FieldRange SpanView::events() const { return {message_, otlp::span::events}; }
FieldRange SpanView::links() const { return {message_, otlp::span::links}; }

std::optional<KeyValueView> SpanView::attribute(std::string_view key) const {
  return find_attribute(message_, otlp::span::attributes, key);
}

EventView::EventView(std::string_view content) : message(content) {
  Cursor cursor(content);
  Field field;
  while (cursor.next(field)) {
    switch (key_of(field)) {
      case key_of(otlp::event::time, Type::fixed64): time_unix_nano = field.value; break;
      case key_of(otlp::event::name, Type::length): name = field.content; break;
      case key_of(otlp::event::dropped_attributes_count, Type::varint):
        dropped_attributes_count = static_cast<std::uint32_t>(field.value);
        break;
      default: break;
    }
  }
}

AttributeRange EventView::attributes() const { return {message, otlp::event::attributes}; }

LinkView::LinkView(std::string_view content) : message(content) {
  Cursor cursor(content);
  Field field;
  while (cursor.next(field)) {
    switch (key_of(field)) {
      case key_of(otlp::link::trace_id, Type::length): trace_id = field.content; break;
      case key_of(otlp::link::span_id, Type::length): span_id = field.content; break;
      case key_of(otlp::link::trace_state, Type::length): trace_state = field.content; break;
      case key_of(otlp::link::flags, Type::fixed32):
        flags = static_cast<std::uint32_t>(field.value);
        break;
      case key_of(otlp::link::dropped_attributes_count, Type::varint):
        dropped_attributes_count = static_cast<std::uint32_t>(field.value);
        break;
      default: break;
    }
  }
}

AttributeRange LinkView::attributes() const { return {message, otlp::link::attributes}; }

ScopeView::ScopeView(std::string_view content) : message(content) {
  Cursor cursor(content);
  Field field;
  while (cursor.next(field)) {
    switch (key_of(field)) {
      case key_of(otlp::scope::name, Type::length): name = field.content; break;
      case key_of(otlp::scope::version, Type::length): version = field.content; break;
      case key_of(otlp::scope::dropped_attributes_count, Type::varint):
        dropped_attributes_count = static_cast<std::uint32_t>(field.value);
        break;
      default: break;
    }
  }
}

AttributeRange ScopeView::attributes() const { return {message, otlp::scope::attributes}; }

std::uint32_t ResourceView::dropped_attributes_count() const {
  return read_uint32(message, otlp::resource::dropped_attributes_count);
}

AttributeRange ResourceView::attributes() const { return {message, otlp::resource::attributes}; }

std::optional<KeyValueView> ResourceView::attribute(std::string_view key) const {
  return find_attribute(message, otlp::resource::attributes, key);
}

}  // namespace sluice
