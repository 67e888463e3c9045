// Strings inside OTLP bytes are passed on as they came; backends that refuse invalid UTF-8 refuse
// the whole request for one string, so it is repaired for them here. A message is walked by a table
// of what its fields are, first only to see whether anything is broken, since hardly anything ever
// is.

#include "pipeline/utf8.h"

#include <simdjson.h>

#include <cstring>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_view.h"
#include "pipeline/model/span_writer.h"
#include "pipeline/model/wire.h"

namespace sluice {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

bool ascii(std::string_view text) {
  std::uint64_t bits = 0;
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, at, 8);
    bits |= eight;
  }
  for (; left > 0; --left, ++at)
    bits |= static_cast<std::uint64_t>(static_cast<unsigned char>(*at));
  return (bits & 0x8080808080808080) == 0;
}

struct Sequence {
  std::size_t length;  ///< of the character, or of the maximal invalid part
  bool valid;
};

/// The character at the start of `text` (Unicode 15, table 3-7: well-formed byte sequences).
Sequence first_sequence(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, true};
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (lead == 0xE0) low = 0xA0;
  if (lead == 0xED) high = 0x9F;
  if (lead == 0xF0) low = 0x90;
  if (lead == 0xF4) high = 0x8F;
  for (std::size_t i = 1; i < length; ++i) {
    if (i == text.size() || byte(i) < low || byte(i) > high) return {i, false};
    low = 0x80;
    high = 0xBF;
  }
  return {length, true};
}

/// What the fields of a message are. `deeper`: this message may contain itself.
struct Schema {
  struct Field {
    std::uint32_t number;
    const Schema* message;  ///< null: a string
  };
  const Field* fields;
  std::size_t count;
  int depth;  ///< what entering it adds to the depth of values
};

template <std::size_t count>
constexpr Schema schema(const Schema::Field (&fields)[count], int depth = 0) {
  return {fields, count, depth};
}

extern const Schema any_value;
constexpr Schema::Field key_value_fields[] = {{otlp::key_value::key, nullptr},
                                              {otlp::key_value::value, &any_value}};
constexpr Schema key_value = schema(key_value_fields);
constexpr Schema::Field array_fields[] = {{otlp::list::values, &any_value}};
constexpr Schema array = schema(array_fields);
constexpr Schema::Field kvlist_fields[] = {{otlp::list::values, &key_value}};
constexpr Schema kvlist = schema(kvlist_fields);
constexpr Schema::Field any_value_fields[] = {{otlp::any_value::string_value, nullptr},
                                              {otlp::any_value::array_value, &array},
                                              {otlp::any_value::kvlist_value, &kvlist}};
const Schema any_value = schema(any_value_fields, 1);
constexpr Schema::Field status_fields[] = {{otlp::status::message, nullptr}};
constexpr Schema status = schema(status_fields);
constexpr Schema::Field event_fields[] = {{otlp::event::name, nullptr},
                                          {otlp::event::attributes, &key_value}};
constexpr Schema event = schema(event_fields);
constexpr Schema::Field link_fields[] = {{otlp::link::trace_state, nullptr},
                                         {otlp::link::attributes, &key_value}};
constexpr Schema link = schema(link_fields);
constexpr Schema::Field span_fields[] = {
    {otlp::span::trace_state, nullptr},   {otlp::span::name, nullptr},
    {otlp::span::attributes, &key_value}, {otlp::span::events, &event},
    {otlp::span::links, &link},           {otlp::span::status, &status}};
constexpr Schema span = schema(span_fields);
constexpr Schema::Field scope_fields[] = {{otlp::scope::name, nullptr},
                                          {otlp::scope::version, nullptr},
                                          {otlp::scope::attributes, &key_value}};
constexpr Schema scope = schema(scope_fields);
constexpr Schema::Field entity_fields[] = {{otlp::entity_ref::schema_url, nullptr},
                                           {otlp::entity_ref::type, nullptr},
                                           {otlp::entity_ref::id_keys, nullptr},
                                           {otlp::entity_ref::description_keys, nullptr}};
constexpr Schema entity = schema(entity_fields);
constexpr Schema::Field resource_fields[] = {{otlp::resource::attributes, &key_value},
                                             {otlp::resource::entity_refs, &entity}};
constexpr Schema resource = schema(resource_fields);
constexpr Schema::Field extra_fields[] = {{otlp::resource_spans::schema_url, nullptr}};
static_assert(otlp::resource_spans::schema_url == otlp::scope_spans::schema_url);
constexpr Schema extra = schema(extra_fields);

