#include "pipeline/export/backoff.h"

#include <algorithm>

namespace sluice {

using std::chrono::nanoseconds;

std::optional<nanoseconds> Backoff::next(Executor::TimePoint now, nanoseconds asked_for,
                                         std::minstd_rand& random) {
  std::uniform_real_distribution<double> spread(-options_.randomization_factor,
                                                options_.randomization_factor);
  const double interval = static_cast<double>(interval_.count());
  const nanoseconds jittered(static_cast<nanoseconds::rep>(interval * (1 + spread(random))));
  const nanoseconds wait = std::max(jittered, asked_for);
  const double longest = static_cast<double>(options_.max_interval.count());
  interval_ =
      nanoseconds(static_cast<nanoseconds::rep>(std::min(interval * options_.multiplier, longest)));
  const bool bounded = options_.max_elapsed_time > nanoseconds::zero();
  if (bounded && now - started_ + wait > options_.max_elapsed_time) return std::nullopt;
  return wait;
}

}  // namespace sluice
