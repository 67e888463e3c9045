#pragma once

#include <chrono>
#include <optional>
#include <random>

#include "pipeline/executor.h"
#include "pipeline/export/sender.h"

namespace sluice {

/// The waits between the attempts of one request: each interval is `multiplier` times the one
/// before, up to `max_interval`, and each wait a random time within `randomization_factor` of it,
/// so that many senders do not come back at once.
class Backoff {
 public:
  Backoff(const RetryOptions& options, Executor::TimePoint now)
      : options_(options), started_(now), interval_(options.initial_interval) {}

  /// How long to wait before the next attempt: at least what the destination asked for; empty when
  /// the next attempt would come after `max_elapsed_time`.
  std::optional<std::chrono::nanoseconds> next(Executor::TimePoint now,
                                               std::chrono::nanoseconds asked_for,
                                               std::minstd_rand& random);

 private:
  const RetryOptions& options_;
  Executor::TimePoint started_;
  std::chrono::nanoseconds interval_;
};

}  // namespace sluice
