#include "pipeline/codec/zipkin/text.h"

#include "pipeline/codec/base64.h"
#include "pipeline/codec/json_scanner.h"
#include "pipeline/model/otlp_fields.h"

namespace sluice::zipkin {
namespace {

using Form = Text::Form;

/// Calls `piece` with stretches of the text as it leaves, in order. Not for bytes.
template <typename Piece>
void unescape(std::string_view text, Piece piece) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    const char* stop = at;
    while (stop != end && *stop != '\\') ++stop;
    if (stop != at) piece(std::string_view(at, static_cast<std::size_t>(stop - at)));
    if (stop == end) return;
    const json::Escape escape = json::read_escape(stop, end);
    if (escape.next == nullptr) return;
    piece(std::string_view(escape.bytes.data(), escape.size));
    at = escape.next;
  }
}

std::size_t size_of(const Text& text) {
  if (text.form == Form::plain) return text.size;
  if (text.form == Form::bytes) return base64::encoded_size(text.size);
  std::size_t size = 0;
  unescape(text.raw(), [&](std::string_view piece) { size += piece.size(); });
  return size;
}

/// `size` is what `size_of` says.
void append(BufferWriter& out, const Text& text, std::size_t size) {
  switch (text.form) {
    case Form::plain: return out.append(text.raw());
    case Form::json: return unescape(text.raw(), [&](std::string_view each) { out.append(each); });
    case Form::bytes: base64::encode(text.raw(), out.tail(size)); return out.advance(size);
  }
}

void append_sized(BufferWriter& out, std::uint32_t number, const Text& text, std::size_t size) {
  wire::append_tag(out, number, wire::Type::length);
  wire::append_varint(out, size);
  append(out, text, size);
}

}  // namespace

std::string_view plain(const Text& text, std::string& scratch) {
  if (text.is_plain()) return text.raw();
  scratch.clear();
  if (text.form == Form::json)
    unescape(text.raw(), [&](std::string_view piece) { scratch += piece; });
  else
    scratch = base64::encoded(text.raw());
  return scratch;
}

bool same(const Text& a, const Text& b) {
  if (a.form == b.form && a.raw() == b.raw()) return true;
  if (a.is_plain() && b.is_plain()) return false;
  std::string first;
  std::string second;
  return plain(a, first) == plain(b, second);
}

void append_string(SpanWriter& out, std::uint32_t number, const Text& text) {
  if (text.is_plain()) return out.string(number, text.raw());
  append_sized(out.out(), number, text, size_of(text));
}

void append_attribute(SpanWriter& out, std::uint32_t number, const Text& key, const Text& value) {
  if (key.is_plain() && value.is_plain()) [[likely]]
    return out.attribute(number, key.raw(), value.raw());
  const std::size_t key_size = size_of(key);
  const std::size_t value_size = size_of(value);
  const std::size_t any_size = wire::field_size(otlp::any_value::string_value, value_size);
  BufferWriter& bytes = out.out();
  wire::append_tag(bytes, number, wire::Type::length);
  wire::append_varint(bytes, wire::field_size(otlp::key_value::key, key_size) +
                                 wire::field_size(otlp::key_value::value, any_size));
  append_sized(bytes, otlp::key_value::key, key, key_size);
  wire::append_tag(bytes, otlp::key_value::value, wire::Type::length);
  wire::append_varint(bytes, any_size);
  append_sized(bytes, otlp::any_value::string_value, value, value_size);
}

}  // namespace sluice::zipkin
