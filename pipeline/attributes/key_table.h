#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/model/span_view.h"

namespace sluice {

/// The keys that actions name, numbered; asked for every attribute of every span. Keys of one
/// length lie side by side, and most attributes have a length that no key has: no hash, no memory
/// touched.
class KeyTable {
 public:
  static constexpr std::uint16_t none = UINT16_MAX;

  KeyTable() = default;
  explicit KeyTable(std::vector<std::string> keys);

  std::uint16_t find(std::string_view key) const {
    const std::size_t bucket = key.size() < lengths_max ? key.size() : lengths_max;
    for (std::uint16_t i = begin_[bucket]; i < begin_[bucket + 1]; ++i) {
      if (same_key(keys_[i], key)) return i;
    }
    return none;
  }

 private:
  static constexpr std::size_t lengths_max = 64;  ///< longer keys share a bucket
  std::vector<std::string> keys_;
  std::array<std::uint16_t, lengths_max + 2> begin_{};
};

}  // namespace sluice
