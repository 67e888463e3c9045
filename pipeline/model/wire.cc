// The uncommon half of the reader, and the writer's fields. What is accepted follows libprotobuf's
// parser to the byte, since bytes are passed on to receivers that use it: overlong varints up to
// ten bytes (five for tags and lengths), bits beyond the type's width dropped, groups matched by
// number.

#include "pipeline/model/wire.h"

#include <array>

namespace sluice::wire {

Scanned scan_tag(const char* at, const char* end) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 35 && at != end; shift += 7) {
    const auto byte = static_cast<unsigned char>(*at++);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return {at, value};
  }
  return {at, scan_failed};
}

Scanned scan_varint(const char* at, const char* end) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 70 && at != end; shift += 7) {
    const auto byte = static_cast<unsigned char>(*at++);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return {at, value};
  }
  return {nullptr, 0};
}

Scanned scan_group(const char* at, const char* end, std::uint32_t number, int depth) {
  const auto failed = [&at] { return Scanned{at, scan_failed}; };
  if (depth < 1) return failed();
  std::array<std::uint32_t, depth_max> open;  // by number: each end must match its own start
  int count = 0;
  open[static_cast<std::size_t>(count++)] = number;
  while (count > 0) {
    const Scanned tag = scan_tag(at, end);
    at = tag.at;
    const auto key = static_cast<std::uint32_t>(tag.value);
    if (tag.value == scan_failed || key >> 3 == 0) return failed();
    std::size_t skip = 0;
    switch (static_cast<Type>(key & 7)) {
      case Type::varint: {
        const Scanned ignored = scan_varint(at, end);
        if (ignored.at == nullptr) return failed();
        at = ignored.at;
        break;
      }
      case Type::fixed64: skip = 8; break;
      case Type::fixed32: skip = 4; break;
      case Type::length: {
        const Scanned size = scan_tag(at, end);
        at = size.at;
        if (size.value == scan_failed) return failed();
        skip = size.value;
        break;
      }
      case Type::group_start:
        if (count >= depth) return failed();
        open[static_cast<std::size_t>(count++)] = key >> 3;
        break;
      case Type::group_end:
        if (open[static_cast<std::size_t>(--count)] != key >> 3) return failed();
        break;
      default: return failed();
    }
    if (skip > static_cast<std::size_t>(end - at)) return failed();
    at += skip;
  }
  return {at, 0};
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
