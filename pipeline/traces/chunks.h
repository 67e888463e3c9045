#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "pipeline/model/pages.h"

namespace sluice {

/// A vector that grows without moving what is in it. (A table of traces that doubles costs a stop
/// of as long as it takes to copy it, and pages to copy it to: a tenth of all time while a sampler
/// fills up.) Never shrinks.
template <typename Item>
class Chunks {
 public:
  Chunks() = default;
  ~Chunks() {
    for (std::size_t number = 0; number < size_; ++number) std::destroy_at(&(*this)[number]);
    for (Item* chunk : chunks_) pages::give_back(chunk, bytes);
  }
  Chunks(const Chunks&) = delete;
  Chunks& operator=(const Chunks&) = delete;

  Item& operator[](std::size_t number) { return chunks_[number / chunk_size][number % chunk_size]; }
  const Item& operator[](std::size_t number) const {
    return chunks_[number / chunk_size][number % chunk_size];
  }
  template <typename... Arguments>
  Item& emplace_back(Arguments&&... arguments) {
    if (size_ == capacity()) chunks_.push_back(static_cast<Item*>(pages::take(bytes)));
    Item* const at = &(*this)[size_];
    std::construct_at(at, std::forward<Arguments>(arguments)...);
    ++size_;
    return *at;
  }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return chunks_.size() * chunk_size; }

 private:
  static constexpr std::size_t chunk_size = 256;
  static constexpr std::size_t bytes = chunk_size * sizeof(Item);
  std::vector<Item*> chunks_;
  std::size_t size_ = 0;
};

}  // namespace sluice
