#pragma once

#include <cstddef>
#include <memory>

#include "pipeline/model/buffer_pool.h"

namespace sluice {

/// Takes the memory of a vector from the pool of the buffers: for what is made with a request on
/// one thread and goes with it on another, over which glibc's arenas wait for each other (two
/// workers of a sampler lost a twentieth of their time to that).
template <typename Value>
struct Pooled {
  using value_type = Value;

  Pooled() = default;
  template <typename Other>
  explicit Pooled(const Pooled<Other>&) {}
  bool operator==(const Pooled&) const { return true; }

  Value* allocate(std::size_t count) {
    if (!fits(count)) return std::allocator<Value>().allocate(count);
    return reinterpret_cast<Value*>(buffer_pool::take(count * sizeof(Value))->payload());
  }
  void deallocate(Value* memory, std::size_t count) noexcept {
    if (!fits(count)) return std::allocator<Value>().deallocate(memory, count);
    buffer_pool::give_back(reinterpret_cast<Buffer::Block*>(memory) - 1);
  }

 private:
  static_assert(alignof(Value) <= alignof(Buffer::Block));
  static constexpr bool fits(std::size_t count) {
    return count <= Buffer::size_max / sizeof(Value);
  }
};

}  // namespace sluice
