#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "pipeline/codec/byte_sink.h"
#include "pipeline/codec/json_scanner.h"
#include "pipeline/model/wire.h"

namespace sluice::json {

/// Values of a JSON text written as fields of a protobuf message, by the rules of OTLP/JSON; what a
/// reader of messages is built from. Each verb reads the value that comes next and appends field
/// `number` with it; false, and the scanner knows why, when the value does not fit.
class FieldWriter {
 public:
  /// Starts with room for `capacity` bytes behind what `out` holds, then grows to `capacity_next`.
  FieldWriter(std::string_view text, BufferWriter& out, std::size_t capacity,
              std::size_t capacity_next)
      : in_(text), out_(out, capacity, capacity_next) {}

  bool string(std::uint32_t number);
  /// Each element of an array of strings as a field.
  bool strings(std::uint32_t number);
  /// Hexadecimal.
  bool identifier(std::uint32_t number);
  /// Base64.
  bool bytes(std::uint32_t number);
  bool boolean(std::uint32_t number);
  bool real(std::uint32_t number);
  bool fixed64(std::uint32_t number);
  bool fixed32(std::uint32_t number);
  /// uint32 and int64 as varints.
  bool count(std::uint32_t number);
  bool signed_integer(std::uint32_t number);
  /// An object written just as nearly all attributes are, `{"key":"…","value":{"stringValue":"…"}}`
  /// or `{"intValue":"12"}`, as a KeyValue. False where it is not, and nothing was read or written.
  bool plain_attribute(std::uint32_t number);
  /// A number, or one of `names`, which start at 0.
  bool enumeration(std::uint32_t number, std::span<const std::string_view> names);

  /// Opens a nested message and leaves `width` bytes (at most 3) for its length; returns what `end`
  /// needs. Its number is under 16, so its tag is one byte.
  std::size_t begin(std::uint32_t number, std::size_t width) {
    char* const out = out_.room(4);
    *out = static_cast<char>(wire::tag(number, wire::Type::length));
    out_.advance_to(out + 1 + width);
    return out_.position();
  }
  /// Writes the length; moves the content where that takes more or fewer bytes than were left.
  void end(std::size_t mark, std::size_t width) {
    const std::size_t size = out_.position() - mark;
    if (width == 1 && size < 0x80) [[likely]] {
      out_.at(mark)[-1] = static_cast<char>(size);
      return;
    }
    end_long(mark, width, size);
  }

  Scanner& in() { return in_; }
  /// What was written belongs to the BufferWriter from here on.
  void finish() { out_.finish(); }

 private:
  bool plain_string(std::uint32_t number, std::string_view key, const char* value);
  bool plain_integer(std::uint32_t number, std::string_view key, const char* value);
  char* open_plain(std::uint32_t number, std::string_view key, std::size_t value_size);
  bool copy_string();
  const char* copy_plain(const char* at);
  bool short_string(std::string_view& text);
  template <typename Integer>
  bool integer(Integer& value, std::string_view what);
  template <typename Integer>
  bool unusual_integer(Integer& value, std::string_view what);
  void tag(std::uint32_t number, wire::Type type);
  void varint(std::uint64_t value);
  template <typename Integer>
  void fixed(Integer value);
  void end_long(std::size_t mark, std::size_t width, std::size_t size);

  Scanner in_;
  ByteSink out_;
};

}  // namespace sluice::json