const Schema::Field* find(const Schema& message, const wire::Field& field) {
  if (field.type != wire::Type::length) return nullptr;
  for (std::size_t i = 0; i < message.count; ++i) {
    if (message.fields[i].number == field.number) return &message.fields[i];
  }
  return nullptr;
}

/// How many strings are broken.
std::uint64_t count_broken(const Schema& message, std::string_view bytes, int depth) {
  depth += message.depth;
  if (depth > value_depth_max) return 0;
  std::uint64_t broken = 0;
  wire::Cursor cursor(bytes);
  wire::Field field;
  while (cursor.next(field)) {
    const Schema::Field* known = find(message, field);
    if (known == nullptr) continue;
    if (known->message != nullptr) {
      broken += count_broken(*known->message, field.content, depth);
    } else if (!valid_utf8(field.content)) {
      ++broken;
    }
  }
  return broken;
}

/// Appends the message with its strings repaired; from a malformed byte on, the rest as it is.
void append_repaired(const Schema& message, std::string_view bytes, int depth, BufferWriter& out) {
  depth += message.depth;
  if (depth > value_depth_max) return out.append(bytes);
  wire::Cursor cursor(bytes);
  wire::Field field;
  std::size_t done = 0;
  while (cursor.next(field)) {
    done = static_cast<std::size_t>(cursor.at() - bytes.data());
    const Schema::Field* known = find(message, field);
    if (known == nullptr) {
      out.append(field.whole);
    } else if (known->message == nullptr) {
      const std::string text = repair_utf8(field.content);
      wire::append_length_delimited(out, field.number, text);
    } else {
      BufferWriter content(field.content.size() + replacement.size());
      append_repaired(*known->message, field.content, depth, content);
      wire::append_length_delimited(out, field.number, content.bytes());
    }
  }
  out.append(bytes.substr(done));
}

std::string repaired(const Schema& message, std::string_view bytes) {
  BufferWriter out(bytes.size());
  append_repaired(message, bytes, 0, out);
  return std::string(out.bytes());
}

}  // namespace

bool valid_utf8(std::string_view text) {
  // Strings of spans are short and mostly ASCII; a call into simdjson costs more than these.
  constexpr std::size_t short_max = 64;
  if (text.size() <= short_max && ascii(text)) return true;
  return simdjson::validate_utf8(text.data(), text.size());
}

std::string repair_utf8(std::string_view text) {
  std::string repaired_text;
  repaired_text.reserve(text.size());
  while (!text.empty()) {
    const Sequence sequence = first_sequence(text);
    repaired_text.append(sequence.valid ? text.substr(0, sequence.length) : replacement);
    text.remove_prefix(sequence.length);
  }
  return repaired_text;
}

RepairedBatch repair_utf8(const SpanBatch& batch) {
  RepairedBatch result;
  BatchEditor editor(batch);
  const auto count = [&result](const Schema& message, std::string_view bytes) {
    const std::uint64_t broken = count_broken(message, bytes, 0);
    result.strings += broken;
    return broken > 0;
  };
  for (std::uint32_t i = 0; i < batch.resources().size(); ++i) {
    const ResourceEntry& entry = batch.resources()[i];
    const std::string_view own = batch.bytes(entry.resource);
    if (count(resource, own)) editor.replace_resource(i, repaired(resource, own));
    const std::string_view beside = batch.bytes(entry.extra);
    if (count(extra, beside)) editor.replace_resource_extra(i, repaired(extra, beside));
  }
  for (std::uint32_t i = 0; i < batch.scopes().size(); ++i) {
    const ScopeEntry& entry = batch.scopes()[i];
    const std::string_view own = batch.bytes(entry.scope);
    if (count(scope, own)) editor.replace_scope(i, repaired(scope, own));
    const std::string_view beside = batch.bytes(entry.extra);
    if (count(extra, beside)) editor.replace_scope_extra(i, repaired(extra, beside));
  }
  for (std::uint32_t i = 0; i < batch.span_count(); ++i) {
    const std::string_view bytes = batch.span_bytes(i);
    if (!count(span, bytes)) continue;
    append_repaired(span, bytes, 0, editor.begin_span(i));
    editor.end_span();
  }
  result.batch = std::move(editor).finish();
  return result;
}

}  // namespace sluice
