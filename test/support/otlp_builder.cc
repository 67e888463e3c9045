#include "test/support/otlp_builder.h"

#include <bit>
#include <stdexcept>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_view.h"

namespace sluice::test {
namespace {

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

std::string little_endian(std::uint64_t value, int size) {
  std::string bytes;
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

std::string text_field(std::uint32_t number, const std::string& text) {
  return text.empty() ? std::string() : length_field(number, text);
}

std::string count_field(std::uint32_t number, std::uint64_t value) {
  return value == 0 ? std::string() : varint_field(number, value);
}

std::string any_value_message(const Value& value);

struct ValueWriter {
  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(const std::string& text) const {
    return length_field(otlp::any_value::string_value, text);
  }
  std::string operator()(bool boolean) const {
    return varint_field(otlp::any_value::bool_value, boolean ? 1 : 0);
  }
  std::string operator()(std::int64_t integer) const {
    return varint_field(otlp::any_value::int_value, static_cast<std::uint64_t>(integer));
  }
  std::string operator()(double real) const {
    return fixed64_field(otlp::any_value::double_value, std::bit_cast<std::uint64_t>(real));
  }
  std::string operator()(const Array& array) const {
    std::string values;
    for (const Value& value : array)
      values += length_field(otlp::list::values, any_value_message(value));
    return length_field(otlp::any_value::array_value, values);
  }
  std::string operator()(const KvList& list) const {
    std::string values;
    for (const Attribute& entry : list)
      values += length_field(otlp::list::values, key_value_message(entry));
    return length_field(otlp::any_value::kvlist_value, values);
  }
  std::string operator()(const Bytes& bytes) const {
    return length_field(otlp::any_value::bytes_value, bytes.bytes);
  }
};

std::string any_value_message(const Value& value) { return std::visit(ValueWriter(), value.of); }

std::string attribute_fields(std::uint32_t number, const Attributes& attributes) {
  std::string fields;
  for (const Attribute& attribute : attributes)
    fields += length_field(number, key_value_message(attribute));
  return fields;
}

std::string event_message(const EventSpec& event) {
  return fixed64_field(otlp::event::time, event.time_unix_nano) +
         text_field(otlp::event::name, event.name) +
         attribute_fields(otlp::event::attributes, event.attributes) +
         count_field(otlp::event::dropped_attributes_count, event.dropped_attributes_count);
}

std::string link_message(const LinkSpec& link) {
  return text_field(otlp::link::trace_id, link.trace_id) +
         text_field(otlp::link::span_id, link.span_id) +
         text_field(otlp::link::trace_state, link.trace_state) +
         attribute_fields(otlp::link::attributes, link.attributes) +
         (link.flags == 0 ? std::string() : fixed32_field(otlp::link::flags, link.flags));
}

std::string scope_spans(const ScopeSpec& spec, std::uint64_t& next_id) {
  std::string fields = length_field(otlp::scope_spans::scope,
                                    text_field(otlp::scope::name, spec.name) +
                                        text_field(otlp::scope::version, spec.version) +
                                        attribute_fields(otlp::scope::attributes, spec.attributes));
  for (SpanSpec span : spec.spans) {
    const std::uint64_t id = next_id++;
    if (span.trace_id.empty()) span.trace_id = make_id(id, 16);
    if (span.span_id.empty()) span.span_id = make_id(id, 8);
    fields += length_field(otlp::scope_spans::spans, span_message(span));
  }
  return fields + text_field(otlp::scope_spans::schema_url, spec.schema_url);
}

}  // namespace

std::string length_field(std::uint32_t number, std::string_view content) {
  return varint(number << 3 | 2) + varint(content.size()) + std::string(content);
}

std::string varint_field(std::uint32_t number, std::uint64_t value) {
  return varint(number << 3) + varint(value);
}

std::string fixed64_field(std::uint32_t number, std::uint64_t value) {
  return varint(number << 3 | 1) + little_endian(value, 8);
}

std::string fixed32_field(std::uint32_t number, std::uint32_t value) {
  return varint(number << 3 | 5) + little_endian(value, 4);
}

std::string key_value_message(const Attribute& attribute) {
  return length_field(otlp::key_value::key, attribute.key) +
         length_field(otlp::key_value::value, any_value_message(attribute.value));
}

std::string span_message(const SpanSpec& span) {
  std::string fields = text_field(otlp::span::trace_id, span.trace_id) +
                       text_field(otlp::span::span_id, span.span_id) +
                       text_field(otlp::span::trace_state, span.trace_state) +
                       text_field(otlp::span::parent_span_id, span.parent_span_id) +
                       text_field(otlp::span::name, span.name) +
                       count_field(otlp::span::kind, static_cast<std::uint64_t>(span.kind)) +
                       fixed64_field(otlp::span::start_time, span.start) +
                       fixed64_field(otlp::span::end_time, span.end) +
                       attribute_fields(otlp::span::attributes, span.attributes);
  for (const EventSpec& event : span.events)
    fields += length_field(otlp::span::events, event_message(event));
  for (const LinkSpec& link : span.links)
    fields += length_field(otlp::span::links, link_message(link));
  if (span.status_code != 0 || !span.status_message.empty()) {
    fields += length_field(
        otlp::span::status,
        text_field(otlp::status::message, span.status_message) +
            count_field(otlp::status::code, static_cast<std::uint64_t>(span.status_code)));
  }
  if (span.flags != 0) fields += fixed32_field(otlp::span::flags, span.flags);
  return fields + span.raw;
}

std::string make_id(std::uint64_t number, std::size_t size) {
  std::string id(size, '\xAB');
  for (std::size_t i = 0; i < 8; ++i) id[size - 1 - i] = static_cast<char>(number >> (8 * i));
  if (size <= 8) id[0] = '\x5A';
  return id;
}

std::string make_request(const std::vector<ResourceSpec>& resources) {
  std::string request;
  std::uint64_t next_id = 1;
  for (const ResourceSpec& spec : resources) {
    Attributes attributes;
    if (!spec.service.empty()) attributes.push_back({"service.name", spec.service});
    attributes.insert(attributes.end(), spec.attributes.begin(), spec.attributes.end());
    std::string fields = length_field(otlp::resource_spans::resource,
                                      attribute_fields(otlp::resource::attributes, attributes));
    if (!spec.spans.empty()) {
      fields += length_field(otlp::resource_spans::scope_spans,
                             scope_spans({.name = spec.scope, .spans = spec.spans}, next_id));
    }
    for (const ScopeSpec& scope : spec.scopes) {
      fields += length_field(otlp::resource_spans::scope_spans, scope_spans(scope, next_id));
    }
    fields += text_field(otlp::resource_spans::schema_url, spec.schema_url);
    request += length_field(otlp::request::resource_spans, fields);
  }
  return request;
}

SpanBatch parse_batch(std::string_view request) {
  ParseReport report;
  auto batch = SpanBatch::parse(Buffer::copy_of(request), report);
  if (!batch) throw std::runtime_error("a test's request is malformed: " + report.error);
  if (report.spans_invalid_id > 0)
    throw std::runtime_error("a test's request has spans with invalid ids");
  return *std::move(batch);
}

SpanBatch make_batch(const std::vector<ResourceSpec>& resources) {
  return parse_batch(make_request(resources));
}

std::vector<SpanSpec> numbered_spans(std::size_t count) {
  std::vector<SpanSpec> spans(count);
  for (std::size_t i = 0; i < count; ++i) spans[i].name = "span-" + std::to_string(i);
  return spans;
}

std::vector<std::string> span_names(const SpanBatch& batch) {
  std::vector<std::string> names;
  for (const SpanEntry& span : batch.spans())
    names.emplace_back(SpanView(batch.span_bytes(span)).name());
  return names;
}

}  // namespace sluice::test
