#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "pipeline/codec/thrift/thrift.h"

namespace sluice::thrift {

/// The binary protocol: big-endian numbers of fixed size, i32 lengths.
class BinaryReader : public Input {
 public:
  using Input::Input;

  /// The head of a message, strict (with a version) or old.
  bool message(Message& message);

  /// The next field of a struct; false at its end or at a mistake.
  bool next(Field& field) {
    if (left() < 3) [[unlikely]]
      return next_short(field);
    field.type = static_cast<Type>(*at_);
    if (field.type == Type::stop) {
      ++at_;
      return false;
    }
    if (!known(field.type)) [[unlikely]]
      return fail("a field is of no known type");
    std::uint16_t id = 0;
    std::memcpy(&id, at_ + 1, 2);
    field.id = static_cast<std::int16_t>(__builtin_bswap16(id));
    at_ += 3;
    return true;
  }

  /// The value of field `id` if exactly that comes next: for fields in the order that everybody
  /// writes, at the cost of a comparison. False, having read nothing, for everything else; so after
  /// these `next` goes over what is left. `field` is the one before, as for `next`.
  bool next_string(std::int16_t id, Field& field, std::string_view& value) {
    if (left() < 8 || !head_is(id, Type::string)) return false;
    std::uint32_t size = 0;
    std::memcpy(&size, at_ + 3, 4);
    size = __builtin_bswap32(size);
    if (size > left() - 7) return false;  // `next` and `string` will say why
    value = {at_ + 7, size};
    at_ += 7 + size;
    field.id = id;
    return true;
  }
  bool next_i32(std::int16_t id, Field& field, std::int32_t& value) {
    if (left() < 8 || !head_is(id, Type::i32)) return false;
    std::uint32_t number = 0;
    std::memcpy(&number, at_ + 3, 4);
    value = static_cast<std::int32_t>(__builtin_bswap32(number));
    at_ += 7;
    field.id = id;
    return true;
  }
  bool next_i64(std::int16_t id, Field& field, std::int64_t& value) {
    if (left() < 12 || !head_is(id, Type::i64)) return false;
    std::uint64_t number = 0;
    std::memcpy(&number, at_ + 3, 8);
    value = static_cast<std::int64_t>(__builtin_bswap64(number));
    at_ += 11;
    field.id = id;
    return true;
  }
  /// Steps over the end of a struct if that comes next.
  bool next_is_stop() {
    if (at_ == end_ || *at_ != 0) return false;
    ++at_;
    return true;
  }

  bool boolean(const Field&) { return boolean_element(); }
  bool boolean_element() { return i8() != 0; }
  std::int8_t i8() {
    const char* const from = take(1);
    return from == nullptr ? std::int8_t{0} : static_cast<std::int8_t>(*from);
  }
  std::int16_t i16() {
    return static_cast<std::int16_t>(__builtin_bswap16(number<std::uint16_t>()));
  }
  std::int32_t i32() {
    return static_cast<std::int32_t>(__builtin_bswap32(number<std::uint32_t>()));
  }
  std::int64_t i64() {
    return static_cast<std::int64_t>(__builtin_bswap64(number<std::uint64_t>()));
  }
  double real() { return std::bit_cast<double>(i64()); }
  std::string_view string() {
    const std::int32_t size = i32();
    if (size < 0) [[unlikely]] {
      fail("a length is negative");
      return {};
    }
    const char* const from = take(static_cast<std::size_t>(size));
    return from == nullptr ? std::string_view()
                           : std::string_view(from, static_cast<std::size_t>(size));
  }
  /// Of a list or a set.
  List list();
  Map map();

  /// Steps over the value of a field, or over one element.
  void skip(const Field& field) { skip_element(field.type); }
  void skip_element(Type type);

 private:
  template <typename Unsigned>
  Unsigned number() {
    Unsigned value = 0;
    if (const char* const from = take(sizeof value)) std::memcpy(&value, from, sizeof value);
    return value;
  }
  /// There are four bytes at least; the fourth is of what follows.
  bool head_is(std::int16_t id, Type type) const {
    std::uint32_t head = 0;
    std::memcpy(&head, at_, 4);
    const std::uint32_t number = static_cast<std::uint16_t>(id);
    const std::uint32_t wanted =
        static_cast<std::uint32_t>(type) | (number >> 8) << 8 | (number & 0xFF) << 16;
    return (head & 0xFFFFFF) == wanted;
  }
  bool next_short(Field& field);
};

}  // namespace sluice::thrift
