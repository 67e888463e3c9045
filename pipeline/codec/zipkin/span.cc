#include "pipeline/codec/zipkin/span.h"

#include <algorithm>
#include <cstring>

#include "pipeline/codec/hex.h"

namespace sluice::zipkin {
namespace {

template <std::size_t size>
Id<size> invalid() {
  Id<size> id;
  id.state = Id<size>::State::invalid;
  return id;
}

void put_number(std::int64_t number, char* out) {
  const std::uint64_t big = __builtin_bswap64(static_cast<std::uint64_t>(number));
  std::memcpy(out, &big, sizeof big);
}

}  // namespace

template <std::size_t size>
Id<size> id_of_digits(std::string_view digits) {
  Id<size> id;
  if (digits.size() == 2 * size) [[likely]] {
    if (!hex::decode(digits, id.bytes.data())) return invalid<size>();
    id.judge();
    return id;
  }
  if (digits.empty() || digits.size() > 2 * size) return invalid<size>();
  std::array<char, 2 * size> padded{};
  padded.fill('0');
  std::copy(digits.begin(), digits.end(),
            padded.end() - static_cast<std::ptrdiff_t>(digits.size()));
  if (!hex::decode({padded.data(), padded.size()}, id.bytes.data())) return invalid<size>();
  id.judge();
  return id;
}
template Id<16> id_of_digits<16>(std::string_view);
template Id<8> id_of_digits<8>(std::string_view);

Id<8> id_of_number(std::int64_t number) {
  Id<8> id;
  put_number(number, id.bytes.data());
  id.judge();
  return id;
}

Id<16> trace_id_of_numbers(std::int64_t high, std::int64_t low) {
  Id<16> id;
  put_number(high, id.bytes.data());
  put_number(low, id.bytes.data() + 8);
  id.judge();
  return id;
}

template <std::size_t size>
Id<size> id_of_bytes(std::string_view bytes) {
  Id<size> id;
  if (bytes.size() != 8 && bytes.size() != size) return invalid<size>();
  std::copy(bytes.begin(), bytes.end(), id.bytes.end() - static_cast<std::ptrdiff_t>(bytes.size()));
  id.judge();
  return id;
}
template Id<16> id_of_bytes<16>(std::string_view);
template Id<8> id_of_bytes<8>(std::string_view);

}  // namespace sluice::zipkin
