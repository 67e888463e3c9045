#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_batch.h"
#include "pipeline/model/wire.h"

namespace sluice {

/// The beginning of a span, as far as its fields stand as nearly every sender writes them: in
/// ascending order, with tags and lengths of one byte. Offsets that are known without a look at
/// lengths, and few instructions, let the processor work on several spans at once: parsing takes
/// 23 ns a span with eight attributes instead of 30, a view 24 instead of 42. Who wants only some
/// of the fields does not pay for the others: all of it is inlined.
class UsualSpan {
 public:
  /// `tail` as it was found when this message was read before.
  [[gnu::always_inline]] explicit UsualSpan(std::string_view message,
                                            std::uint8_t tail = SpanEntry::unknown_tail)
      : at_(message.data()), end_(message.data() + message.size()) {
    if (!read_head()) return;
    if (tail != SpanEntry::unknown_tail) {
      at_ = end_ - tail;
    } else {
      for (std::string_view attribute; read_short(otlp::span::attributes, attribute);) {
      }
    }
    behind_attributes_ = at_;
    has_status = read_short(otlp::span::status, status);
    read_flags();
  }

  /// How much of a span stands before its attributes, if it is in the usual form; or less.
  static std::size_t head_size(std::string_view message) {
    UsualSpan span(message.data(), message.data() + message.size());
    span.read_head();
    return static_cast<std::size_t>(span.at_ - message.data());
  }

  /// What is to be read in the general way. Fields in there count more than those that were read.
  std::string_view rest() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }

  /// How much stands behind the attributes, if that can be said in a byte.
  std::uint8_t tail() const {
    if (behind_attributes_ == nullptr) return SpanEntry::unknown_tail;
    const std::ptrdiff_t size = end_ - behind_attributes_;
    return static_cast<std::uint8_t>(std::min<std::ptrdiff_t>(size, SpanEntry::unknown_tail));
  }

  std::string_view trace_id, span_id, parent_span_id, name, status;
  const char* times = nullptr;  ///< of the kind's tag, which start and end stand behind
  std::uint32_t flags = 0;
  bool has_status = false;

  std::int32_t kind() const { return times == nullptr ? 0 : times[1]; }
  std::uint64_t start() const { return times == nullptr ? 0 : fixed64(times + 3); }
  std::uint64_t end() const { return times == nullptr ? 0 : fixed64(times + 12); }

 private:
  static constexpr std::ptrdiff_t ids_size = 18 + 10 + 10;  ///< of both ids and that of the parent
  static constexpr std::ptrdiff_t times_size = 2 + 9 + 9;

  UsualSpan(const char* begin, const char* end) : at_(begin), end_(end) {}

  static std::uint16_t two_bytes(const char* from) {
    std::uint16_t value = 0;
    std::memcpy(&value, from, sizeof value);
    return value;
  }
  static std::uint64_t fixed64(const char* from) {
    std::uint64_t value = 0;
    std::memcpy(&value, from, sizeof value);
    return value;
  }
  static constexpr std::uint16_t header(std::uint32_t number, std::uint32_t size) {
    return static_cast<std::uint16_t>(wire::tag(number, wire::Type::length) | size << 8);
  }
  static bool is_tag(char byte, std::uint32_t number, wire::Type type) {
    return static_cast<unsigned char>(byte) == wire::tag(number, type);
  }

  bool read_head() {
    if (!read_ids()) return false;
    read_short(otlp::span::name, name);
    read_times();
    return true;
  }
  bool read_ids() {
    if (end_ - at_ < ids_size + times_size) return false;
    if (two_bytes(at_) != header(otlp::span::trace_id, 16)) return false;
    trace_id = {at_ + 2, 16};
    at_ += 18;
    if (two_bytes(at_) != header(otlp::span::span_id, 8)) return false;
    span_id = {at_ + 2, 8};
    at_ += 10;
    if (two_bytes(at_) != header(otlp::span::parent_span_id, 8)) return true;
    parent_span_id = {at_ + 2, 8};
    at_ += 10;
    return true;
  }
  void read_times() {
    const bool are_there = end_ - at_ >= times_size &&
                           is_tag(at_[0], otlp::span::kind, wire::Type::varint) &&
                           static_cast<signed char>(at_[1]) >= 0 &&
                           is_tag(at_[2], otlp::span::start_time, wire::Type::fixed64) &&
                           is_tag(at_[11], otlp::span::end_time, wire::Type::fixed64);
    if (!are_there) return;
    times = at_;
    at_ += times_size;
  }
  void read_flags() {
    constexpr std::uint32_t tag = wire::tag(otlp::span::flags, wire::Type::fixed32);
    static_assert(tag >= 0x80, "of two bytes");
    if (end_ - at_ < 6 || two_bytes(at_) != ((tag & 0x7f) | 0x80 | tag >> 7 << 8)) return;
    std::memcpy(&flags, at_ + 2, sizeof flags);
    at_ += 6;
  }
  bool read_short(std::uint32_t number, std::string_view& content) {
    if (end_ - at_ < 2 || !is_tag(at_[0], number, wire::Type::length)) return false;
    const auto size = static_cast<signed char>(at_[1]);
    if (size < 0 || end_ - at_ - 2 < size) return false;
    content = {at_ + 2, static_cast<std::size_t>(size)};
    at_ += 2 + size;
    return true;
  }

  const char* at_;
  const char* behind_attributes_ = nullptr;
  const char* const end_;
};

}  // namespace sluice
