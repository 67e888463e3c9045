#include "pipeline/codec/thrift/binary_reader.h"

#include "pipeline/codec/thrift/skip.h"

namespace sluice::thrift {
namespace {

constexpr std::uint32_t version_mask = 0xFFFF0000, version_1 = 0x80010000;

/// The fewest bytes that a value takes.
std::size_t least_size(Type type) {
  switch (type) {
    case Type::i16: return 2;
    case Type::i32:
    case Type::string: return 4;
    case Type::set:
    case Type::list: return 5;
    case Type::map: return 6;
    case Type::i64:
    case Type::real: return 8;
    default: return 1;
  }
}

}  // namespace

bool BinaryReader::message(Message& message) {
  const char* const start = at_;
  const std::int32_t first = i32();
  if (!ok()) return false;
  if (first < 0) {
    const auto head = static_cast<std::uint32_t>(first);
    if ((head & version_mask) != version_1) {
      at_ = start;
      return fail("a message of another version of the binary protocol");
    }
    message.type = static_cast<MessageType>(head & 0xFF);
    message.name = string();
  } else {
    at_ = start;
    message.name = string();
    message.type = static_cast<MessageType>(i8());
  }
  message.sequence = i32();
  return ok();
}

/// The stop byte may be the last one; a field is never that short.
bool BinaryReader::next_short(Field& field) {
  field.type = Type::stop;
  if (left() == 0 || *at_ != 0) return fail("the input ends too early");
  ++at_;
  return false;
}

List BinaryReader::list() {
  const auto element = static_cast<Type>(i8());
  const std::int32_t size = i32();
  if (size < 0) fail("a list's size is negative");
  if (size <= 0 || !ok()) return {};
  if (!known(element)) {
    fail("a list's elements are of no known type");
    return {};
  }
  const auto count = static_cast<std::uint32_t>(size);
  return fits(count, least_size(element)) ? List{element, count} : List{};
}

Map BinaryReader::map() {
  const auto key = static_cast<Type>(i8());
  const auto value = static_cast<Type>(i8());
  const std::int32_t size = i32();
  if (size < 0) fail("a map's size is negative");
  if (size <= 0 || !ok()) return {};
  if (!known(key) || !known(value)) {
    fail("a map's keys or values are of no known type");
    return {};
  }
  const auto count = static_cast<std::uint32_t>(size);
  return fits(count, least_size(key) + least_size(value)) ? Map{key, value, count} : Map{};
}

void BinaryReader::skip_element(Type type) { skip_value(*this, type, 0); }

}  // namespace sluice::thrift
