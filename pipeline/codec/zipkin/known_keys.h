#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sluice::zipkin {

/// The tag keys that a request used before. Spans of one sender have few different keys, mostly in
/// the same order: after a key, the one that followed it last time is compared first, so that a
/// known key costs a comparison instead of a scan, a look at its role and a hash.
///
/// Each key has the one place that its hash gives it; the later of two that share a place stays.
/// Nothing is copied: keys lie in the request.
class KnownKeys {
 public:
  using Place = std::uint8_t;
  static constexpr std::size_t places = 256;
  /// Of any key, known or not.
  static Place place_of(std::string_view key);

  /// How a member begins whose value is a text: `"key":"`, with the white space that it has.
  struct Known {
    const char* start = nullptr;
    std::uint8_t size = 0;
    std::uint8_t key_size = 0;
    Place place = 0;

    std::string_view key() const { return {start + 1, key_size}; }
  };
  static constexpr std::size_t size_max = 64;
  /// What must be readable behind the place that is asked about.
  static constexpr std::size_t margin = size_max + 8;

  /// The next key is the first of a span.
  void begin() { last_ = ahead_of_first; }
  /// The known key that the member at `at` begins with, which is then the latest; null: none.
  const Known* find(const char* at, const char* end) {
    const Known& likely = known_[next_[last_]];
    if (likely.size == 0 || !begins_with(at, likely)) [[unlikely]]
      return look_up(at, end);
    last_ = likely.place;
    return &likely;
  }
  /// Where `find` knew nothing: `start` is known from here on, unless it is too long.
  void add(std::string_view start, std::string_view key);

 private:
  static constexpr std::size_t ahead_of_first = places;
  static constexpr std::size_t word = sizeof(std::uint64_t);

  static std::uint64_t load(const char* at, std::size_t size = word) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, at, size);
    return bytes;
  }
  /// Word by word; the last one may reach over the end.
  static bool begins_with(const char* at, const Known& known) {
    const char* start = known.start;
    std::size_t size = known.size;
    for (; size >= word; size -= word, at += word, start += word) {
      if (load(at) != load(start)) return false;
    }
    return size == 0 || (load(at) ^ load(start)) << (8 * (word - size)) == 0;
  }
  const Known* look_up(const char* at, const char* end);
  const Known* take(Place place) {
    next_[last_] = place;
    last_ = place;
    return &known_[place];
  }

  std::array<Known, places> known_{};
  std::array<Place, places + 1> next_{};  ///< which key followed
  std::size_t last_ = ahead_of_first;
};

}  // namespace sluice::zipkin
