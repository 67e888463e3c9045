#include "pipeline/codec/zipkin/known_keys.h"

#include "pipeline/codec/json_scanner.h"

namespace sluice::zipkin {
KnownKeys::Place KnownKeys::place_of(std::string_view key) {
  constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;
  const std::size_t size = key.size();
  const char* const text = key.data();
  std::uint64_t hash = size;
  if (size >= word) {
    hash ^= load(text) * golden ^ load(text + size - word);
  } else if (size >= 4) {
    hash ^= load(text, 4) * golden ^ load(text + size - 4, 4);
  } else if (size > 0) {
    hash ^= load(text, 1) << 16 ^ load(text + size / 2, 1) << 8 ^ load(text + size - 1, 1);
  }
  return static_cast<Place>(hash * golden >> 56);
}

const KnownKeys::Known* KnownKeys::look_up(const char* at, const char* end) {
  const char* const key = at + 1;
  const std::string_view found(key,
                               static_cast<std::size_t>(json::find_string_stop(key, end) - key));
  const Known& known = known_[place_of(found)];
  if (known.size == 0 || known.key_size != found.size() || !begins_with(at, known)) return nullptr;
  return take(known.place);
}

void KnownKeys::add(std::string_view start, std::string_view key) {
  if (start.size() > size_max) return;
  const Place place = place_of(key);
  known_[place] = {start.data(), static_cast<std::uint8_t>(start.size()),
                   static_cast<std::uint8_t>(key.size()), place};
  take(place);
}

}  // namespace sluice::zipkin
