// OTLP/JSON to protobuf in one pass: what is read is written at once, so a message's fields stand
// in the order of the text and a member given twice is a field given twice, of which protobuf takes
// the last. A string is copied while its end is looked for. A nested message leaves room for its
// length, as much as messages of its kind usually need; where that was wrong the content moves by a
// byte or two.
//
// The output is smaller than the text: every element costs at least the two bytes of its braces or
// quotes and a comma, which pay for tag and length. The one exception are negative enum numbers
// (eleven bytes for ten), hence the eighth in `Reader`.

#include "pipeline/codec/otlp_json.h"
#include "pipeline/codec/otlp_json_reader.h"
#include "pipeline/model/otlp_fields.h"

namespace sluice {
namespace otlp_json {

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
        if (is(key, "attributes")) return attributes(otlp::resource::attributes);
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
        if (is(key, "attributes")) return attributes(otlp::scope::attributes);
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

}  // namespace otlp_json

bool otlp_json_to_proto(std::string_view json, BufferWriter& out, JsonReport& report) {
  const std::size_t before = out.size();
  otlp_json::Reader reader(json, out);
  if (reader.read()) return true;
  out.truncate(before);
  report.error = reader.error();
  return false;
}

}  // namespace sluice
