#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "pipeline/codec/thrift/thrift.h"

namespace sluice::thrift {

/// The compact protocol: varints, field ids as differences, booleans inside the field's head.
class CompactReader : public Input {
 public:
  using Input::Input;

  bool message(Message& message);

  /// The next field of a struct; false at its end or at a mistake. `field` is the one before, or
  /// a fresh one.
  bool next(Field& field) {
    if (at_ == end_) [[unlikely]]
      return fail("the input ends too early");
    const auto head = static_cast<unsigned char>(*at_);
    if ((head & 0x0F) == 0) {  // a stop is 0; Thrift's own libraries look at this half alone
      ++at_;
      return false;
    }
    field.type = type_of(head & 0x0F);
    if (field.type == Type::stop) [[unlikely]]
      return fail("a field is of no known type");
    ++at_;
    field.value = (head & 0x0F) == 1;
    if (head >> 4 == 0) [[unlikely]] {
      field.id = i16();
      return ok();
    }
    field.id = static_cast<std::int16_t>(field.id + (head >> 4));
    return true;
  }

  /// The value of field `id` if exactly that comes next, with a head in its short form: for fields
  /// in the order that everybody writes, at the cost of a comparison. False, having read nothing,
  /// for everything else; so after these `next` goes over what is left. `field` is the one before,
  /// as for `next`.
  bool next_string(std::int16_t id, Field& field, std::string_view& value) {
    if (!take_head(id, 8, field)) return false;
    value = string();
    return true;
  }
  bool next_i32(std::int16_t id, Field& field, std::int32_t& value) {
    if (!take_head(id, 5, field)) return false;
    value = i32();
    return true;
  }
  bool next_i64(std::int16_t id, Field& field, std::int64_t& value) {
    if (!take_head(id, 6, field)) return false;
    value = i64();
    return true;
  }
  /// Steps over the end of a struct if that comes next.
  bool next_is_stop() {
    if (at_ == end_ || *at_ != 0) return false;
    ++at_;
    return true;
  }

  bool boolean(const Field& field) { return field.value; }
  bool boolean_element() { return i8() == 1; }
  std::int8_t i8() {
    const char* const from = take(1);
    return from == nullptr ? std::int8_t{0} : static_cast<std::int8_t>(*from);
  }
  std::int16_t i16() { return static_cast<std::int16_t>(zigzag()); }
  std::int32_t i32() { return static_cast<std::int32_t>(zigzag()); }
  std::int64_t i64() { return zigzag(); }
  double real() {
    double value = 0;
    if (const char* const from = take(sizeof value)) std::memcpy(&value, from, sizeof value);
    return value;
  }
  std::string_view string() {
    const std::uint64_t size = varint();
    if (size > left()) [[unlikely]] {
      fail("a text is declared longer than the rest of the input");
      return {};
    }
    const char* const start = at_;
    at_ += size;
    return {start, size};
  }
  /// Of a list or a set.
  List list();
  Map map();

  /// Steps over the value of a field, or over one element.
  void skip(const Field& field) {
    if (field.type != Type::boolean) skip_element(field.type);
  }
  void skip_element(Type type);

 private:
  static Type type_of(unsigned compact) {
    constexpr Type types[16] = {Type::stop, Type::boolean, Type::boolean,  Type::i8,     Type::i16,
                                Type::i32,  Type::i64,     Type::real,     Type::string, Type::list,
                                Type::set,  Type::map,     Type::structure};
    return types[compact];
  }
  bool take_head(std::int16_t id, int compact_type, Field& field) {
    const int head = (id - field.id) << 4 | compact_type;
    if (at_ == end_ || static_cast<unsigned char>(*at_) != head) return false;
    ++at_;
    field.id = id;
    return true;
  }
  std::uint64_t varint() {
    if (at_ != end_ && static_cast<unsigned char>(*at_) < 0x80) [[likely]]
      return static_cast<unsigned char>(*at_++);
    return varint_long();
  }
  std::int64_t zigzag() {
    const std::uint64_t value = varint();
    return static_cast<std::int64_t>(value >> 1 ^ (0 - (value & 1)));
  }
  std::uint64_t varint_long();
};

}  // namespace sluice::thrift
