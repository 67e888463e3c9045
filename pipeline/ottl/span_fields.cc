// The fields of a span itself.
#include <algorithm>
#include <array>
#include <string>

#include "pipeline/codec/hex.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/wire.h"
#include "pipeline/ottl/fields.h"

namespace sluice::ottl {
namespace {

constexpr std::size_t trace_id_size = 16, span_id_size = 8;
constexpr std::string_view zeros = std::string_view("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);

/// Reads one field: from the span as it came, or from the bytes that a statement put in its place.
template <typename Read>
auto read(Evaluation& in, std::uint32_t number, Read read_from) {
  const std::string_view holder = in.span.holder_of(number);
  if (holder.data() == in.span.message().data()) return read_from(in.span_view());
  return read_from(SpanView(holder));
}

void put(Evaluation& in, const NewField& field) { in.span.set_field(field); }

// --- Ids --------------------------------------------------------------------------------------

std::string_view id_of(Evaluation& in, std::uint32_t number) {
  const std::string_view id = read(in, number, [number](const SpanView& span) {
    return number == otlp::span::trace_id  ? span.trace_id()
           : number == otlp::span::span_id ? span.span_id()
                                           : span.parent_span_id();
  });
  return id.empty() ? zeros.substr(0, span_id_size) : id;
}

Value hex_of(Evaluation& in, std::uint32_t number) {
  const std::string_view id = id_of(in, number);
  char* const out = in.arena.take(2 * id.size());
  hex::encode(id, out);
  return Value::of_string({out, 2 * id.size()});
}

Value set_id(Evaluation& in, std::uint32_t number, std::string_view id) {
  const bool zero = zeros.starts_with(id);
  if (zero && number != otlp::span::parent_span_id) return in.fail("a span's id cannot be zero");
  put(in, text_field(number, zero ? std::string_view() : id, in.span.memory));
  return {};
}

Value set_id(Evaluation& in, const Value& value, std::uint32_t number, Type type) {
  const Value id = expect(in, value, type);
  return id.failed() ? id : set_id(in, number, id.text);
}

Value set_hex(Evaluation& in, const Value& value, std::uint32_t number, std::size_t size) {
  const Value digits = expect(in, value, Type::string);
  if (digits.failed()) return digits;
  std::array<char, trace_id_size> id;
  if (digits.text.size() != 2 * size || !hex::decode(digits.text, id.data()))
    return in.fail("expected ", std::to_string(2 * size), " hexadecimal digits");
  return set_id(in, number, std::string_view(id.data(), size));
}

// --- Kind and status --------------------------------------------------------------------------

constexpr std::string_view kinds[] = {"Unspecified", "Internal", "Server",
                                      "Client",      "Producer", "Consumer"};
constexpr std::string_view old_kinds[] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                          "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                          "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};

std::int64_t kind_of(Evaluation& in) {
  return static_cast<std::int64_t>(
      read(in, otlp::span::kind, [](const SpanView& span) { return span.kind(); }));
}

Value kind_name(Evaluation& in, std::span<const std::string_view> names) {
  const auto kind = static_cast<std::size_t>(kind_of(in));
  return Value::of_string(kind < names.size() ? names[kind] : std::string_view(""));
}

Value set_kind(Evaluation& in, std::int64_t kind) {
  // As protobuf writes an enumeration: 32 bits, with their sign.
  const auto bits = static_cast<std::uint64_t>(std::int64_t{static_cast<std::int32_t>(kind)});
  put(in, varint_field(otlp::span::kind, bits, in.span.memory));
  return {};
}

Value set_kind_name(Evaluation& in, const Value& value, std::span<const std::string_view> names) {
  const Value name = expect(in, value, Type::string);
  if (name.failed()) return name;
  const auto found = std::ranges::find(names, name.text);
  if (found == names.end()) return in.fail("unknown kind of span: ", name.text);
  return set_kind(in, found - names.begin());
}

Value status_of(Evaluation& in) {
  return read(in, otlp::span::status, [](const SpanView& span) {
    Value status = Value::of(Type::status, static_cast<std::int64_t>(span.status_code()));
    status.text = span.status_message();
    return status;
  });
}

Value set_status(Evaluation& in, std::int64_t code, std::string_view message) {
  Arena& memory = in.span.memory;
  const auto bits = static_cast<std::uint64_t>(std::int64_t{static_cast<std::int32_t>(code)});
  const std::string content =
      std::string(text_field(otlp::status::message, message, memory).whole) +
      std::string(varint_field(otlp::status::code, bits, memory).whole);
  put(in, text_field(otlp::span::status, content, memory));
  return {};
}

// --- Times, counts, texts ---------------------------------------------------------------------

Value nanos_of_span(Evaluation& in, std::uint32_t number, Type type) {
  const std::uint64_t nanos = read(in, number, [number](const SpanView& span) {
    return number == otlp::span::start_time ? span.start_time_unix_nano()
                                            : span.end_time_unix_nano();
  });
  return Value::of(type, static_cast<std::int64_t>(nanos));
}

Value set_nanos(Evaluation& in, const Value& value, std::uint32_t number, Type type) {
  const Value time = expect(in, value, type);
  if (time.failed()) return time;
  put(in, fixed64_field(number, static_cast<std::uint64_t>(time.integer), in.span.memory));
  return {};
}

Value count_in_span(Evaluation& in, std::uint32_t number) {
  return Value::of_integer(read(in, number, [number](const SpanView& span) {
    return number == otlp::span::dropped_attributes_count ? span.dropped_attributes_count()
           : number == otlp::span::dropped_events_count   ? span.dropped_events_count()
                                                          : span.dropped_links_count();
  }));
}

Value set_count(Evaluation& in, const Value& value, std::uint32_t number) {
  const Value count = expect(in, value, Type::integer);
  if (count.failed()) return count;
  put(in, varint_field(number, static_cast<std::uint32_t>(count.integer), in.span.memory));
  return {};
}

Value set_text(Evaluation& in, const Value& value, std::uint32_t number) {
  const Value text = expect(in, value, Type::string);
  if (text.failed()) return text;
  put(in, text_field(number, text.text, in.span.memory));
  return {};
}

Value set_flags(Evaluation& in, const Value& value) {
  const Value flags = expect(in, value, Type::integer);
  if (flags.failed()) return flags;
  if (flags.integer < 0 || flags.integer > UINT32_MAX) return in.fail("flags have 32 bits");
  put(in,
      fixed32_field(otlp::span::flags, static_cast<std::uint32_t>(flags.integer), in.span.memory));
  return {};
}

/// Events and links are there to be counted, or to be emptied.
Value repeated(Evaluation& in, std::uint32_t number, Type type) {
  Value value = Value::of(type, in.span.holder_of(number));
  value.field = number;
  return value;
}

Value set_repeated(Evaluation& in, const Value& value, std::uint32_t number, Type type) {
  if (value.type == Type::list && value.text.empty()) {
    put(in, {number, wire::Type::length, {}});
    return {};
  }
  return expect(in, value, type);  // only those of the span itself are ever at hand
}

template <std::uint32_t number, Type type>
Value get_nanos(Evaluation& in) {
  return nanos_of_span(in, number, type);
}
template <std::uint32_t number, Type type>
Value put_nanos(Evaluation& in, const Value& value) {
  return set_nanos(in, value, number, type);
}
template <std::uint32_t number>
Value get_count(Evaluation& in) {
  return count_in_span(in, number);
}
template <std::uint32_t number>
Value put_count(Evaluation& in, const Value& value) {
  return set_count(in, value, number);
}
template <std::uint32_t number, Type type>
Value get_id(Evaluation& in) {
  return Value::of(type, id_of(in, number));
}
template <std::uint32_t number, Type type>
Value put_id(Evaluation& in, const Value& value) {
  return set_id(in, value, number, type);
}
template <std::uint32_t number>
Value get_hex(Evaluation& in) {
  return hex_of(in, number);
}
template <std::uint32_t number, std::size_t size>
Value put_hex(Evaluation& in, const Value& value) {
  return set_hex(in, value, number, size);
}
template <std::uint32_t number, Type type>
Value get_repeated(Evaluation& in) {
  return repeated(in, number, type);
}
template <std::uint32_t number, Type type>
Value put_repeated(Evaluation& in, const Value& value) {
  return set_repeated(in, value, number, type);
}
template <std::uint32_t number>
Value put_text(Evaluation& in, const Value& value) {
  return set_text(in, value, number);
}

Value get_name(Evaluation& in) {
  return Value::of_string(
      read(in, otlp::span::name, [](const SpanView& span) { return span.name(); }));
}
Value get_trace_state(Evaluation& in) {
  return Value::of_string(
      read(in, otlp::span::trace_state, [](const SpanView& span) { return span.trace_state(); }));
}
Value get_flags(Evaluation& in) {
  return Value::of_integer(
      read(in, otlp::span::flags, [](const SpanView& span) { return span.flags(); }));
}

namespace f = otlp::span;
constexpr Field fields[] = {
    {"span", "trace_id", Type::trace_id, get_id<f::trace_id, Type::trace_id>,
     put_id<f::trace_id, Type::trace_id>},
    {"span", "trace_id.string", Type::string, get_hex<f::trace_id>,
     put_hex<f::trace_id, trace_id_size>},
    {"span", "span_id", Type::span_id, get_id<f::span_id, Type::span_id>,
     put_id<f::span_id, Type::span_id>},
    {"span", "span_id.string", Type::string, get_hex<f::span_id>,
     put_hex<f::span_id, span_id_size>},
    {"span", "parent_span_id", Type::span_id, get_id<f::parent_span_id, Type::span_id>,
     put_id<f::parent_span_id, Type::span_id>},
    {"span", "parent_span_id.string", Type::string, get_hex<f::parent_span_id>,
     put_hex<f::parent_span_id, span_id_size>},
    {"span", "trace_state", Type::string, get_trace_state, put_text<f::trace_state>},
    {"span", "name", Type::string, get_name, put_text<f::name>},
    {"span", "kind", Type::integer, [](Evaluation& in) { return Value::of_integer(kind_of(in)); },
     [](Evaluation& in, const Value& value) {
       const Value kind = expect(in, value, Type::integer);
       return kind.failed() ? kind : set_kind(in, kind.integer);
     }},
    {"span", "kind.string", Type::string, [](Evaluation& in) { return kind_name(in, kinds); },
     [](Evaluation& in, const Value& value) { return set_kind_name(in, value, kinds); }},
    {"span", "kind.deprecated_string", Type::string,
     [](Evaluation& in) { return kind_name(in, old_kinds); },
     [](Evaluation& in, const Value& value) { return set_kind_name(in, value, old_kinds); }},
    {"span", "start_time", Type::time, get_nanos<f::start_time, Type::time>,
     put_nanos<f::start_time, Type::time>},
    {"span", "start_time_unix_nano", Type::integer, get_nanos<f::start_time, Type::integer>,
     put_nanos<f::start_time, Type::integer>},
    {"span", "end_time", Type::time, get_nanos<f::end_time, Type::time>,
     put_nanos<f::end_time, Type::time>},
    {"span", "end_time_unix_nano", Type::integer, get_nanos<f::end_time, Type::integer>,
     put_nanos<f::end_time, Type::integer>},
    {"span", "dropped_attributes_count", Type::integer, get_count<f::dropped_attributes_count>,
     put_count<f::dropped_attributes_count>},
    {"span", "events", Type::events, get_repeated<f::events, Type::events>,
     put_repeated<f::events, Type::events>},
    {"span", "dropped_events_count", Type::integer, get_count<f::dropped_events_count>,
     put_count<f::dropped_events_count>},
    {"span", "links", Type::links, get_repeated<f::links, Type::links>,
     put_repeated<f::links, Type::links>},
    {"span", "dropped_links_count", Type::integer, get_count<f::dropped_links_count>,
     put_count<f::dropped_links_count>},
    {"span", "status", Type::status, status_of,
     [](Evaluation& in, const Value& value) {
       const Value status = expect(in, value, Type::status);
       return status.failed() ? status : set_status(in, status.integer, status.text);
     }},
    {"span", "status.code", Type::integer,
     [](Evaluation& in) { return Value::of_integer(status_of(in).integer); },
     [](Evaluation& in, const Value& value) {
       const Value code = expect(in, value, Type::integer);
       return code.failed() ? code : set_status(in, code.integer, status_of(in).text);
     }},
    {"span", "status.message", Type::string,
     [](Evaluation& in) { return Value::of_string(status_of(in).text); },
     [](Evaluation& in, const Value& value) {
       const Value message = expect(in, value, Type::string);
       return message.failed() ? message : set_status(in, status_of(in).integer, message.text);
     }},
    {"span", "flags", Type::integer, get_flags, set_flags},
};

}  // namespace

std::span<const Field> span_fields() { return fields; }

}  // namespace sluice::ottl
