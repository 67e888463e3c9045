#pragma once

#include <algorithm>
#include <chrono>

#include "pipeline/executor.h"

namespace sluice::net {

/// So many in ten seconds, and no more: what protects against frames that cost us more than their
/// sender.
class Budget {
 public:
  explicit Budget(int per_ten_seconds) : size_(per_ten_seconds), left_(per_ten_seconds) {}

  /// False when it is used up.
  bool take(Executor::TimePoint now) {
    const auto elapsed = std::chrono::duration<double>(now - last_).count();
    last_ = now;
    left_ = std::min<double>(size_, left_ + elapsed * size_ / 10);
    left_ -= 1;
    return left_ >= 0;
  }

 private:
  int size_;
  double left_;
  Executor::TimePoint last_{};
};

}  // namespace sluice::net
