#include "pipeline/net/event_loop.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "pipeline/ensure.h"
#include "pipeline/net/cpu_quota.h"

namespace sluice::net {
namespace {

using boost::asio::io_context;
using boost::asio::steady_timer;

thread_local const EventLoop* current_loop = nullptr;

/// An armed timer. The task lies in a box that the completion handler shares: a timer that expired
/// but whose handler has not run yet can be cancelled only by emptying the box.
class PendingTimer final : public Timer::Pending {
 public:
  PendingTimer(io_context& context, Executor::Duration delay, Task task)
      : timer_(context, delay), task_(std::make_shared<Task>(std::move(task))) {
    timer_.async_wait([box = task_](const boost::system::error_code& error) {
      if (error || !*box) return;
      // Out of the box first: the task may destroy the Timer that holds it.
      Task due = std::exchange(*box, nullptr);
      due();
    });
  }
  ~PendingTimer() override { *task_ = nullptr; }

 private:
  steady_timer timer_;
  std::shared_ptr<Task> task_;
};

}  // namespace

/// Its queue can be emptied while sockets and timers that live on it still stand: they may be
/// destroyed after that, as they may be by a handler that the emptying destroys.
class Context : public io_context {
 public:
  Context() : io_context(1) {}
  using execution_context::shutdown;
};

struct EventLoop::State {
  Context context;
  std::atomic<bool> closed = false;
  std::optional<boost::asio::executor_work_guard<io_context::executor_type>> work;
  std::thread thread;
};

EventLoop::EventLoop(std::size_t index) : index_(index), state_(std::make_unique<State>()) {}

EventLoop::~EventLoop() { stop(); }

Executor::TimePoint EventLoop::now() const { return std::chrono::steady_clock::now(); }

std::chrono::system_clock::time_point EventLoop::wall_time() const {
  return std::chrono::system_clock::now();
}

void EventLoop::post(Task task) {
  if (state_->closed) return;
  boost::asio::post(state_->context, [held = std::move(task)]() mutable { held(); });
}

Timer EventLoop::after(Duration delay, Task task) {
  return Timer(std::make_unique<PendingTimer>(state_->context, delay, std::move(task)));
}

bool EventLoop::is_current() const { return current_loop == this; }

io_context& EventLoop::context() { return state_->context; }

void EventLoop::start() {
  ensure(!state_->thread.joinable(), "an event loop is started once");
  state_->work.emplace(state_->context.get_executor());
  state_->thread = std::thread([this] {
    current_loop = this;
    state_->context.run();
    current_loop = nullptr;
  });
}

void EventLoop::stop() {
  join();
  drop();
}

void EventLoop::join() {
  state_->closed = true;
  if (!state_->thread.joinable()) return;
  ensure(!is_current(), "an event loop is stopped from outside");
  state_->work.reset();
  state_->context.stop();
  state_->thread.join();
}

void EventLoop::drop() { state_->context.shutdown(); }

std::size_t worker_count() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  double count = 1;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
    count = CPU_COUNT(&allowed);
  else
    count = std::thread::hardware_concurrency();
  // Rounded up: with a quota of 1.5 one worker would leave a third of it unused.
  if (const std::optional<double> quota = cpu_quota("")) count = std::min(count, std::ceil(*quota));
  return static_cast<std::size_t>(std::max(count, 1.0));
}

EventLoops::EventLoops(std::size_t count) {
  ensure(count > 0, "there is at least one worker");
  for (std::size_t index = 0; index < count; ++index)
    loops_.push_back(std::make_unique<EventLoop>(index));
}

EventLoops::~EventLoops() { stop(); }

void EventLoops::start() {
  for (const auto& loop : loops_) loop->start();
}

void EventLoops::stop() {
  for (const auto& loop : loops_) loop->join();
  // What is still queued may, as it is destroyed, answer to another loop: no thread runs by then.
  for (const auto& loop : loops_) loop->drop();
}

}  // namespace sluice::net
