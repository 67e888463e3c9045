#include "test/support/random_otlp.h"

#include <algorithm>

#include "pipeline/model/otlp_fields.h"
#include "test/support/otlp_builder.h"

namespace sluice::test {

std::string RandomOtlp::varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  bytes += static_cast<char>(value);
  // Longer than need be, within what tags and lengths may take.
  if (shape_.wild && bytes.size() < 5 && chance(3)) {
    bytes.back() = static_cast<char>(bytes.back() | '\x80');
    bytes += '\0';
  }
  return bytes;
}

std::string RandomOtlp::length_field(std::uint32_t number, const std::string& content) {
  return varint(number << 3 | 2) + varint(content.size()) + content;
}

std::string RandomOtlp::varint_field(std::uint32_t number, std::uint64_t value) {
  return varint(number << 3) + varint(value);
}

std::string RandomOtlp::some_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(below(256));
  return bytes;
}

std::string RandomOtlp::text() {
  static const char* const words[] = {
      "",
      "a",
      "http.method",
      "GET",
      "/cart/checkout",
      "service",
      "größe",
      "数据",
      "a rather long piece of text, as statements of a database are, with a tail"};
  if (shape_.wild && chance(5)) return some_bytes(below(12));
  if (chance(3)) return std::string(below(400), 'x');
  return words[below(std::size(words))];
}

std::string RandomOtlp::unknown_field(int depth) {
  const auto number = static_cast<std::uint32_t>(40 + below(500));
  switch (below(depth > 3 ? 4 : 5)) {
    case 0: return varint_field(number, random_());
    case 1: return fixed64_field(number, random_());
    case 2: return fixed32_field(number, static_cast<std::uint32_t>(random_()));
    case 3: return length_field(number, some_bytes(below(20)));
    default: return varint(number << 3 | 3) + unknown_field(depth + 1) + varint(number << 3 | 4);
  }
}

/// Shuffles, so that neither order nor adjacency can be relied on.
std::string RandomOtlp::joined(Fields fields) {
  if (shape_.wild) {
    for (std::size_t extra = below(3); extra > 0 && chance(30); --extra)
      fields.push_back(unknown_field(0));
    if (chance(40)) std::shuffle(fields.begin(), fields.end(), random_);
  }
  std::string message;
  for (const std::string& field : fields) message += field;
  return message;
}

std::string RandomOtlp::any_value(int depth) {
  Fields fields;
  switch (below(depth > 3 ? 6 : 8)) {
    case 0: break;
    case 1: fields.push_back(varint_field(otlp::any_value::bool_value, below(2))); break;
    case 2:
      fields.push_back(varint_field(otlp::any_value::int_value, random_() >> below(64)));
      break;
    case 3: fields.push_back(fixed64_field(otlp::any_value::double_value, random_())); break;
    case 4:
      fields.push_back(length_field(otlp::any_value::bytes_value, some_bytes(below(20))));
      break;
    case 5: fields.push_back(length_field(otlp::any_value::string_value, text())); break;
    case 6: {
      std::string values;
      for (std::size_t i = below(4); i > 0; --i)
        values += length_field(otlp::list::values, any_value(depth + 1));
      fields.push_back(length_field(otlp::any_value::array_value, values));
      break;
    }
    default: {
      std::string values;
      for (std::size_t i = below(4); i > 0; --i)
        values += length_field(otlp::list::values, key_value(depth + 1));
      fields.push_back(length_field(otlp::any_value::kvlist_value, values));
      break;
    }
  }
  if (shape_.wild && chance(3))
    fields.push_back(length_field(otlp::any_value::string_value, text()));
  return joined(std::move(fields));
}

std::string RandomOtlp::key_value(int depth) {
  Fields fields = {length_field(otlp::key_value::key, text())};
  if (!chance(3)) fields.push_back(length_field(otlp::key_value::value, any_value(depth)));
  return joined(std::move(fields));
}

void RandomOtlp::add_attributes(Fields& fields, std::uint32_t number) {
  for (std::size_t i = below(shape_.attributes_max + 1); i > 0; --i) {
    fields.push_back(length_field(number, key_value(0)));
  }
}

void RandomOtlp::add_text(Fields& fields, std::uint32_t number) {
  if (chance(70)) fields.push_back(length_field(number, text()));
  if (shape_.wild && chance(3)) fields.push_back(length_field(number, text()));
  if (shape_.wild && chance(2)) fields.push_back(varint_field(number, below(300)));
}

void RandomOtlp::add_count(Fields& fields, std::uint32_t number) {
  if (chance(20)) fields.push_back(varint_field(number, random_() >> below(64)));
  if (shape_.wild && chance(2))
    fields.push_back(fixed32_field(number, static_cast<std::uint32_t>(random_())));
}

void RandomOtlp::add_times(Fields& fields, std::uint32_t number, bool eight_bytes) {
  const std::uint64_t value = random_() >> below(64);
  if (chance(80)) {
    fields.push_back(eight_bytes ? fixed64_field(number, value)
                                 : fixed32_field(number, static_cast<std::uint32_t>(value)));
  }
  if (shape_.wild && chance(2)) fields.push_back(varint_field(number, value));
}

