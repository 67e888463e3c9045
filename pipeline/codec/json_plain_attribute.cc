// An attribute as nearly every sender writes it, without white space or escapes and short, taken
// whole. Since its sizes are known before anything is written, no length is patched, and copies go
// by blocks that may run over what they copy: there is text behind it, and room in the output.
// Measured over spans of eight attributes: 4,890 instead of 7,370 instructions a span.

#include <cstring>

#include "pipeline/codec/json_fields.h"
#include "pipeline/model/otlp_fields.h"

namespace sluice::json {
namespace {

constexpr std::size_t block = 16;
constexpr std::size_t digits_max = 18;

/// Steps over `text` where it comes next; null where it does not, or `at` is null.
template <std::size_t size>
const char* after(const char* at, const char* end, const char (&text)[size]) {
  const bool found = at != nullptr && static_cast<std::size_t>(end - at) >= size - 1 &&
                     std::memcmp(at, text, size - 1) == 0;
  return found ? at + (size - 1) : nullptr;
}

char* copy_blocks(char* out, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); i += block) std::memcpy(out + i, text.data() + i, block);
  return out + text.size();
}

char byte_tag(std::uint32_t number, wire::Type type) {
  return static_cast<char>(wire::tag(number, type));
}

}  // namespace

bool FieldWriter::plain_attribute(std::uint32_t number) {
  const char* const end = in_.end();
  const char* const key = after(in_.at(), end, "{\"key\":\"");
  if (key == nullptr) return false;
  const char* const key_end = find_string_stop(key, end);
  const char* const type = after(key_end, end, "\",\"value\":{\"");
  if (type == nullptr || end - type < static_cast<std::ptrdiff_t>(2 * block)) return false;
  const std::string_view name(key, static_cast<std::size_t>(key_end - key));
  if (const char* const text = after(type, end, "stringValue\":\""))
    return plain_string(number, name, text);
  if (const char* const digits = after(type, end, "intValue\":\""))
    return plain_integer(number, name, digits);
  return false;
}

bool FieldWriter::plain_string(std::uint32_t number, std::string_view key, const char* value) {
  const char* const stop = find_string_stop(value, in_.end());
  const char* const next = after(stop, in_.end(), "\"}}");
  if (next == nullptr || in_.end() - stop < static_cast<std::ptrdiff_t>(block)) return false;
  const std::string_view text(value, static_cast<std::size_t>(stop - value));
  char* out = open_plain(number, key, 2 + text.size());
  if (out == nullptr) return false;
  *out++ = byte_tag(otlp::any_value::string_value, wire::Type::length);
  *out++ = static_cast<char>(text.size());
  out_.advance_to(copy_blocks(out, text));
  in_.seek(next);
  return true;
}

bool FieldWriter::plain_integer(std::uint32_t number, std::string_view key, const char* value) {
  const char* at = value;
  std::uint64_t sum = 0;
  while (static_cast<unsigned>(*at - '0') <= 9) {
    sum = sum * 10 + static_cast<unsigned>(*at++ - '0');
    if (at - value > static_cast<std::ptrdiff_t>(digits_max)) return false;
  }
  const bool leading_zero = *value == '0' && at - value > 1;
  const char* const next = after(at, in_.end(), "\"}}");
  if (at == value || leading_zero || next == nullptr) return false;
  char* out = open_plain(number, key, 1 + wire::varint_size(sum));
  if (out == nullptr) return false;
  *out++ = byte_tag(otlp::any_value::int_value, wire::Type::varint);
  out_.advance_to(wire::write_varint(out, sum));
  in_.seek(next);
  return true;
}

/// The KeyValue up to its AnyValue's content; null where a length would take two bytes.
char* FieldWriter::open_plain(std::uint32_t number, std::string_view key, std::size_t value_size) {
  const std::size_t size = 2 + key.size() + 2 + value_size;
  if (size >= 0x80) return nullptr;
  char* out = out_.room(2 + size + block);
  *out++ = byte_tag(number, wire::Type::length);
  *out++ = static_cast<char>(size);
  *out++ = byte_tag(otlp::key_value::key, wire::Type::length);
  *out++ = static_cast<char>(key.size());
  out = copy_blocks(out, key);
  *out++ = byte_tag(otlp::key_value::value, wire::Type::length);
  *out++ = static_cast<char>(value_size);
  return out;
}

}  // namespace sluice::json
