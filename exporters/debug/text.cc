#include "exporters/debug/text.h"

#include <charconv>
#include <chrono>
#include <ctime>
#include <string_view>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_view.h"
#include "pipeline/model/wire.h"
#include "pipeline/utf8.h"

namespace sluice::debug_text {
namespace {

/// Values nest in values; what lies deeper is shown as an ellipsis.
constexpr int depth_max = 20;
constexpr std::string_view hex_digits = "0123456789abcdef";

void append_hex(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    out += hex_digits[static_cast<unsigned char>(c) >> 4];
    out += hex_digits[static_cast<unsigned char>(c) & 15];
  }
}

bool is_control(std::string_view text, std::size_t at) {
  const auto c = static_cast<unsigned char>(text[at]);
  // C1 controls are two bytes in UTF-8; terminals obey them as they do escapes.
  const bool c1 =
      c == 0xc2 && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xa0;
  return c < 0x20 || c == 0x7f || c1;
}

void append_text(std::string& out, std::string_view text) {
  const std::string repaired = valid_utf8(text) ? std::string() : repair_utf8(text);
  if (!repaired.empty()) text = repaired;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_control(text, i)) {
      out += text[i];
    } else if (text[i] == '\n') {
      out += "\\n";
    } else {
      if (static_cast<unsigned char>(text[i]) == 0xc2) ++i;
      out += "\\x";
      append_hex(out, text.substr(i, 1));
    }
  }
}

template <typename Number>
void append_number(std::string& out, Number number) {
  char text[40];
  const auto end = std::to_chars(text, text + sizeof text, number).ptr;
  out.append(text, end);
}

std::string_view type_name(AnyValueView::Type type) {
  constexpr std::string_view names[] = {"Empty",  "Str",   "Bool", "Int",
                                        "Double", "Slice", "Map",  "Bytes"};
  return names[static_cast<std::size_t>(type)];
}

void append_value(std::string& out, const AnyValueView& value, int depth);

void append_list(std::string& out, const AnyValueView& value, int depth) {
  const bool map = value.type() == AnyValueView::Type::kvlist;
  out += map ? '{' : '[';
  FieldRange fields(value.string(), otlp::list::values);
  bool first = true;
  while (const auto field = fields.next()) {
    if (!first) out += ", ";
    first = false;
    if (map) {
      const KeyValueView pair = read_key_value(*field);
      append_text(out, pair.key);
      out += ": ";
      append_value(out, pair.value(), depth + 1);
    } else {
      append_value(out, AnyValueView(field->content), depth + 1);
    }
  }
  out += map ? '}' : ']';
}

void append_value(std::string& out, const AnyValueView& value, int depth) {
  if (depth > depth_max) {
    out += "…";
    return;
  }
  switch (value.type()) {
    case AnyValueView::Type::empty: return;
    case AnyValueView::Type::string: return append_text(out, value.string());
    case AnyValueView::Type::boolean: out += value.boolean() ? "true" : "false"; return;
    case AnyValueView::Type::integer: return append_number(out, value.integer());
    case AnyValueView::Type::real: return append_number(out, value.real());
    case AnyValueView::Type::array:
    case AnyValueView::Type::kvlist: return append_list(out, value, depth);
    case AnyValueView::Type::bytes: return append_hex(out, value.string());
  }
}

void append_attributes(std::string& out, AttributeRange attributes, std::string_view indent,
                       std::string_view title) {
  bool first = true;
  while (const auto attribute = attributes.next()) {
    if (first && !title.empty()) (out += title) += '\n';
    first = false;
    const AnyValueView value = attribute->value();
    (out += indent) += "     -> ";
    append_text(out, attribute->key);
    ((out += ": ") += type_name(value.type())) += '(';
    append_value(out, value, 0);
    out += ")\n";
  }
}

