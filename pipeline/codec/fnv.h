#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

/// FNV-1a, 64 bits (draft-eastlake-fnv); with a hash, it goes on from there.
inline std::uint64_t fnv_1a(std::string_view bytes, std::uint64_t hash = 0xcbf29ce484222325) {
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

}  // namespace sluice
