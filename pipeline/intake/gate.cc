#include "pipeline/intake/gate.h"

#include <utility>

namespace sluice {

bool Gate::enter() {
  const std::uint64_t before = state_.fetch_add(one_inside, std::memory_order_acq_rel);
  if ((before & closed) == 0) return true;
  leave();
  return false;
}

void Gate::leave() {
  check_empty(state_.fetch_sub(one_inside, std::memory_order_acq_rel) - one_inside);
}

void Gate::close(Task done) {
  done_ = std::move(done);
  check_empty(state_.fetch_or(closed, std::memory_order_acq_rel) | closed);
}

/// One who tries to enter a closed gate goes in and out, so it may be seen empty more than once.
void Gate::check_empty(std::uint64_t state) {
  if (state != closed || finished_.exchange(true, std::memory_order_acq_rel)) return;
  Task done = std::move(done_);
  done();
}

}  // namespace sluice
