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
  struct Take {
    double there;  ///< tokens, before
    bool is_taken;
  };
  /// Takes the tokens, if there are as many.
  Take take(double tokens, Executor::TimePoint at) const {
    if (per_second_ <= 0) return {0, false};
    const double now = std::chrono::duration<double>(at.time_since_epoch()).count();
    double empty_at = empty_at_.load(std::memory_order_relaxed);
    double from = 0, then = 0;
    do {
      from = std::max(empty_at, now - burst_ / per_second_);
      then = from + tokens / per_second_;
      if (then > now || tokens > burst_) return {std::max(0.0, (now - from) * per_second_), false};
    } while (!empty_at_.compare_exchange_weak(empty_at, then, std::memory_order_relaxed));
    return {(now - from) * per_second_, true};
  }

 private:
  double per_second_, burst_;
  mutable std::atomic<double> empty_at_{-1e18};  ///< seconds of the executor's clock
};

}  // namespace sluice::tail_sampling
