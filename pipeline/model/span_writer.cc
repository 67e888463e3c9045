#include "pipeline/model/span_writer.h"

#include <array>
#include <cstring>

#include "pipeline/model/otlp_fields.h"

namespace sluice {
namespace {

constexpr std::uint32_t key_field = otlp::key_value::key;
constexpr std::uint32_t value_field = otlp::key_value::value;

/// memcpy without the call: for keys and values, which are mostly shorter than what a call costs.
/// Two moves of one size that may overlap cover all lengths between it and twice it.
template <std::size_t size>
void put_both_ends(char* at, std::string_view text) {
  std::array<char, size> first, last;
  std::memcpy(first.data(), text.data(), size);
  std::memcpy(last.data(), text.data() + text.size() - size, size);
  std::memcpy(at, first.data(), size);
  std::memcpy(at + text.size() - size, last.data(), size);
}

/// Returns behind it.
[[gnu::always_inline]] inline char* put_short(char* at, std::string_view text) {
  const std::size_t size = text.size();
  if (size > 32) {
    std::memcpy(at, text.data(), size);
  } else if (size >= 16) {
    put_both_ends<16>(at, text);
  } else if (size >= 8) {
    put_both_ends<8>(at, text);
  } else if (size >= 4) {
    put_both_ends<4>(at, text);
  } else if (size > 0) {
    at[0] = text[0];
    at[size / 2] = text[size / 2];
    at[size - 1] = text[size - 1];
  }
  return at + size;
}

/// Starts a KeyValue whose AnyValue has `value_size` bytes; returns where these go.
char* begin_attribute(BufferWriter& out, std::uint32_t number, std::string_view key,
                      std::size_t value_size) {
  const std::size_t size =
      wire::field_size(key_field, key.size()) + wire::field_size(value_field, value_size);
  char* at = out.tail(40 + key.size() + value_size);
  at = wire::write_varint(at, wire::tag(number, wire::Type::length));
  at = wire::write_varint(at, size);
  *at++ = static_cast<char>(wire::tag(key_field, wire::Type::length));
  at = wire::write_varint(at, key.size());
  at = put_short(at, key);
  *at++ = static_cast<char>(wire::tag(value_field, wire::Type::length));
  return wire::write_varint(at, value_size);
}

void end_attribute(BufferWriter& out, const char* end) {
  out.advance(static_cast<std::size_t>(end - out.data()) - out.size());
}

}  // namespace

std::size_t SpanWriter::begin(std::uint32_t number) {
  char* const start = out_.tail(6);
  char* at = wire::write_varint(start, wire::tag(number, wire::Type::length));
  *at++ = 1;
  out_.advance(static_cast<std::size_t>(at - start));
  return out_.size();
}

std::size_t SpanWriter::begin(std::uint32_t number, std::size_t likely_size) {
  const std::size_t length_size = wire::varint_size(likely_size);
  char* const start = out_.tail(5 + length_size);
  char* at = wire::write_varint(start, wire::tag(number, wire::Type::length));
  // The last byte of the gap says how wide it is, until `end` writes the length over it.
  at += length_size;
  at[-1] = static_cast<char>(length_size);
  out_.advance(static_cast<std::size_t>(at - start));
  return out_.size();
}

void SpanWriter::end(std::size_t mark) {
  const std::size_t size = out_.size() - mark;
  const auto gap = static_cast<std::size_t>(out_.data()[mark - 1]);
  const std::size_t needed = wire::varint_size(size);
  if (needed != gap) {
    if (needed > gap) out_.tail(needed - gap);
    char* const content = out_.data() + mark;
    std::memmove(content + needed - gap, content, size);
    out_.truncate(mark + needed - gap + size);
  }
  wire::write_varint(out_.data() + mark - gap, size);
}

void SpanWriter::attribute(std::uint32_t number, std::string_view key,
                           std::string_view string_value) {
  const std::size_t room = key.size() + string_value.size();
  if (number < 16 && room + 6 < 0x80) [[likely]] {
    // All lengths have one byte: tag, size | tag, key | tag, size | tag, value.
    char* at = out_.tail(room + 8);
    at[0] = static_cast<char>(wire::tag(number, wire::Type::length));
    at[1] = static_cast<char>(room + 6);
    at[2] = static_cast<char>(wire::tag(key_field, wire::Type::length));
    at[3] = static_cast<char>(key.size());
    at = put_short(at + 4, key);
    at[0] = static_cast<char>(wire::tag(value_field, wire::Type::length));
    at[1] = static_cast<char>(string_value.size() + 2);
    at[2] = static_cast<char>(wire::tag(otlp::any_value::string_value, wire::Type::length));
    at[3] = static_cast<char>(string_value.size());
    put_short(at + 4, string_value);
    return out_.advance(room + 8);
  }
  char* at = begin_attribute(out_, number, key,
                             wire::field_size(otlp::any_value::string_value, string_value.size()));
  *at++ = static_cast<char>(wire::tag(otlp::any_value::string_value, wire::Type::length));
  at = wire::write_varint(at, string_value.size());
  if (!string_value.empty()) std::memcpy(at, string_value.data(), string_value.size());
  end_attribute(out_, at + string_value.size());
}

void SpanWriter::attribute(std::uint32_t number, std::string_view key, std::int64_t integer) {
  const auto value = static_cast<std::uint64_t>(integer);
  char* at = begin_attribute(out_, number, key, 1 + wire::varint_size(value));
  *at++ = static_cast<char>(wire::tag(otlp::any_value::int_value, wire::Type::varint));
  end_attribute(out_, wire::write_varint(at, value));
}

void SpanWriter::attribute(std::uint32_t number, std::string_view key, double real) {
  char* at = begin_attribute(out_, number, key, 9);
  *at++ = static_cast<char>(wire::tag(otlp::any_value::double_value, wire::Type::fixed64));
  std::memcpy(at, &real, sizeof real);
  end_attribute(out_, at + sizeof real);
}

void SpanWriter::attribute(std::uint32_t number, std::string_view key, bool boolean) {
  char* at = begin_attribute(out_, number, key, 2);
  *at++ = static_cast<char>(wire::tag(otlp::any_value::bool_value, wire::Type::varint));
  *at++ = boolean ? 1 : 0;
  end_attribute(out_, at);
}

}  // namespace sluice
