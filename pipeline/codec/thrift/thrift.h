#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Reading Thrift (Apache Thrift: "Thrift Binary protocol encoding", "Thrift Compact protocol
/// encoding"), bounded: over borrowed bytes, without allocation, exceptions or virtual calls.
/// BinaryReader and CompactReader have the same members, so that what translates a struct is a
/// template over them and reads like this:
///
///   thrift::Field field;  // a fresh one for each struct: the compact protocol counts ids from it
///   while (reader.next(field)) {
///     if (field.is(1, thrift::Type::string)) name = reader.string();
///     else reader.skip(field);  // an unknown field, or a known one of another type
///   }
///   if (!reader.ok()) …  // asked once, at the end: after a mistake everything reads as zero
///
/// A reader is a few words: a copy of it is a bookmark.
namespace sluice::thrift {

/// The numbers are those of the binary protocol; the compact one's are translated.
enum class Type : std::uint8_t {
  stop = 0,
  boolean = 2,
  i8 = 3,
  real = 4,
  i16 = 6,
  i32 = 8,
  i64 = 10,
  string = 11,  ///< or binary: the wire does not tell
  structure = 12,
  map = 13,
  set = 14,
  list = 15,
};
/// A type byte that says how long what follows is.
inline constexpr bool known(Type type) {
  constexpr unsigned types = 1u << 2 | 1u << 3 | 1u << 4 | 1u << 6 | 1u << 8 | 0xFC00u;
  return static_cast<unsigned>(type) < 16 && (types >> static_cast<unsigned>(type) & 1) != 0;
}

enum class MessageType : std::uint8_t { call = 1, reply = 2, exception = 3, oneway = 4 };

/// What stands before the arguments of a call.
struct Message {
  MessageType type{};  ///< as it came: may be none of the four
  std::string_view name;
  std::int32_t sequence = 0;
};

struct Field {
  Type type = Type::stop;
  bool value = false;  ///< of a boolean in the compact protocol; ask `Reader::boolean`
  std::int16_t id = 0;
  bool is(std::int16_t wanted, Type wanted_type) const {
    return id == wanted && type == wanted_type;
  }
};

/// The head of a list or set. `size` elements can follow in what is left of the input.
struct List {
  Type element = Type::stop;
  std::uint32_t size = 0;
};
struct Map {
  Type key = Type::stop;
  Type value = Type::stop;
  std::uint32_t size = 0;
};

/// How deep structs and containers may nest in a field that is skipped.
inline constexpr int depth_max = 64;

/// What both readers have in common: the input, how far it is read, and the first mistake in it.
class Input {
 public:
  Input() : Input(std::string_view()) {}
  explicit Input(std::string_view bytes)
      : begin_(bytes.data()), at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool ok() const { return mistake_ == nullptr; }
  /// Of the next byte; after a mistake, of that.
  std::size_t position() const { return static_cast<std::size_t>(at_ - begin_); }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  std::size_t size() const { return static_cast<std::size_t>(end_ - begin_); }
  /// All of the input.
  std::string_view whole() const { return {begin_, size()}; }
  /// Back, or on, to where `position` was once. Does nothing after a mistake.
  void seek(std::size_t position) {
    if (ok()) at_ = begin_ + position;
  }
  /// "… at byte N"; empty as long as all is well.
  std::string error() const;
  /// Keeps the first mistake; from then on nothing is left to read. False always. `what` is a
  /// literal.
  bool fail(const char* what) {
    if (mistake_ == nullptr) mistake_ = what;
    end_ = at_;
    return false;
  }

 protected:
  /// `size` bytes, or null at a mistake.
  const char* take(std::size_t size) {
    if (left() < size) [[unlikely]] {
      fail("the input ends too early");
      return nullptr;
    }
    const char* const start = at_;
    at_ += size;
    return start;
  }
  bool fits(std::uint64_t count, std::size_t least_size) {
    if (count <= left() / least_size) [[likely]]
      return true;
    return fail("more elements are declared than the rest of the input can hold");
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  const char* mistake_ = nullptr;
};

}  // namespace sluice::thrift
