// The uncommon half of the reader, and the writer's fields. What is accepted follows libprotobuf's
// parser to the byte, since bytes are passed on to receivers that use it: overlong varints up to ten
// bytes (five for tags and lengths), bits beyond the type's width dropped, groups matched by number.

#include "pipeline/model/wire.h"

#include <array>

namespace sluice::wire {

bool Cursor::read_tag(std::uint32_t& tag) {
  std::uint32_t value = 0;
  for (int shift = 0; shift < 35 && at_ != end_; shift += 7) {
    const auto byte = static_cast<unsigned char>(*at_++);
    value |= static_cast<std::uint32_t>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      tag = value;
      return true;
    }
  }
  return false;
}

bool Cursor::read_size(std::size_t& size) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 35 && at_ != end_; shift += 7) {
    const auto byte = static_cast<unsigned char>(*at_++);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      size = value;
      return true;
    }
  }
  return false;
}

bool Cursor::read_varint(std::uint64_t& value) {
  std::uint64_t result = 0;
  for (int shift = 0; shift < 70 && at_ != end_; shift += 7) {
    const auto byte = static_cast<unsigned char>(*at_++);
    result |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      value = result;
      return true;
    }
  }
  return false;
}

bool Cursor::step_over_group(std::uint32_t number) {
  if (depth_ < 1) return false;
  std::array<std::uint32_t, depth_max> open;  // by number: each end must match its own start
  int count = 0;
  open[static_cast<std::size_t>(count++)] = number;
  while (count > 0) {
    std::uint32_t key = 0;
    if (!read_tag(key) || key >> 3 == 0) return false;
    std::size_t skip = 0;
    std::uint64_t ignored = 0;
    switch (static_cast<Type>(key & 7)) {
      case Type::varint:
        if (!read_varint(ignored)) return false;
        break;
      case Type::fixed64:
        skip = 8;
        break;
      case Type::fixed32:
        skip = 4;
        break;
      case Type::length:
        if (!read_size(skip)) return false;
        break;
      case Type::group_start:
        if (count >= depth_) return false;
        open[static_cast<std::size_t>(count++)] = key >> 3;
        break;
      case Type::group_end:
        if (open[static_cast<std::size_t>(--count)] != key >> 3) return false;
        break;
      default:
        return false;
    }
    if (skip > static_cast<std::size_t>(end_ - at_)) return false;
    at_ += skip;
  }
  return true;
}

void append_length_delimited(BufferWriter& out, std::uint32_t number, std::string_view content) {
  char* const start = out.tail(20 + content.size());
  char* at = write_varint(start, tag(number, Type::length));
  at = write_varint(at, content.size());
  if (!content.empty()) std::memcpy(at, content.data(), content.size());
  out.advance(static_cast<std::size_t>(at - start) + content.size());
}

void append_varint_field(BufferWriter& out, std::uint32_t number, std::uint64_t value) {
  char* const start = out.tail(20);
  char* const at = write_varint(write_varint(start, tag(number, Type::varint)), value);
  out.advance(static_cast<std::size_t>(at - start));
}

void append_fixed64_field(BufferWriter& out, std::uint32_t number, std::uint64_t value) {
  char* const start = out.tail(20);
  char* const at = write_varint(start, tag(number, Type::fixed64));
  std::memcpy(at, &value, sizeof value);
  out.advance(static_cast<std::size_t>(at - start) + sizeof value);
}

void append_fixed32_field(BufferWriter& out, std::uint32_t number, std::uint32_t value) {
  char* const start = out.tail(20);
  char* const at = write_varint(start, tag(number, Type::fixed32));
  std::memcpy(at, &value, sizeof value);
  out.advance(static_cast<std::size_t>(at - start) + sizeof value);
}

}  // namespace sluice::wire
