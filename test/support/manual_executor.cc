#include "test/support/manual_executor.h"

#include <utility>

namespace sluice::test {

struct ManualExecutor::Entry final : Timer::Pending {
  explicit Entry(std::shared_ptr<Task> pending) : task(std::move(pending)) {}
  ~Entry() override { *task = nullptr; }
  std::shared_ptr<Task> task;
};

void ManualExecutor::post(Task task) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  posted_.notify_all();
}

void ManualExecutor::wait_for_posts(std::size_t count) {
  std::unique_lock lock(mutex_);
  posted_.wait(lock, [&] { return tasks_.size() >= count; });
}

Timer ManualExecutor::after(Duration delay, Task task) {
  auto shared = std::make_shared<Task>(std::move(task));
  timers_.emplace(now_ + delay, shared);
  return Timer(std::make_unique<Entry>(std::move(shared)));
}

void ManualExecutor::run() {
  for (;;) {
    Task task;
    {
      const std::lock_guard lock(mutex_);
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

void ManualExecutor::advance(Duration duration) {
  const TimePoint target = now_ + duration;
  run();
  while (!timers_.empty() && timers_.begin()->first <= target) {
    const auto first = timers_.begin();
    const TimePoint due = first->first;
    const std::shared_ptr<Task> shared = first->second;
    timers_.erase(first);
    if (due > now_) {
      wall_ += std::chrono::duration_cast<std::chrono::system_clock::duration>(due - now_);
      now_ = due;
    }
    Task task = std::exchange(*shared, nullptr);
    if (task) task();
    run();
  }
  wall_ += std::chrono::duration_cast<std::chrono::system_clock::duration>(target - now_);
  now_ = target;
}

}  // namespace sluice::test
