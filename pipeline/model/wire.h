#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "pipeline/model/buffer.h"

/// The protobuf wire format: a bounds-checked reader over borrowed bytes and the pieces of a
/// writer.
namespace sluice::wire {

static_assert(std::endian::native == std::endian::little, "fixed numbers are copied as they lie");

enum class Type : std::uint8_t {
  varint = 0,
  fixed64 = 1,
  length = 2,
  group_start = 3,
  group_end = 4,
  fixed32 = 5
};

/// One field as it stands on the wire.
struct Field {
  std::uint32_t number = 0;
  Type type = Type::varint;
  std::uint64_t value = 0;   ///< varint, fixed64, fixed32
  std::string_view content;  ///< length-delimited
  std::string_view whole;    ///< from the tag to the end

  bool is(std::uint32_t wanted, Type wanted_type) const {
    return number == wanted && type == wanted_type;
  }
};

/// How deep messages and groups may nest in one another, as protobuf's own parsers count.
inline constexpr int depth_max = 100;

/// The uncommon varints: those longer than a byte. All by value, so that a cursor and its field can
/// live in registers: through references, the store and reload of each piece cost a third of a walk
/// over a span.
struct Scanned {
  const char* at;  ///< behind what was read; where reading stopped, for a failure
  std::uint64_t value;
};
/// Not the value of any tag or length; a varint of this value is read by scan_varint, which tells
/// by `at`.
inline constexpr std::uint64_t scan_failed = UINT64_MAX;
Scanned scan_tag(const char* at, const char* end);  ///< a tag or length: at most five bytes
Scanned scan_varint(const char* at,
                    const char* end);  ///< at most ten bytes; `at` null for a failure
/// From behind a group's start to behind its end; the value is scan_failed for a failure.
Scanned scan_group(const char* at, const char* end, std::uint32_t number, int depth);

/// Reads the fields of a message one by one. `next` is false at the end and at the first malformed
/// field (field 0, a tag over five bytes, a varint over ten, a length past the end, an unclosed or
/// too deep group); `ok` tells the two apart. Accepts what libprotobuf accepts. Groups are stepped
/// over whole (reported as group_start with the group's content).
class Cursor {
 public:
  /// `depth`: how many groups may still nest, for a message that lies in others itself.
  explicit Cursor(std::string_view message, int depth = depth_max)
      : at_(message.data()), end_(message.data() + message.size()), depth_(depth) {}

  bool next(Field& field);
  bool ok() const { return ok_; }
  /// Where the next field starts; after a malformed one, where reading stopped.
  const char* at() const { return at_; }

 private:
  bool fail() {
    end_ = at_;
    return ok_ = false;
  }
  /// Takes what a scan found behind it; on failure stays where the scan stopped.
  bool take(Scanned scanned) {
    at_ = scanned.at;
    return scanned.value != scan_failed || fail();
  }

