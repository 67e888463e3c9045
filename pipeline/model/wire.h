#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "pipeline/model/buffer.h"

/// The protobuf wire format: a bounds-checked reader over borrowed bytes and the pieces of a writer.
namespace sluice::wire {

enum class Type : std::uint8_t { varint = 0, fixed64 = 1, length = 2, group_start = 3, group_end = 4, fixed32 = 5 };

/// One field as it stands on the wire.
struct Field {
  std::uint32_t number = 0;
  Type type = Type::varint;
  std::uint64_t value = 0;   ///< varint, fixed64, fixed32
  std::string_view content;  ///< length-delimited
  std::string_view whole;    ///< from the tag to the end
};

/// Reads the fields of a message one by one. `next` is false at the end and at the first malformed
/// field (field 0, a number past 2^29-1, a varint over ten bytes, a length past the end, an unclosed
/// or too deep group); `ok` tells the two apart. Groups are stepped over whole (reported as
/// group_start with the group's content).
class Cursor {
 public:
  explicit Cursor(std::string_view message)
      : at_(message.data()), end_(message.data() + message.size()) {}

  bool next(Field& field);
  bool ok() const { return ok_; }

 private:
  const char* at_;
  const char* end_;
  bool ok_ = true;
};

inline constexpr std::size_t varint_size(std::uint64_t value) {
  return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}
inline constexpr std::uint32_t tag(std::uint32_t number, Type type) {
  return number << 3 | static_cast<std::uint32_t>(type);
}
/// Writes the varint to `out` (at most ten bytes); returns behind it.
char* write_varint(char* out, std::uint64_t value);

void append_varint(BufferWriter& out, std::uint64_t value);
void append_tag(BufferWriter& out, std::uint32_t number, Type type);
void append_length_delimited(BufferWriter& out, std::uint32_t number, std::string_view content);
void append_varint_field(BufferWriter& out, std::uint32_t number, std::uint64_t value);
void append_fixed64_field(BufferWriter& out, std::uint32_t number, std::uint64_t value);
void append_fixed32_field(BufferWriter& out, std::uint32_t number, std::uint32_t value);

}  // namespace sluice::wire
