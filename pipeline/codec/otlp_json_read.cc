// OTLP/JSON to protobuf in one pass: what is read is written at once, so a message's fields stand
// in the order of the text and a member given twice is a field given twice, of which protobuf takes
// the last. A string is copied while its end is looked for. A nested message leaves room for its
// length, as much as messages of its kind usually need; where that was wrong the content moves by a
// byte or two.
//
// The output is smaller than the text: every element costs at least the two bytes of its braces or
// quotes and a comma, which pay for tag and length. The one exception are negative enum numbers
// (eleven bytes for ten), hence the eighth in `Reader`.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "pipeline/codec/json_fields.h"
#include "pipeline/codec/otlp_json.h"
#include "pipeline/model/otlp_fields.h"

namespace sluice {
namespace {

/// How many bytes a message's length usually takes.
constexpr std::size_t width_small = 1, width_span = 2, width_large = 3;

/// `key` has the size of `name`: the caller has switched on it.
template <std::size_t size>
bool is(std::string_view key, const char (&name)[size]) {
  return std::memcmp(key.data(), name, size - 1) == 0;
}

class Reader : private json::FieldWriter {
 public:
  Reader(std::string_view text, BufferWriter& out)
      : FieldWriter(text, out, text.size() / 2 + 64,
                    out.size() + text.size() + text.size() / 8 + 128) {}

  bool read() {
    const bool read_all = request() && in().at_end();
    finish();
    return read_all;
  }
  const std::string& error() { return in().error(); }

 private:
  using Body = bool (Reader::*)();

  // --- Messages. Each reads one object and writes its fields. ---
  bool request();
  bool resource_spans();
  bool resource();
  bool entity_ref();
  bool scope_spans();
  bool scope();
  bool span();
  bool event();
  bool link();
  bool status();
  bool key_value();
  bool any_value();
  bool array_value();
  bool kvlist_value();

