#pragma once

#include <algorithm>
#include <atomic>

#include "pipeline/executor.h"

namespace sluice::tail_sampling {

/// So many tokens a second, of which at most `burst` gather. Exact across shards: its state is the
/// one moment at which it was, or would have been, empty.
class TokenBucket {
 public:
  TokenBucket(double per_second, double burst) : per_second_(per_second), burst_(burst) {}

  double burst() const { return burst_; }
  /// Takes the tokens, if there are as many.
  bool take(double tokens, Executor::TimePoint at) const {
    if (per_second_ <= 0 || tokens > burst_) return false;
    const double now = std::chrono::duration<double>(at.time_since_epoch()).count();
    double empty_at = empty_at_.load(std::memory_order_relaxed);
    double then = 0;
    do {
      then = std::max(empty_at, now - burst_ / per_second_) + tokens / per_second_;
      if (then > now) return false;
    } while (!empty_at_.compare_exchange_weak(empty_at, then, std::memory_order_relaxed));
    return true;
  }

 private:
  double per_second_, burst_;
  mutable std::atomic<double> empty_at_{-1e18};  ///< seconds of the executor's clock
};

}  // namespace sluice::tail_sampling
