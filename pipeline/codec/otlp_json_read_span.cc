// The messages of which a request has many: spans and what they hold.
#include "pipeline/codec/otlp_json_reader.h"
#include "pipeline/model/otlp_fields.h"

namespace sluice::otlp_json {
namespace {

constexpr std::string_view span_kinds[] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                           "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                           "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};
constexpr std::string_view status_codes[] = {"STATUS_CODE_UNSET", "STATUS_CODE_OK",
                                             "STATUS_CODE_ERROR"};

}  // namespace

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
        if (is(key, "attributes")) return attributes(otlp::span::attributes);
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
        if (is(key, "attributes")) return attributes(otlp::event::attributes);
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
        if (is(key, "attributes")) return attributes(otlp::link::attributes);
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

bool Reader::attributes(std::uint32_t number) {
  if (!in().open_array()) return false;
  while (in().next_element()) {
    if (!plain_attribute(number) && !element<&Reader::key_value>(number, width_small)) return false;
  }
  return in().ok();
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

}  // namespace sluice::otlp_json
