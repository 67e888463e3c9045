#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "pipeline/executor.h"

namespace boost::asio {
class io_context;
}

namespace sluice::net {

/// A worker: one thread, one Asio event loop. Everything that lives on it is called from it alone.
class EventLoop final : public Executor {
 public:
  explicit EventLoop(std::size_t index);
  ~EventLoop() override;

  TimePoint now() const override;
  std::chrono::system_clock::time_point wall_time() const override;
  void post(Task task) override;
  Timer after(Duration delay, Task task) override;
  bool is_current() const override;

  std::size_t index() const { return index_; }
  boost::asio::io_context& context();
  /// Starts the thread; `stop` lets the running task end, joins and destroys what is queued. From
  /// then on `post` drops; what lives on the loop may go later, but before the loop.
  void start();
  void stop();

 private:
  friend class EventLoops;
  void join();
  void drop();
  struct State;
  std::size_t index_;
  std::unique_ptr<State> state_;
};

/// As many workers as the CPU quota (cgroup v1 and v2) and the affinity mask allow, at least one.
std::size_t worker_count();

class EventLoops {
 public:
  explicit EventLoops(std::size_t count);
  ~EventLoops();
  std::size_t size() const { return loops_.size(); }
  EventLoop& operator[](std::size_t index) { return *loops_[index]; }
  void start();
  void stop();

 private:
  std::vector<std::unique_ptr<EventLoop>> loops_;
};

}  // namespace sluice::net
