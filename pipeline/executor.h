#pragma once

#include <chrono>
#include <memory>

#include "pipeline/unique_function.h"

namespace sluice {

/// Cancels what it stands for when it goes. Belongs to the executor's own thread.
class Timer {
 public:
  struct Pending {
    virtual ~Pending() = default;
  };
  Timer() = default;
  explicit Timer(std::unique_ptr<Pending> pending) : pending_(std::move(pending)) {}
  void cancel() { pending_.reset(); }
  explicit operator bool() const { return pending_ != nullptr; }

 private:
  std::unique_ptr<Pending> pending_;
};

/// Where a component lives: one thread that runs its tasks in order, and its clock. Real ones are
/// event loops (pipeline/net/event_loop.h); tests step a manual one
/// (test/support/manual_executor.h).
class Executor {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;

  virtual ~Executor() = default;
  virtual TimePoint now() const = 0;
  virtual std::chrono::system_clock::time_point wall_time() const = 0;
  /// Runs the task on this executor's thread, never inside the call. Any thread may post.
  virtual void post(Task task) = 0;
  /// Runs the task after `delay` unless the timer is cancelled or destroyed before. Own thread
  /// only.
  [[nodiscard]] virtual Timer after(Duration delay, Task task) = 0;
  /// Whether the caller is on this executor's thread.
  virtual bool is_current() const = 0;
};

}  // namespace sluice
