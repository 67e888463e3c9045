#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <stop_token>

#include "pipeline/executor.h"
#include "pipeline/unique_function.h"

namespace sluice {

/// Waits on one thread for tasks that end on others. The state is shared with the tickets, so that
/// one called after the wait was given up does no harm.
class Countdown {
 public:
  Countdown() : state_(std::make_shared<State>()) {}

  /// To be called once when the thing is done; taken before the wait begins.
  Task ticket();
  /// Until all tickets were called, or `deadline`, or `hurry` asks to stop.
  void wait_until(std::chrono::steady_clock::time_point deadline, std::stop_token hurry);
  void wait();

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::size_t open = 0;
  };
  std::shared_ptr<State> state_;
};

/// Runs `task` on the executor's thread and waits for its end. Not to be called from an executor
/// that `task` waits for.
void run_on(Executor& executor, Task task);

}  // namespace sluice
