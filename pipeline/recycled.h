#pragma once

#include <array>
#include <cstddef>
#include <new>

namespace sluice {

/// Base of small objects of which one is made for every request: their memory comes from a list of
/// spare blocks that each thread keeps, at most 64 of them. An object may be destroyed on another
/// thread than made it. The deriving class must be final.
template <typename Derived>
class Recycled {
 public:
  static void* operator new(std::size_t size) {
    Spares& spares = spares_of_this_thread();
    return spares.count > 0 ? spares.blocks[--spares.count] : ::operator new(size);
  }
  static void operator delete(void* block) {
    Spares& spares = spares_of_this_thread();
    if (spares.count < spares.blocks.size()) {
      spares.blocks[spares.count++] = block;
    } else {
      ::operator delete(block);
    }
  }

 private:
  struct Spares {
    ~Spares() {
      while (count > 0) ::operator delete(blocks[--count]);
    }
    std::array<void*, 64> blocks;
    std::size_t count = 0;
  };
  static Spares& spares_of_this_thread() {
    thread_local Spares spares;
    return spares;
  }
};

}  // namespace sluice