std::string RandomOtlp::status() {
  Fields fields;
  add_text(fields, otlp::status::message);
  if (chance(60)) fields.push_back(varint_field(otlp::status::code, below(4)));
  return joined(std::move(fields));
}

std::string RandomOtlp::event() {
  Fields fields;
  add_times(fields, otlp::event::time, true);
  add_text(fields, otlp::event::name);
  add_attributes(fields, otlp::event::attributes);
  add_count(fields, otlp::event::dropped_attributes_count);
  return joined(std::move(fields));
}

std::string RandomOtlp::link() {
  Fields fields = {length_field(otlp::link::trace_id, some_bytes(16)),
                   length_field(otlp::link::span_id, some_bytes(8))};
  add_text(fields, otlp::link::trace_state);
  add_attributes(fields, otlp::link::attributes);
  add_count(fields, otlp::link::dropped_attributes_count);
  add_times(fields, otlp::link::flags, false);
  return joined(std::move(fields));
}

std::string RandomOtlp::span() {
  Fields fields = {length_field(otlp::span::trace_id, make_id(random_(), 16)),
                   length_field(otlp::span::span_id, make_id(random_(), 8))};
  if (chance(60)) fields.push_back(length_field(otlp::span::parent_span_id, make_id(random_(), 8)));
  add_text(fields, otlp::span::trace_state);
  add_text(fields, otlp::span::name);
  if (chance(90)) fields.push_back(varint_field(otlp::span::kind, below(7)));
  add_times(fields, otlp::span::start_time, true);
  add_times(fields, otlp::span::end_time, true);
  add_attributes(fields, otlp::span::attributes);
  add_count(fields, otlp::span::dropped_attributes_count);
  for (std::size_t i = chance(20) ? below(4) : 0; i > 0; --i)
    fields.push_back(length_field(otlp::span::events, event()));
  add_count(fields, otlp::span::dropped_events_count);
  for (std::size_t i = chance(20) ? below(4) : 0; i > 0; --i)
    fields.push_back(length_field(otlp::span::links, link()));
  add_count(fields, otlp::span::dropped_links_count);
  if (chance(40)) fields.push_back(length_field(otlp::span::status, status()));
  if (shape_.wild && chance(4)) fields.push_back(length_field(otlp::span::status, status()));
  add_times(fields, otlp::span::flags, false);
  return joined(std::move(fields));
}

std::string RandomOtlp::resource() {
  Fields fields;
  add_attributes(fields, otlp::resource::attributes);
  add_count(fields, otlp::resource::dropped_attributes_count);
  if (chance(10)) {
    fields.push_back(length_field(otlp::resource::entity_refs,
                                  length_field(otlp::entity_ref::type, text()) +
                                      length_field(otlp::entity_ref::id_keys, text())));
  }
  return joined(std::move(fields));
}

std::string RandomOtlp::scope() {
  Fields fields;
  add_text(fields, otlp::scope::name);
  add_text(fields, otlp::scope::version);
  add_attributes(fields, otlp::scope::attributes);
  add_count(fields, otlp::scope::dropped_attributes_count);
  return joined(std::move(fields));
}

std::string RandomOtlp::scope_spans() {
  Fields fields;
  if (chance(90)) fields.push_back(length_field(otlp::scope_spans::scope, scope()));
  if (shape_.wild && chance(5)) fields.push_back(length_field(otlp::scope_spans::scope, scope()));
  for (std::size_t i = below(shape_.spans_max + 1); i > 0; --i) {
    std::string message = span();
    if (shape_.invalid_ids && chance(10)) {
      message += length_field(chance(50) ? otlp::span::trace_id : otlp::span::span_id,
                              chance(50) ? some_bytes(below(8)) : std::string(16, '\0'));
    }
    fields.push_back(length_field(otlp::scope_spans::spans, message));
  }
  if (shape_.wild && chance(3)) fields.push_back(varint_field(otlp::scope_spans::spans, 5));
  add_text(fields, otlp::scope_spans::schema_url);
  return joined(std::move(fields));
}

std::string RandomOtlp::resource_spans() {
  Fields fields;
  if (chance(90)) fields.push_back(length_field(otlp::resource_spans::resource, resource()));
  if (shape_.wild && chance(5))
    fields.push_back(length_field(otlp::resource_spans::resource, resource()));
  for (std::size_t i = below(shape_.scopes_max + 1); i > 0; --i) {
    fields.push_back(length_field(otlp::resource_spans::scope_spans, scope_spans()));
  }
  add_text(fields, otlp::resource_spans::schema_url);
  return joined(std::move(fields));
}

std::string RandomOtlp::request() {
  Fields fields;
  for (std::size_t i = below(shape_.resources_max + 1); i > 0; --i) {
    fields.push_back(length_field(otlp::request::resource_spans, resource_spans()));
  }
  return joined(std::move(fields));
}

}  // namespace sluice::test
