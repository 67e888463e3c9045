// A batch as OTLP/JSON, straight from the wire through views. What protobuf's own JSON mapping
// leaves out is left out: fields with their default value. Nested messages appear where they are
// present on the wire, so that reading gives the same presence back. Unknown fields have no names
// and are lost here; they survive between protobuf doors.

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "pipeline/codec/base64.h"
#include "pipeline/codec/byte_sink.h"
#include "pipeline/codec/hex.h"
#include "pipeline/codec/json_scanner.h"
#include "pipeline/codec/otlp_json.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_view.h"
#include "pipeline/model/wire.h"
#include "pipeline/utf8.h"

namespace sluice {
namespace {

/// The last occurrence of a length-delimited field, which is the one that counts.
std::string_view last_content(std::string_view message, std::uint32_t field) {
  std::string_view content;
  FieldRange fields(message, field);
  while (const auto found = fields.next()) content = found->content;
  return content;
}

class Writer {
 public:
  Writer(const SpanBatch& batch, BufferWriter& out)
      : batch_(batch),
        out_(out, batch.wire_size() * 2 + 256, out.size() + batch.wire_size() * 3 + 512) {}

  std::uint64_t write();

 private:
  void resource_spans(const SpanEntry& entry);
  void scope_spans(const SpanEntry& entry);
  void resource(std::string_view message);
  void entity_ref(std::string_view message);
  void scope(std::string_view message);
  void span(const SpanView& span);
  void event(const EventView& event);
  void link(const LinkView& link);
  void status(const SpanView& span);
  void attributes(AttributeRange range) {
    list("\"attributes\":", range, [this](const KeyValueView& attribute) { key_value(attribute); });
  }
  void key_value(const KeyValueView& attribute);
  void any_value(const AnyValueView& value);

  // --- Members: each writes its key (quoted, with the colon) and its value; the plain ones unless
  // it has the default. ---
  void member(std::string_view key);
  void separate();
  template <typename Range, typename Write>
  void list(std::string_view key, Range range, Write write);
  void text(std::string_view key, std::string_view value);
  void identifier(std::string_view key, std::string_view bytes);
  void time(std::string_view key, std::uint64_t nanos);
  template <typename Integer>
  void number(std::string_view key, Integer value);

  void quoted(std::string_view value);
  void escape(char byte);
  template <typename Number>
  void digits(Number value);
  void real(double value);

