#pragma once

#include <cstdint>
#include <string>

namespace sluice::test {

/// Trace id number `number` of the vectors: its product with 2^64 / phi, and the number itself,
/// both big-endian.
inline std::string ring_id(std::uint64_t number) {
  std::string id;
  for (const std::uint64_t half : {number * 0x9e3779b97f4a7c15, number}) {
    for (int shift = 56; shift >= 0; shift -= 8) id += static_cast<char>(half >> shift);
  }
  return id;
}

}  // namespace sluice::test
