#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_view.h"
#include "pipeline/model/wire.h"

namespace sluice {

/// A field that holds a KeyValue as nearly all are: key before value, and all tags and lengths of
/// one byte. These are looked at several at once, which makes a walk a quarter faster.
class UsualAttribute {
 public:
  [[gnu::always_inline]] UsualAttribute(const char* at, const char* end, std::uint32_t number)
      : at_(at) {
    const auto left = static_cast<std::size_t>(end - at);
    if (left < head_size || number > 15) return;  // of more, the tag is longer
    const auto head = load<std::uint32_t>(at);
    if ((head & 0x80ff80ff) != (tag(number) | tag(otlp::key_value::key) << 16)) return;
    const std::size_t content = head >> 8 & 0x7f;
    key_ = head >> 24;
    if (content < key_ + 4 || content > left - 2) return;
    value_ = content - key_ - 4;
    is_one_ = load<std::uint16_t>(at + 4 + key_) == (tag(otlp::key_value::value) | value_ << 8);
  }

  bool is_one() const { return is_one_; }
  /// The rest is of one that is_one.
  std::size_t size() const { return head_size + key_ + value_; }
  KeyValueView view() const {
    return {{at_, size()}, {at_ + 4, key_}, {at_ + head_size + key_, value_}, true};
  }

 private:
  static constexpr std::size_t head_size = 6;  ///< three tags and lengths
  static constexpr std::uint32_t tag(std::uint32_t number) {
    return wire::tag(number, wire::Type::length);
  }
  template <typename Word>
  static Word load(const char* from) {
    Word word = 0;
    std::memcpy(&word, from, sizeof word);
    return word;
  }

  const char* at_;
  std::size_t key_ = 0;
  std::size_t value_ = 0;
  bool is_one_ = false;
};

/// Calls `each(view)` for the attributes of a message, in its fields `number`, until it says false.
/// Every span that is asked about, or edited, is walked over: this is the fast way, in which an
/// attribute as everybody writes it stays in registers. Through AttributeRange it took twice as
/// long.
template <typename Each>
[[gnu::flatten]] void each_attribute(std::string_view message, std::uint32_t number, Each each) {
  const char* at = message.data();
  const char* const end = at + message.size();
  while (at != end) {
    if (const UsualAttribute usual(at, end, number); usual.is_one()) {
      if (!each(usual.view())) return;
      at += usual.size();
      continue;
    }
    wire::Cursor cursor(std::string_view(at, static_cast<std::size_t>(end - at)));
    wire::Field field;
    if (!cursor.next(field)) return;
    const std::string_view whole(at, static_cast<std::size_t>(cursor.at() - at));
    at = cursor.at();
    if (!field.is(number, wire::Type::length)) continue;
    const std::string_view content = field.content;
    if (const std::size_t value = plain_value_offset(content); value > 0) {
      if (!each(KeyValueView{whole, plain_key(content), content.substr(value), true})) return;
    } else {
      const KeyValueView view = read_any_key_value({whole, content});
      if (!each(KeyValueView{whole, view.key, view.value_message, view.has_value})) return;
    }
  }
}

}  // namespace sluice