  const SpanBatch& batch_;
  ByteSink out_;
  std::uint64_t repaired_ = 0;
  int depth_ = 0;
};

std::uint64_t Writer::write() {
  out_.put("{\"resourceSpans\":[");
  const SpanEntry* previous = nullptr;
  for (const SpanEntry& entry : batch_.spans()) {
    const bool same_scope = previous != nullptr && previous->scope == entry.scope;
    const bool same_resource = previous != nullptr && batch_.scopes()[previous->scope].resource ==
                                                          batch_.scopes()[entry.scope].resource;
    if (previous != nullptr && !same_scope) out_.put("]}");
    if (previous != nullptr && !same_resource) out_.put("]}");
    if (!same_resource) resource_spans(entry);
    if (!same_scope) scope_spans(entry);
    separate();
    span(batch_.view(entry));
    previous = &entry;
  }
  out_.put(previous == nullptr ? "]}" : "]}]}]}");
  out_.finish();
  return repaired_;
}

/// Up to the opening of the list of scopes.
void Writer::resource_spans(const SpanEntry& entry) {
  const ResourceEntry& occurrence = batch_.resource_of(entry);
  separate();
  out_.put('{');
  if (occurrence.has_resource) resource(batch_.bytes(occurrence.resource));
  text("\"schemaUrl\":",
       last_content(batch_.bytes(occurrence.extra), otlp::resource_spans::schema_url));
  member("\"scopeSpans\":");
  out_.put('[');
}

/// Up to the opening of the list of spans.
void Writer::scope_spans(const SpanEntry& entry) {
  const ScopeEntry& occurrence = batch_.scopes()[entry.scope];
  separate();
  out_.put('{');
  if (occurrence.has_scope) scope(batch_.bytes(occurrence.scope));
  text("\"schemaUrl\":",
       last_content(batch_.bytes(occurrence.extra), otlp::scope_spans::schema_url));
  member("\"spans\":");
  out_.put('[');
}

void Writer::resource(std::string_view message) {
  const ResourceView view(message);
  member("\"resource\":");
  out_.put('{');
  attributes(view.attributes());
  number("\"droppedAttributesCount\":", view.dropped_attributes_count());
  list("\"entityRefs\":", FieldRange(message, otlp::resource::entity_refs),
       [this](const FieldRange::Field& entity) { entity_ref(entity.content); });
  out_.put('}');
}

void Writer::entity_ref(std::string_view message) {
  const auto keys = [this](const FieldRange::Field& key) { quoted(key.content); };
  out_.put('{');
  text("\"schemaUrl\":", last_content(message, otlp::entity_ref::schema_url));
  text("\"type\":", last_content(message, otlp::entity_ref::type));
  list("\"idKeys\":", FieldRange(message, otlp::entity_ref::id_keys), keys);
  list("\"descriptionKeys\":", FieldRange(message, otlp::entity_ref::description_keys), keys);
  out_.put('}');
}

void Writer::scope(std::string_view message) {
  const ScopeView view(message);
  member("\"scope\":");
  out_.put('{');
  text("\"name\":", view.name);
  text("\"version\":", view.version);
  attributes(view.attributes());
  number("\"droppedAttributesCount\":", view.dropped_attributes_count);
  out_.put('}');
}

void Writer::span(const SpanView& span) {
  out_.put('{');
  identifier("\"traceId\":", span.trace_id());
  identifier("\"spanId\":", span.span_id());
  text("\"traceState\":", span.trace_state());
  identifier("\"parentSpanId\":", span.parent_span_id());
  number("\"flags\":", span.flags());
  text("\"name\":", span.name());
  number("\"kind\":", static_cast<std::int32_t>(span.kind()));
  time("\"startTimeUnixNano\":", span.start_time_unix_nano());
  time("\"endTimeUnixNano\":", span.end_time_unix_nano());
  attributes(span.attributes());
  number("\"droppedAttributesCount\":", span.dropped_attributes_count());
  list("\"events\":", span.events(),
       [this](const FieldRange::Field& found) { event(EventView(found.content)); });
  number("\"droppedEventsCount\":", span.dropped_events_count());
  list("\"links\":", span.links(),
       [this](const FieldRange::Field& found) { link(LinkView(found.content)); });
  number("\"droppedLinksCount\":", span.dropped_links_count());
  if (span.has_status()) status(span);
  out_.put('}');
}

void Writer::event(const EventView& event) {
  out_.put('{');
  time("\"timeUnixNano\":", event.time_unix_nano);
  text("\"name\":", event.name);
  attributes(event.attributes());
  number("\"droppedAttributesCount\":", event.dropped_attributes_count);
  out_.put('}');
}

void Writer::link(const LinkView& link) {
  out_.put('{');
  identifier("\"traceId\":", link.trace_id);
  identifier("\"spanId\":", link.span_id);
  text("\"traceState\":", link.trace_state);
  attributes(link.attributes());
  number("\"droppedAttributesCount\":", link.dropped_attributes_count);
  number("\"flags\":", link.flags);
  out_.put('}');
}

void Writer::status(const SpanView& span) {
  member("\"status\":");
  out_.put('{');
  text("\"message\":", span.status_message());
  number("\"code\":", static_cast<std::int32_t>(span.status_code()));
  out_.put('}');
}

void Writer::key_value(const KeyValueView& attribute) {
  out_.put('{');
  text("\"key\":", attribute.key);
  if (attribute.has_value) {
    member("\"value\":");
    any_value(attribute.value());
  }
  out_.put('}');
}

void Writer::any_value(const AnyValueView& value) {
  out_.put('{');
  const bool too_deep = ++depth_ > value_depth_max;
  switch (too_deep ? AnyValueView::Type::empty : value.type()) {
    case AnyValueView::Type::empty: break;
    case AnyValueView::Type::string:
      member("\"stringValue\":");
      quoted(value.string());
      break;
    case AnyValueView::Type::boolean:
      member("\"boolValue\":");
      out_.put(value.boolean() ? "true" : "false");
      break;
    case AnyValueView::Type::integer:
      member("\"intValue\":\"");
      digits(value.integer());
      out_.put('"');
      break;
    case AnyValueView::Type::real:
      member("\"doubleValue\":");
      real(value.real());
      break;
    case AnyValueView::Type::array:
      member("\"arrayValue\":{");
      list("\"values\":", FieldRange(value.string(), otlp::list::values),
           [this](const FieldRange::Field& found) { any_value(AnyValueView(found.content)); });
      out_.put('}');
      break;
    case AnyValueView::Type::kvlist:
      member("\"kvlistValue\":{");
      list("\"values\":", AttributeRange(value.string(), otlp::list::values),
           [this](const KeyValueView& found) { key_value(found); });
      out_.put('}');
      break;
    case AnyValueView::Type::bytes:
      member("\"bytesValue\":\"");
      out_.advance_to(
          base64::encode(value.string(), out_.room(base64::encoded_size(value.string().size()))));
      out_.put('"');
      break;
  }
  --depth_;
  out_.put('}');
}

// -------------------------------------------------------------------------------------------------

/// A comma, unless this is the first of its object or list; strings end in a quote, so the last
/// byte tells.
void Writer::separate() {
  const char last = *out_.at(out_.position() - 1);
  if (last != '{' && last != '[') out_.put(',');
}

void Writer::member(std::string_view key) {
  separate();
  out_.put(key);
}

template <typename Range, typename Write>
void Writer::list(std::string_view key, Range range, Write write) {
  bool any = false;
  while (const auto found = range.next()) {
    if (!std::exchange(any, true)) {
      member(key);
      out_.put('[');
    }
    separate();
    write(*found);
  }
  if (any) out_.put(']');
}

void Writer::text(std::string_view key, std::string_view value) {
  if (value.empty()) return;
  member(key);
  quoted(value);
}

void Writer::identifier(std::string_view key, std::string_view bytes) {
  if (bytes.empty()) return;
  member(key);
  char* out = out_.room(bytes.size() * 2 + 2);
  *out++ = '"';
  out = hex::encode(bytes, out);
  *out++ = '"';
  out_.advance_to(out);
}

void Writer::time(std::string_view key, std::uint64_t nanos) {
  if (nanos == 0) return;
  member(key);
  out_.put('"');
  digits(nanos);
  out_.put('"');
}

template <typename Integer>
void Writer::number(std::string_view key, Integer value) {
  if (value == 0) return;
  member(key);
  digits(value);
}

void Writer::quoted(std::string_view value) {
  std::string repaired;
  if (!valid_utf8(value)) {
    repaired = repair_utf8(value);
    value = repaired;
    ++repaired_;
  }
  out_.put('"');
  const char* at = value.data();
  const char* const end = at + value.size();
  for (;;) {
    const char* const stop = json::find_string_stop(at, end);
    out_.put({at, static_cast<std::size_t>(stop - at)});
    if (stop == end) break;
    escape(*stop);
    at = stop + 1;
  }
  out_.put('"');
}

void Writer::escape(char byte) {
  switch (byte) {
    case '"': return out_.put("\\\"");
    case '\\': return out_.put("\\\\");
    case '\n': return out_.put("\\n");
    case '\r': return out_.put("\\r");
    case '\t': return out_.put("\\t");
    default: break;
  }
  char code[6] = {'\\', 'u', '0', '0'};
  hex::encode({&byte, 1}, code + 4);
  out_.put({code, sizeof code});
}

/// The shortest text that reads back as the same number.
template <typename Number>
void Writer::digits(Number value) {
  constexpr std::size_t size_max = 32;
  char* const out = out_.room(size_max);
  out_.advance_to(std::to_chars(out, out + size_max, value).ptr);
}

void Writer::real(double value) {
  if (std::isnan(value)) return out_.put("\"NaN\"");
  if (std::isinf(value)) return out_.put(value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
  digits(value);
}

}  // namespace

std::uint64_t otlp_json_append(const SpanBatch& batch, BufferWriter& out) {
  return Writer(batch, out).write();
}

}  // namespace sluice
