// The fields of events, scopes, resources and of the request itself.
#include "pipeline/ottl/fields.h"

#include <map>
#include <string>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/wire.h"

namespace sluice::ottl {
namespace {

// --- What the tables have in common -----------------------------------------------------------

Value set_text(Evaluation& in, const Value& value, Draft& draft, std::uint32_t number) {
  const Value text = expect(in, value, Type::string);
  if (!text.failed()) draft.set_field(text_field(number, text.text, draft.memory));
  return text.failed() ? text : Value();
}

Value set_count(Evaluation& in, const Value& value, Draft& draft, std::uint32_t number) {
  const Value count = expect(in, value, Type::integer);
  if (count.failed()) return count;
  const auto bits = static_cast<std::uint32_t>(count.integer);
  draft.set_field(varint_field(number, bits, draft.memory));
  return {};
}

std::string_view text_in(const Draft& draft, std::uint32_t number) {
  std::string_view text;
  FieldRange fields(draft.holder_of(number), number);
  while (const auto field = fields.next()) text = field->content;
  return text;
}

// --- Events -----------------------------------------------------------------------------------

EventView event_with(const Evaluation& in, std::uint32_t number) {
  return EventView(in.event.holder_of(number));
}

Value event_nanos(Evaluation& in, Type type) {
  return Value::of(type,
                   static_cast<std::int64_t>(event_with(in, otlp::event::time).time_unix_nano));
}

Value set_event_time(Evaluation& in, const Value& value, Type type) {
  const Value time = expect(in, value, type);
  if (time.failed()) return time;
  in.event.set_field(
      fixed64_field(otlp::event::time, static_cast<std::uint64_t>(time.integer), in.event.memory));
  return {};
}

// --- Scopes -----------------------------------------------------------------------------------

ScopeView scope_with(const Evaluation& in, std::uint32_t number) {
  return ScopeView(in.scope.holder_of(number));
}

// --- The request ------------------------------------------------------------------------------

/// Names with the list of their values, in order of arrival.
template <typename Pairs>
Value map_of_lists(Evaluation& in, const Pairs& pairs) {
  std::map<std::string, ListBuilder> lists;
  for (const auto& [name, text] : pairs) lists[name].add(Value::of_string(text));
  MapBuilder map;
  for (const auto& [name, list] : lists) map.put(name, list.finish(in.arena));
  return map.finish(in.arena);
}

Value client_metadata(Evaluation& in) {
  if (in.request == nullptr) return Value::of_map({}, otlp::list::values);
  return map_of_lists(in, in.request->metadata);
}

Value client_address(Evaluation& in) {
  if (in.request == nullptr || in.request->peer.empty()) return {};
  return Value::of_string(in.request->peer);
}

Value client_auth(Evaluation& in) {
  MapBuilder map;
  if (in.request != nullptr) {
    for (const auto& [name, text] : in.request->auth) map.put(name, Value::of_string(text));
  }
  return map.finish(in.arena);
}

constexpr Field fields[] = {
    {"spanevent", "name", Type::string,
     [](Evaluation& in) { return Value::of_string(event_with(in, otlp::event::name).name); },
     [](Evaluation& in, const Value& value) {
       return set_text(in, value, in.event, otlp::event::name);
     }},
    {"spanevent", "time", Type::time, [](Evaluation& in) { return event_nanos(in, Type::time); },
     [](Evaluation& in, const Value& value) { return set_event_time(in, value, Type::time); }},
    {"spanevent", "time_unix_nano", Type::integer,
     [](Evaluation& in) { return event_nanos(in, Type::integer); },
     [](Evaluation& in, const Value& value) { return set_event_time(in, value, Type::integer); }},
    {"spanevent", "dropped_attributes_count", Type::integer,
     [](Evaluation& in) {
       return Value::of_integer(
           event_with(in, otlp::event::dropped_attributes_count).dropped_attributes_count);
     },
     [](Evaluation& in, const Value& value) {
       return set_count(in, value, in.event, otlp::event::dropped_attributes_count);
     }},
    {"spanevent", "event_index", Type::integer,
     [](Evaluation& in) { return Value::of_integer(in.event_index); }, nullptr},

    {"scope", "name", Type::string,
     [](Evaluation& in) { return Value::of_string(scope_with(in, otlp::scope::name).name); },
     [](Evaluation& in, const Value& value) {
       return set_text(in, value, in.scope, otlp::scope::name);
     }},
    {"scope", "version", Type::string,
     [](Evaluation& in) { return Value::of_string(scope_with(in, otlp::scope::version).version); },
     [](Evaluation& in, const Value& value) {
       return set_text(in, value, in.scope, otlp::scope::version);
     }},
    {"scope", "dropped_attributes_count", Type::integer,
     [](Evaluation& in) {
       return Value::of_integer(
           scope_with(in, otlp::scope::dropped_attributes_count).dropped_attributes_count);
     },
     [](Evaluation& in, const Value& value) {
       return set_count(in, value, in.scope, otlp::scope::dropped_attributes_count);
     }},
    {"scope", "schema_url", Type::string,
     [](Evaluation& in) {
       return Value::of_string(text_in(in.scope_extra, otlp::scope_spans::schema_url));
     },
     [](Evaluation& in, const Value& value) {
       return set_text(in, value, in.scope_extra, otlp::scope_spans::schema_url);
     }},

    {"resource", "dropped_attributes_count", Type::integer,
     [](Evaluation& in) {
       constexpr std::uint32_t number = otlp::resource::dropped_attributes_count;
       return Value::of_integer(
           ResourceView(in.resource.holder_of(number)).dropped_attributes_count());
     },
     [](Evaluation& in, const Value& value) {
       return set_count(in, value, in.resource, otlp::resource::dropped_attributes_count);
     }},
    {"resource", "schema_url", Type::string,
     [](Evaluation& in) {
       return Value::of_string(text_in(in.resource_extra, otlp::resource_spans::schema_url));
     },
     [](Evaluation& in, const Value& value) {
       return set_text(in, value, in.resource_extra, otlp::resource_spans::schema_url);
     }},

    {"otelcol", "client.metadata", Type::map, client_metadata, nullptr},
    {"otelcol", "client.addr", Type::any, client_address, nullptr},
    {"otelcol", "client.auth.attributes", Type::map, client_auth, nullptr},
};

}  // namespace

std::span<const Field> other_fields() { return fields; }

Value expect(Evaluation& in, const Value& value, Type type) {
  return value.type == type ? value : in.mismatch(name_of(type), value.type);
}

}  // namespace sluice::ottl
