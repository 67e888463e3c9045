#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "pipeline/model/buffer.h"
#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_view.h"
#include "pipeline/model/wire.h"

namespace sluice {

/// Writes an ExportTraceServiceRequest front to back, straight from a parser: no object tree, no
/// allocation beyond the growing buffer. A nested message is opened with `begin` and closed with
/// `end`, which patches its length in (one byte is kept free; a longer length moves the content, so
/// that every varint is canonical). Used by whatever translates into OTLP.
class SpanWriter {
 public:
  explicit SpanWriter(std::size_t capacity) : out_(capacity) {}

  /// Opens field `number` as a nested message; returns what `end` needs.
  [[nodiscard]] std::size_t begin(std::uint32_t number);
  /// The same, keeping as many bytes free as a length of `likely_size` takes: for a ResourceSpans
  /// or ScopeSpans, whose content would be costly to move.
  [[nodiscard]] std::size_t begin(std::uint32_t number, std::size_t likely_size);
  void end(std::size_t mark);

  void string(std::uint32_t number, std::string_view value) {
    wire::append_length_delimited(out_, number, value);
  }
  void varint(std::uint32_t number, std::uint64_t value) {
    wire::append_varint_field(out_, number, value);
  }
  void fixed64(std::uint32_t number, std::uint64_t value) {
    wire::append_fixed64_field(out_, number, value);
  }
  void fixed32(std::uint32_t number, std::uint32_t value) {
    wire::append_fixed32_field(out_, number, value);
  }
  void real(std::uint32_t number, double value) {
    fixed64(number, std::bit_cast<std::uint64_t>(value));
  }

  /// A KeyValue under field `number` of the open message.
  void attribute(std::uint32_t number, std::string_view key, std::string_view string_value);
  /// The same where all of its lengths have one byte; false, and nothing was written, where they
  /// have not. A block of 16 bytes is readable behind both texts, so that they are copied by
  /// blocks.
  bool short_attribute(std::uint32_t number, std::string_view key, std::string_view string_value);
  /// A literal, which would be a bool otherwise.
  void attribute(std::uint32_t number, std::string_view key, const char* string_value) {
    attribute(number, key, std::string_view(string_value));
  }
  void attribute(std::uint32_t number, std::string_view key, std::int64_t integer);
  void attribute(std::uint32_t number, std::string_view key, double real);
  void attribute(std::uint32_t number, std::string_view key, bool boolean);

  BufferWriter& out() { return out_; }
  std::size_t size() const { return out_.size(); }
  void truncate(std::size_t size) { out_.truncate(size); }
  BufferWriter take() && { return std::move(out_); }

 private:
  BufferWriter out_;
};

inline bool SpanWriter::short_attribute(std::uint32_t number, std::string_view key,
                                        std::string_view string_value) {
  constexpr std::size_t block = 16;
  // tag, size | tag, size, key | tag, size | tag, size, value
  constexpr std::size_t heads = 8;
  const std::size_t size = heads + key.size() + string_value.size();
  if (size - 2 >= 0x80 || number >= 16) return false;
  const auto copy_blocks = [](char* at, std::string_view text) {
    for (std::size_t i = 0; i < text.size(); i += block)
      std::memcpy(at + i, text.data() + i, block);
    return at + text.size();
  };
  char* at = out_.tail(size + block);
  at[0] = static_cast<char>(wire::tag(number, wire::Type::length));
  at[1] = static_cast<char>(size - 2);
  at[2] = static_cast<char>(wire::tag(otlp::key_value::key, wire::Type::length));
  at[3] = static_cast<char>(key.size());
  at = copy_blocks(at + 4, key);
  at[0] = static_cast<char>(wire::tag(otlp::key_value::value, wire::Type::length));
  at[1] = static_cast<char>(string_value.size() + 2);
  at[2] = static_cast<char>(wire::tag(otlp::any_value::string_value, wire::Type::length));
  at[3] = static_cast<char>(string_value.size());
  copy_blocks(at + 4, string_value);
  out_.advance(size);
  return true;
}

}  // namespace sluice
