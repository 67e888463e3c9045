#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "pipeline/traces/arrivals.h"

namespace sluice {

/// Lists that came from another thread, and go to one with something else in them: what is always
/// freed by another thread than made it has both wait for the allocator. A few, and none of them
/// large. One thread's.
class alignas(64) SpareLists {
 public:
  std::vector<Arrival> take() {
    if (lists_.empty()) return {};
    std::vector<Arrival> list = std::move(lists_.back());
    lists_.pop_back();
    return list;
  }
  void put(std::vector<Arrival> list) {
    if (lists_.size() == lists_max || list.capacity() > arrivals_max) return;
    list.clear();
    lists_.push_back(std::move(list));
  }

 private:
  static constexpr std::size_t lists_max = 8, arrivals_max = 2048;
  std::vector<std::vector<Arrival>> lists_;
};

}  // namespace sluice