  const char* at_;
  const char* end_;
  int depth_;
  bool ok_ = true;
};

inline constexpr std::size_t varint_size(std::uint64_t value) {
  // A seventh of its bits, rounded up, without the division.
  return (static_cast<unsigned>(std::bit_width(value | 1)) * 9 + 64) / 64;
}
inline constexpr std::uint32_t tag(std::uint32_t number, Type type) {
  return number << 3 | static_cast<std::uint32_t>(type);
}
/// Size of a length-delimited field: tag, length and content.
inline constexpr std::size_t field_size(std::uint32_t number, std::size_t content) {
  return varint_size(number << 3) + varint_size(content) + content;
}
struct TwoWords {
  std::uint64_t low, high;
};
/// Writes the varint to `out` (at most ten bytes); returns behind it.
inline char* write_varint(char* out, std::uint64_t value) {
  while (value >= 0x80) {
    *out++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *out++ = static_cast<char>(value);
  return out;
}

/// Copies the bytes to `out`; returns behind them. Keys and short texts are copied here: a call
/// takes longer than they do.
inline char* write_bytes(char* out, std::string_view bytes) {
  const std::size_t size = bytes.size();
  const char* const from = bytes.data();
  const auto both_ends = [&]<typename Word>(Word first, Word last) {
    std::memcpy(&first, from, sizeof first);
    std::memcpy(&last, from + size - sizeof last, sizeof last);
    std::memcpy(out, &first, sizeof first);
    std::memcpy(out + size - sizeof last, &last, sizeof last);
  };
  if (size > 32) {
    std::memcpy(out, from, size);
  } else if (size >= 16) {
    both_ends(TwoWords(), TwoWords());
  } else if (size >= 8) {
    both_ends(std::uint64_t(), std::uint64_t());
  } else if (size >= 4) {
    both_ends(std::uint32_t(), std::uint32_t());
  } else {
    for (std::size_t i = 0; i < size; ++i) out[i] = from[i];
  }
  return out + size;
}

inline void append_varint(BufferWriter& out, std::uint64_t value) {
  char* const start = out.tail(10);
  out.advance(static_cast<std::size_t>(write_varint(start, value) - start));
}
inline void append_tag(BufferWriter& out, std::uint32_t number, Type type) {
  append_varint(out, tag(number, type));
}
void append_length_delimited(BufferWriter& out, std::uint32_t number, std::string_view content);
void append_varint_field(BufferWriter& out, std::uint32_t number, std::uint64_t value);
void append_fixed64_field(BufferWriter& out, std::uint32_t number, std::uint64_t value);
void append_fixed32_field(BufferWriter& out, std::uint32_t number, std::uint32_t value);

// Inline, since it runs some twenty times a span and the caller's switch on the number folds into
// it: tags and lengths of one byte are all that typical spans have.
inline bool Cursor::next(Field& field) {
  if (at_ == end_) return false;
  const char* const start = at_;
  std::uint32_t key = static_cast<unsigned char>(*at_);
  if (key < 0x80) [[likely]] {
    ++at_;
  } else {
    const Scanned scanned = scan_tag(at_, end_);
    if (!take(scanned)) return false;
    key = static_cast<std::uint32_t>(scanned.value);
  }
  field.number = key >> 3;
  field.type = static_cast<Type>(key & 7);
  if (field.number == 0) return fail();
  if (field.type == Type::length) [[likely]] {
    if (at_ == end_) return fail();
    std::size_t size = static_cast<unsigned char>(*at_);
    if (size < 0x80) [[likely]] {
      ++at_;
    } else {
      const Scanned scanned = scan_tag(at_, end_);
      if (!take(scanned)) return false;
      size = scanned.value;
    }
    if (size > static_cast<std::size_t>(end_ - at_)) return fail();
    field.content = {at_, size};
    at_ += size;
    field.whole = {start, static_cast<std::size_t>(at_ - start)};
    return true;
  }
  switch (field.type) {
    case Type::varint:
      if (at_ == end_) return fail();
      field.value = static_cast<unsigned char>(*at_);
      if (field.value < 0x80) [[likely]] {
        ++at_;
      } else {
        const Scanned scanned = scan_varint(at_, end_);
        if (scanned.at == nullptr) return fail();
        at_ = scanned.at;
        field.value = scanned.value;
      }
      break;
    case Type::fixed64: {
      if (end_ - at_ < 8) return fail();
      std::uint64_t value = 0;
      std::memcpy(&value, at_, 8);
      field.value = value;
      at_ += 8;
      break;
    }
    case Type::fixed32: {
      if (end_ - at_ < 4) return fail();
      std::uint32_t value = 0;
      std::memcpy(&value, at_, 4);
      field.value = value;
      at_ += 4;
      break;
    }
    case Type::group_start: {
      const char* const inside = at_;
      if (!take(scan_group(at_, end_, field.number, depth_))) return false;
      field.content = {inside, static_cast<std::size_t>(at_ - inside)};
      break;
    }
    default:  // an end without a start, or wire types 6 and 7
      return fail();
  }
  field.whole = {start, static_cast<std::size_t>(at_ - start)};
  return true;
}

}  // namespace sluice::wire