void append_time(std::string& out, std::uint64_t unix_nano) {
  const auto seconds = static_cast<std::time_t>(unix_nano / 1'000'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  out.append(text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S.", &parts));
  std::string fraction;
  append_number(fraction, unix_nano % 1'000'000'000);
  out.append(9 - fraction.size(), '0');
  out += fraction + " UTC";
}

std::string_view kind_name(SpanKind kind) {
  constexpr std::string_view names[] = {"Unspecified", "Internal", "Server",
                                        "Client",      "Producer", "Consumer"};
  const auto index = static_cast<std::size_t>(kind);
  return index < std::size(names) ? names[index] : "Unknown";
}

std::string_view status_name(StatusCode code) {
  constexpr std::string_view names[] = {"Unset", "Ok", "Error"};
  const auto index = static_cast<std::size_t>(code);
  return index < std::size(names) ? names[index] : "Unknown";
}

void append_line(std::string& out, std::string_view label, std::string_view text) {
  out += label;
  append_text(out, text);
  out += '\n';
}

void append_hex_line(std::string& out, std::string_view label, std::string_view bytes) {
  out += label;
  append_hex(out, bytes);
  out += '\n';
}

void append_time_line(std::string& out, std::string_view label, std::uint64_t unix_nano) {
  out += label;
  append_time(out, unix_nano);
  out += '\n';
}

void append_count_line(std::string& out, std::string_view label, std::uint64_t count) {
  if (count == 0) return;
  out += label;
  append_number(out, count);
  out += '\n';
}

void append_title(std::string& out, std::string_view what, std::uint64_t number) {
  (out += what) += " #";
  append_number(out, number);
  out += '\n';
}

void append_events(std::string& out, FieldRange events) {
  for (std::uint64_t i = 0; const auto field = events.next(); ++i) {
    if (i == 0) out += "Events:\n";
    const EventView event(field->content);
    append_title(out, "SpanEvent", i);
    append_line(out, "     -> Name: ", event.name);
    append_time_line(out, "     -> Timestamp: ", event.time_unix_nano);
    append_count_line(out, "     -> DroppedAttributesCount: ", event.dropped_attributes_count);
    append_attributes(out, event.attributes(), "     ", "     -> Attributes:");
  }
}

void append_links(std::string& out, FieldRange links) {
  for (std::uint64_t i = 0; const auto field = links.next(); ++i) {
    if (i == 0) out += "Links:\n";
    const LinkView link(field->content);
    append_title(out, "SpanLink", i);
    append_hex_line(out, "     -> Trace ID: ", link.trace_id);
    append_hex_line(out, "     -> ID: ", link.span_id);
    append_line(out, "     -> TraceState: ", link.trace_state);
    append_count_line(out, "     -> DroppedAttributesCount: ", link.dropped_attributes_count);
    append_attributes(out, link.attributes(), "     ", "     -> Attributes:");
  }
}

void append_span(std::string& out, const SpanView& span) {
  append_hex_line(out, "    Trace ID       : ", span.trace_id());
  append_hex_line(out, "    Parent ID      : ", span.parent_span_id());
  append_hex_line(out, "    ID             : ", span.span_id());
  append_line(out, "    Name           : ", span.name());
  append_line(out, "    Kind           : ", kind_name(span.kind()));
  if (!span.trace_state().empty()) append_line(out, "    TraceState     : ", span.trace_state());
  append_time_line(out, "    Start time     : ", span.start_time_unix_nano());
  append_time_line(out, "    End time       : ", span.end_time_unix_nano());
  append_line(out, "    Status code    : ", status_name(span.status_code()));
  append_line(out, "    Status message : ", span.status_message());
  append_count_line(out, "    Flags          : ", span.flags());
  append_count_line(out, "    DroppedAttributesCount: ", span.dropped_attributes_count());
  append_count_line(out, "    DroppedEventsCount: ", span.dropped_events_count());
  append_count_line(out, "    DroppedLinksCount: ", span.dropped_links_count());
  append_attributes(out, span.attributes(), "", "Attributes:");
  append_events(out, span.events());
  append_links(out, span.links());
}

void append_resource(std::string& out, std::string_view message, std::string_view extra,
                     std::uint64_t number) {
  append_title(out, "ResourceSpans", number);
  if (const auto url = FieldRange(extra, otlp::resource_spans::schema_url).next()) {
    append_line(out, "Resource SchemaURL: ", url->content);
  }
  append_attributes(out, ResourceView(message).attributes(), "", "Resource attributes:");
}

void append_scope(std::string& out, std::string_view message, std::string_view extra,
                  std::uint64_t number) {
  append_title(out, "ScopeSpans", number);
  if (const auto url = FieldRange(extra, otlp::scope_spans::schema_url).next()) {
    append_line(out, "ScopeSpans SchemaURL: ", url->content);
  }
  const ScopeView scope(message);
  out += "InstrumentationScope ";
  append_text(out, scope.name);
  append_line(out, " ", scope.version);
  append_attributes(out, scope.attributes(), "", "InstrumentationScope attributes:");
}

constexpr std::uint32_t none = UINT32_MAX;

}  // namespace

std::uint64_t resource_count(const SpanBatch& batch) {
  std::uint64_t count = 0;
  std::uint32_t last = none;
  for (const SpanEntry& span : batch.spans()) {
    const std::uint32_t resource = batch.scopes()[span.scope].resource;
    if (resource != last) ++count;
    last = resource;
  }
  return count;
}

std::string normal(const SpanBatch& batch) {
  std::string out;
  for (const SpanEntry& entry : batch.spans()) {
    const SpanView span = batch.view(entry);
    append_text(out, span.name());
    append_hex(out += ' ', span.trace_id());
    append_hex(out += ' ', span.span_id());
    AttributeRange attributes = span.attributes();
    while (const auto attribute = attributes.next()) {
      append_text(out += ' ', attribute->key);
      append_value(out += '=', attribute->value(), 0);
    }
    out += '\n';
  }
  return out;
}

std::string detailed(const SpanBatch& batch) {
  std::string out;
  std::uint32_t last_resource = none, last_scope = none;
  std::uint64_t resources = 0, scopes = 0, spans = 0;
  for (const SpanEntry& entry : batch.spans()) {
    const ScopeEntry& scope = batch.scopes()[entry.scope];
    const ResourceEntry& resource = batch.resources()[scope.resource];
    if (scope.resource != last_resource) {
      append_resource(out, batch.bytes(resource.resource), batch.bytes(resource.extra),
                      resources++);
      last_resource = scope.resource;
      last_scope = none;
      scopes = 0;
    }
    if (entry.scope != last_scope) {
      append_scope(out, batch.bytes(scope.scope), batch.bytes(scope.extra), scopes++);
      last_scope = entry.scope;
      spans = 0;
    }
    append_title(out, "Span", spans++);
    append_span(out, batch.view(entry));
  }
  return out;
}

}  // namespace sluice::debug_text
