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

  /// Steps over the head of field `id` if exactly that comes next, in its short form: for fields in
  /// the order that everybody writes, at the cost of a comparison. `field` is the one before, as
  /// for `next`. Not for booleans, whose value is in the head.
  bool next_is(std::int16_t id, Type type, Field& field) {
    if (at_ == end_) return false;
    const int head = (id - field.id) << 4 | compact_of(type);
    if (static_cast<unsigned char>(*at_) != head) return false;
    ++at_;
    field.id = id;
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
  /// Of the types that `next_is` is for.
  static constexpr int compact_of(Type type) {
    switch (type) {
      case Type::i8: return 3;
      case Type::i16: return 4;
      case Type::i32: return 5;
      case Type::i64: return 6;
      case Type::real: return 7;
      case Type::string: return 8;
      case Type::list: return 9;
      case Type::set: return 10;
      case Type::map: return 11;
      case Type::structure: return 12;
      default: return 0;
    }
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
