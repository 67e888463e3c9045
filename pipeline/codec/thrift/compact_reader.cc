#include "pipeline/codec/thrift/compact_reader.h"

#include "pipeline/codec/thrift/skip.h"

namespace sluice::thrift {
namespace {

constexpr unsigned char protocol_id = 0x82;
constexpr unsigned version = 1, version_mask = 0x1F;
constexpr int type_shift = 5;

std::size_t least_size(Type type) { return type == Type::real ? 8 : 1; }

}  // namespace

bool CompactReader::message(Message& message) {
  if (left() < 2) return fail("the input ends too early");
  if (static_cast<unsigned char>(*at_) != protocol_id)
    return fail("not a message of the compact protocol");
  ++at_;
  const auto head = static_cast<unsigned char>(*at_);
  if ((head & version_mask) != version)
    return fail("a message of another version of the compact protocol");
  ++at_;
  message.type = static_cast<MessageType>(head >> type_shift);
  message.sequence = static_cast<std::int32_t>(varint());
  message.name = string();
  return ok();
}

/// Bits beyond the 64th are dropped, as Thrift's own libraries do.
std::uint64_t CompactReader::varint_long() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (at_ == end_) {
      fail("the input ends too early");
      return 0;
    }
    const auto byte = static_cast<unsigned char>(*at_++);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  fail("a number is longer than ten bytes");
  return 0;
}

List CompactReader::list() {
  const auto head = static_cast<unsigned char>(i8());
  std::uint64_t size = head >> 4;
  if (size == 15) size = varint();
  if (size == 0 || !ok()) return {};
  const Type element = type_of(head & 0x0F);
  if (element == Type::stop) {
    fail("a list's elements are of no known type");
    return {};
  }
  return fits(size, least_size(element)) ? List{element, static_cast<std::uint32_t>(size)} : List{};
}

Map CompactReader::map() {
  const std::uint64_t size = varint();
  if (size == 0 || !ok()) return {};
  const auto types = static_cast<unsigned char>(i8());
  const Type key = type_of(types >> 4), value = type_of(types & 0x0F);
  if (!ok()) return {};
  if (key == Type::stop || value == Type::stop) {
    fail("a map's keys or values are of no known type");
    return {};
  }
  return fits(size, least_size(key) + least_size(value))
             ? Map{key, value, static_cast<std::uint32_t>(size)}
             : Map{};
}

void CompactReader::skip_element(Type type) { skip_value(*this, type, 0); }

}  // namespace sluice::thrift
