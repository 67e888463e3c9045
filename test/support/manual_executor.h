#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>

#include "pipeline/executor.h"

namespace sluice::test {

/// An executor whose clock stands still until a test moves it. `post` may come from any thread;
/// tasks run in `run` and `advance`, on the test's thread.
class ManualExecutor final : public Executor {
 public:
  TimePoint now() const override { return now_; }
  std::chrono::system_clock::time_point wall_time() const override { return wall_; }
  void post(Task task) override;
  Timer after(Duration delay, Task task) override;
  bool is_current() const override { return current; }

  /// Runs what was posted, and what that posts, until nothing is left.
  void run();
  /// Moves the clock step by step, firing timers in order.
  void advance(Duration duration);
  /// Until that many tasks from other threads wait to run.
  void wait_for_posts(std::size_t count);
  std::size_t timers() const { return timers_.size(); }

  bool current = true;  ///< false: the test plays another thread

 private:
  struct Entry;
  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<Task> tasks_;
  std::multimap<TimePoint, std::shared_ptr<Task>> timers_;
  TimePoint now_{std::chrono::hours(1000)};
  std::chrono::system_clock::time_point wall_{std::chrono::seconds(1'800'000'000)};
};

}  // namespace sluice::test
