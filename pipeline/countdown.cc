#include "pipeline/countdown.h"

#include <utility>

namespace sluice {

Task Countdown::ticket() {
  const std::lock_guard lock(state_->mutex);
  ++state_->open;
  return [state = state_] {
    const std::lock_guard inner(state->mutex);
    if (--state->open == 0) state->changed.notify_all();
  };
}

void Countdown::wait_until(std::chrono::steady_clock::time_point deadline, std::stop_token hurry) {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait_until(lock, hurry, deadline, [this] { return state_->open == 0; });
}

void Countdown::wait() {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [this] { return state_->open == 0; });
}

void run_on(Executor& executor, Task task) {
  if (executor.is_current()) return task();
  Countdown ended;
  executor.post([&task, done = ended.ticket()]() mutable {
    task();
    done();
  });
  ended.wait();
}

}  // namespace sluice
