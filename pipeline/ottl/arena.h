#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <memory_resource>
#include <string_view>

namespace sluice::ottl {

/// Memory for values that are made on the way, all given back at once. Holds the first 4 KiB
/// itself, so that what most spans need is no allocation.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  char* take(std::size_t size) {
    const std::size_t begin = taken_;
    taken_ += size;
    return taken_ <= first_.size() ? first_.data() + begin : more(size);
  }
  std::string_view keep(std::string_view bytes) {
    char* const copy = take(bytes.size());
    if (!bytes.empty()) std::memcpy(copy, bytes.data(), bytes.size());
    return {copy, bytes.size()};
  }
  /// How much was taken since the last release.
  std::size_t taken() const { return taken_; }
  void release() {
    if (taken_ > first_.size()) memory_.release();
    taken_ = 0;
  }

 private:
  char* more(std::size_t size) { return static_cast<char*>(memory_.allocate(size + 1, 1)); }

  std::array<char, 4096> first_;
  std::size_t taken_ = 0;
  std::pmr::monotonic_buffer_resource memory_;  ///< behind the first
};

}  // namespace sluice::ottl