  // --- What messages are made of. ---
  template <typename Member>
  bool members(Member member);
  template <typename Member>
  bool more_members(Member member);
  template <typename Value>
  bool unless_null(Value value);
  template <Body body>
  bool message(std::uint32_t number, std::size_t width);
  template <Body body>
  bool repeated(std::uint32_t number, std::size_t width);
};

// ---------------------------------------------------------------------------------------------------

bool Reader::request() {
  return members([this](std::string_view key) {
    switch (key.size()) {
      case 13:
        if (is(key, "resourceSpans"))
          return repeated<&Reader::resource_spans>(otlp::request::resource_spans, width_large);
        break;
      case 14:
        if (is(key, "resource_spans"))
          return repeated<&Reader::resource_spans>(otlp::request::resource_spans, width_large);
        break;
    }
    return in().skip();
  });
}

bool Reader::resource_spans() {
  return members([this](std::string_view key) {
    switch (key.size()) {
      case 8:
        if (is(key, "resource"))
          return message<&Reader::resource>(otlp::resource_spans::resource, width_small);
        break;
      case 9:
        if (is(key, "schemaUrl")) return string(otlp::resource_spans::schema_url);
        break;
      case 10:
        if (is(key, "scopeSpans"))
          return repeated<&Reader::scope_spans>(otlp::resource_spans::scope_spans, width_large);
        if (is(key, "schema_url")) return string(otlp::resource_spans::schema_url);
        break;
      case 11:
        if (is(key, "scope_spans"))
          return repeated<&Reader::scope_spans>(otlp::resource_spans::scope_spans, width_large);
        break;
    }
    return in().skip();
  });
}

bool Reader::resource() {
  return members([this](std::string_view key) {
    switch (key.size()) {
      case 10:
        if (is(key, "attributes"))
          return repeated<&Reader::key_value>(otlp::resource::attributes, width_small);
        if (is(key, "entityRefs"))
          return repeated<&Reader::entity_ref>(otlp::resource::entity_refs, width_small);
        break;
      case 11:
        if (is(key, "entity_refs"))
          return repeated<&Reader::entity_ref>(otlp::resource::entity_refs, width_small);
        break;
      case 22:
        if (is(key, "droppedAttributesCount"))
          return count(otlp::resource::dropped_attributes_count);
        break;
      case 24:
        if (is(key, "dropped_attributes_count"))
          return count(otlp::resource::dropped_attributes_count);
        break;
    }
    return in().skip();
  });
}

bool Reader::entity_ref() {
  return members([this](std::string_view key) {
    switch (key.size()) {
      case 4:
        if (is(key, "type")) return string(otlp::entity_ref::type);
        break;
      case 6:
        if (is(key, "idKeys")) return strings(otlp::entity_ref::id_keys);
        break;
      case 7:
        if (is(key, "id_keys")) return strings(otlp::entity_ref::id_keys);
        break;
      case 9:
        if (is(key, "schemaUrl")) return string(otlp::entity_ref::schema_url);
        break;
      case 10:
        if (is(key, "schema_url")) return string(otlp::entity_ref::schema_url);
        break;
      case 15:
        if (is(key, "descriptionKeys")) return strings(otlp::entity_ref::description_keys);
        break;
      case 16:
        if (is(key, "description_keys")) return strings(otlp::entity_ref::description_keys);
        break;
    }
    return in().skip();
  });
}

bool Reader::scope_spans() {
  return members([this](std::string_view key) {
    switch (key.size()) {
      case 5:
        if (is(key, "spans")) return repeated<&Reader::span>(otlp::scope_spans::spans, width_span);
        if (is(key, "scope")) return message<&Reader::scope>(otlp::scope_spans::scope, width_small);
        break;
      case 9:
        if (is(key, "schemaUrl")) return string(otlp::scope_spans::schema_url);
        break;
      case 10:
        if (is(key, "schema_url")) return string(otlp::scope_spans::schema_url);
        break;
    }
    return in().skip();
  });
}

bool Reader::scope() {
  return members([this](std::string_view key) {
    switch (key.size()) {
      case 4:
        if (is(key, "name")) return string(otlp::scope::name);
        break;
      case 7:
        if (is(key, "version")) return string(otlp::scope::version);
        break;
      case 10:
        if (is(key, "attributes"))
          return repeated<&Reader::key_value>(otlp::scope::attributes, width_small);
        break;
      case 22:
        if (is(key, "droppedAttributesCount")) return count(otlp::scope::dropped_attributes_count);
        break;
      case 24:
        if (is(key, "dropped_attributes_count"))
          return count(otlp::scope::dropped_attributes_count);
        break;
    }
    return in().skip();
  });
}

constexpr std::string_view span_kinds[] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                           "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                           "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};
constexpr std::string_view status_codes[] = {"STATUS_CODE_UNSET", "STATUS_CODE_OK",
                                             "STATUS_CODE_ERROR"};

bool Reader::span() {
  return members([this](std::string_view key) {
    switch (key.size()) {
      case 4:
        if (is(key, "name")) return string(otlp::span::name);
        if (is(key, "kind")) return enumeration(otlp::span::kind, span_kinds);
        break;
      case 5:
        if (is(key, "links")) return repeated<&Reader::link>(otlp::span::links, width_small);
        if (is(key, "flags")) return fixed32(otlp::span::flags);
        break;
      case 6:
        if (is(key, "spanId")) return identifier(otlp::span::span_id);
        if (is(key, "status")) return message<&Reader::status>(otlp::span::status, width_small);
        if (is(key, "events")) return repeated<&Reader::event>(otlp::span::events, width_small);
        break;
      case 7:
        if (is(key, "traceId")) return identifier(otlp::span::trace_id);
        if (is(key, "span_id")) return identifier(otlp::span::span_id);
        break;
      case 8:
        if (is(key, "trace_id")) return identifier(otlp::span::trace_id);
        break;
      case 10:
        if (is(key, "attributes"))
          return repeated<&Reader::key_value>(otlp::span::attributes, width_small);
        if (is(key, "traceState")) return string(otlp::span::trace_state);
        break;
      case 11:
        if (is(key, "trace_state")) return string(otlp::span::trace_state);
        break;
      case 12:
        if (is(key, "parentSpanId")) return identifier(otlp::span::parent_span_id);
        break;
      case 14:
        if (is(key, "parent_span_id")) return identifier(otlp::span::parent_span_id);
        break;
      case 15:
        if (is(key, "endTimeUnixNano")) return fixed64(otlp::span::end_time);
        break;
      case 17:
        if (is(key, "startTimeUnixNano")) return fixed64(otlp::span::start_time);
        if (is(key, "droppedLinksCount")) return count(otlp::span::dropped_links_count);
        break;
      case 18:
        if (is(key, "droppedEventsCount")) return count(otlp::span::dropped_events_count);
        if (is(key, "end_time_unix_nano")) return fixed64(otlp::span::end_time);
        break;
      case 19:
        if (is(key, "dropped_links_count")) return count(otlp::span::dropped_links_count);
        break;
      case 20:
        if (is(key, "start_time_unix_nano")) return fixed64(otlp::span::start_time);
        if (is(key, "dropped_events_count")) return count(otlp::span::dropped_events_count);
        break;
      case 22:
        if (is(key, "droppedAttributesCount")) return count(otlp::span::dropped_attributes_count);
        break;
      case 24:
        if (is(key, "dropped_attributes_count")) return count(otlp::span::dropped_attributes_count);
        break;
    }
    return in().skip();
  });
}

bool Reader::event() {
  return members([this](std::string_view key) {
    switch (key.size()) {
      case 4:
        if (is(key, "name")) return string(otlp::event::name);
        break;
      case 10:
        if (is(key, "attributes"))
          return repeated<&Reader::key_value>(otlp::event::attributes, width_small);
        break;
      case 12:
        if (is(key, "timeUnixNano")) return fixed64(otlp::event::time);
        break;
      case 14:
        if (is(key, "time_unix_nano")) return fixed64(otlp::event::time);
        break;
      case 22:
        if (is(key, "droppedAttributesCount")) return count(otlp::event::dropped_attributes_count);
        break;
      case 24:
        if (is(key, "dropped_attributes_count"))
          return count(otlp::event::dropped_attributes_count);
        break;
    }
    return in().skip();
  });
}

bool Reader::link() {
  return members([this](std::string_view key) {
    switch (key.size()) {
      case 5:
        if (is(key, "flags")) return fixed32(otlp::link::flags);
        break;
      case 6:
        if (is(key, "spanId")) return identifier(otlp::link::span_id);
        break;
      case 7:
        if (is(key, "traceId")) return identifier(otlp::link::trace_id);
        if (is(key, "span_id")) return identifier(otlp::link::span_id);
        break;
      case 8:
        if (is(key, "trace_id")) return identifier(otlp::link::trace_id);
        break;
      case 10:
        if (is(key, "attributes"))
          return repeated<&Reader::key_value>(otlp::link::attributes, width_small);
        if (is(key, "traceState")) return string(otlp::link::trace_state);
        break;
      case 11:
        if (is(key, "trace_state")) return string(otlp::link::trace_state);
        break;
      case 22:
        if (is(key, "droppedAttributesCount")) return count(otlp::link::dropped_attributes_count);
        break;
      case 24:
        if (is(key, "dropped_attributes_count")) return count(otlp::link::dropped_attributes_count);
        break;
    }
    return in().skip();
  });
}

bool Reader::status() {
  return members([this](std::string_view key) {
    switch (key.size()) {
      case 4:
        if (is(key, "code")) return enumeration(otlp::status::code, status_codes);
        break;
      case 7:
        if (is(key, "message")) return string(otlp::status::message);
        break;
    }
    return in().skip();
  });
}

bool Reader::key_value() {
  const auto value = [this] {
    return message<&Reader::any_value>(otlp::key_value::value, width_small);
  };
  if (in().take_first("{\"key\":")) {
    if (!unless_null([this] { return string(otlp::key_value::key); })) return false;
    if (in().take(",\"value\":") && !unless_null(value)) return false;
  } else if (!in().open_object()) {
    return false;
  }
  return more_members([&](std::string_view key) {
    switch (key.size()) {
      case 3:
        if (is(key, "key")) return string(otlp::key_value::key);
        break;
      case 5:
        if (is(key, "value")) return value();
        break;
    }
    return in().skip();
  });
}

bool Reader::any_value() {
  if (in().take_first("{\"stringValue\":")) {
    if (!unless_null([this] { return string(otlp::any_value::string_value); })) return false;
  } else if (!in().open_object()) {
    return false;
  }
  return more_members([this](std::string_view key) {
    switch (key.size()) {
      case 8:
        if (is(key, "intValue")) return signed_integer(otlp::any_value::int_value);
        break;
      case 9:
        if (is(key, "boolValue")) return boolean(otlp::any_value::bool_value);
        if (is(key, "int_value")) return signed_integer(otlp::any_value::int_value);
        break;
      case 10:
        if (is(key, "arrayValue"))
          return message<&Reader::array_value>(otlp::any_value::array_value, width_small);
        if (is(key, "bytesValue")) return bytes(otlp::any_value::bytes_value);
        if (is(key, "bool_value")) return boolean(otlp::any_value::bool_value);
        break;
      case 11:
        if (is(key, "stringValue")) return string(otlp::any_value::string_value);
        if (is(key, "doubleValue")) return real(otlp::any_value::double_value);
        if (is(key, "kvlistValue"))
          return message<&Reader::kvlist_value>(otlp::any_value::kvlist_value, width_small);
        if (is(key, "array_value"))
          return message<&Reader::array_value>(otlp::any_value::array_value, width_small);
        if (is(key, "bytes_value")) return bytes(otlp::any_value::bytes_value);
        break;
      case 12:
        if (is(key, "string_value")) return string(otlp::any_value::string_value);
        if (is(key, "double_value")) return real(otlp::any_value::double_value);
        if (is(key, "kvlist_value"))
          return message<&Reader::kvlist_value>(otlp::any_value::kvlist_value, width_small);
        break;
    }
    return in().skip();
  });
}

bool Reader::array_value() {
  return members([this](std::string_view key) {
    if (key == "values") return repeated<&Reader::any_value>(otlp::list::values, width_small);
    return in().skip();
  });
}

bool Reader::kvlist_value() {
  return members([this](std::string_view key) {
    if (key == "values") return repeated<&Reader::key_value>(otlp::list::values, width_small);
    return in().skip();
  });
}

// ---------------------------------------------------------------------------------------------------

/// Calls `member` with each key of an object; it reads the value. One that is null is as good as
/// absent.
template <typename Member>
bool Reader::members(Member member) {
  return in().open_object() && more_members(member);
}

template <typename Member>
bool Reader::more_members(Member member) {
  std::string_view key;
  while (in().next_key(key)) {
    if (!unless_null([&] { return member(key); })) return false;
  }
  return in().ok();
}

template <typename Value>
bool Reader::unless_null(Value value) {
  return in().peek() == 'n' ? in().literal("null") : value();
}

template <Reader::Body body>
bool Reader::message(std::uint32_t number, std::size_t width) {
  const std::size_t mark = begin(number, width);
  if (!(this->*body)()) return false;
  end(mark, width);
  return true;
}

/// An element that is null is an empty message.
template <Reader::Body body>
bool Reader::repeated(std::uint32_t number, std::size_t width) {
  if (!in().open_array()) return false;
  while (in().next_element()) {
    if (in().peek() == 'n') {
      if (!in().literal("null")) return false;
      end(begin(number, width_small), width_small);
    } else if (!message<body>(number, width)) {
      return false;
    }
  }
  return in().ok();
}

}  // namespace

bool otlp_json_to_proto(std::string_view json, BufferWriter& out, JsonReport& report) {
  const std::size_t before = out.size();
  Reader reader(json, out);
  if (reader.read()) return true;
  out.truncate(before);
  report.error = reader.error();
  return false;
}

}  // namespace sluice
