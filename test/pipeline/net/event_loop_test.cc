#include "pipeline/net/event_loop.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "pipeline/net/cpu_quota.h"

namespace sluice::net {
namespace {

/// A made-up /proc and /sys below a directory of its own.
class FakeRoot {
 public:
  FakeRoot() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-root-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~FakeRoot() { std::filesystem::remove_all(path_); }
  FakeRoot(const FakeRoot&) = delete;
  FakeRoot& operator=(const FakeRoot&) = delete;

  void write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(path_ + file).parent_path());
    std::ofstream(path_ + file) << text;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("an event loop runs what other threads post on its own thread, in order",
          "[event_loop]") {
  EventLoop loop(0);
  loop.start();
  CHECK_FALSE(loop.is_current());
  std::vector<int> order;
  std::promise<bool> on_loop;
  for (int index = 0; index < 3; ++index) loop.post([&order, index] { order.push_back(index); });
  loop.post([&] { on_loop.set_value(loop.is_current()); });
  CHECK(on_loop.get_future().get());
  loop.stop();
  CHECK(order == std::vector<int>{0, 1, 2});
}

TEST_CASE("a task posted from the loop itself runs after the call, not inside it", "[event_loop]") {
  EventLoop loop(0);
  loop.start();
  std::promise<std::string> story;
  loop.post([&] {
    auto text = std::make_shared<std::string>();
    loop.post([&story, text] { story.set_value(*text + "inner"); });
    *text += "outer ";
  });
  CHECK(story.get_future().get() == "outer inner");
  loop.stop();
}

TEST_CASE("a timer runs its task once, and not when it was cancelled or destroyed before",
          "[event_loop]") {
  EventLoop loop(0);
  loop.start();
  std::promise<std::vector<int>> result;
  std::vector<int> fired;
  Timer kept, cancelled;
  loop.post([&] {
    cancelled = loop.after(std::chrono::milliseconds(1), [&] { fired.push_back(1); });
    cancelled.cancel();
    {
      const Timer destroyed = loop.after(std::chrono::milliseconds(1), [&] { fired.push_back(2); });
    }
    kept = loop.after(std::chrono::milliseconds(3), [&] {
      fired.push_back(3);
      kept.cancel();
      result.set_value(fired);
    });
  });
  CHECK(result.get_future().get() == std::vector<int>{3});
  loop.stop();
}

TEST_CASE("a timer that has expired but not run is still cancelled", "[event_loop]") {
  EventLoop loop(0);
  Timer victim;
  bool ran = false;
  std::promise<void> done;
  loop.start();
  loop.post([&] {
    // Both expire before the loop looks again; the first to run cancels the other.
    const auto past = std::chrono::nanoseconds(-1);
    static Timer first;
    first = loop.after(past, [&] { victim.cancel(); });
    victim = loop.after(std::chrono::nanoseconds(0), [&] { ran = true; });
    loop.post([&loop, &done] {
      loop.post([&loop, &done] {
        loop.post([&done] {
          first.cancel();
          done.set_value();
        });
      });
    });
  });
  done.get_future().get();
  loop.stop();
  CHECK_FALSE(ran);
}

TEST_CASE("what is left in the queues may answer to any loop while they go", "[event_loop]") {
  struct PostsWhenDestroyed {
    EventLoops* loops;
    ~PostsWhenDestroyed() {
      for (std::size_t index = 0; index < loops->size(); ++index) (*loops)[index].post([] {});
    }
  };
  bool ran = false;
  {
    EventLoops loops(2);
    for (std::size_t index = 0; index < 2; ++index) {
      loops[index].post([&ran, held = std::make_unique<PostsWhenDestroyed>(
                                   PostsWhenDestroyed{&loops})] { ran = true; });
    }
  }
  CHECK_FALSE(ran);
}

TEST_CASE("a stopped loop has destroyed its queue, and what lived on it may go later",
          "[event_loop]") {
  EventLoop loop(0);
  loop.start();
  const auto queued = std::make_shared<int>(0);
  std::promise<void> armed, release;
  Timer timer;
  loop.post([&] {
    timer = loop.after(std::chrono::hours(1), [queued] {});
    armed.set_value();
    release.get_future().wait();  // so that what is posted next is still queued when the loop stops
  });
  armed.get_future().wait();
  std::thread stopping([&] { loop.stop(); });
  loop.post([queued] {});
  release.set_value();
  stopping.join();
  timer.cancel();
  CHECK(queued.use_count() == 1);
  loop.post([queued] {});
  CHECK(queued.use_count() == 1);
}

TEST_CASE("there is at least one worker", "[event_loop]") { CHECK(worker_count() >= 1); }

TEST_CASE("the CPU quota of a version 2 control group is the tightest one up the tree",
          "[event_loop]") {
  const FakeRoot root;
  root.write("/proc/self/cgroup", "0::/pod/container\n");
  CHECK_FALSE(cpu_quota(root.path()));
  root.write("/sys/fs/cgroup/pod/container/cpu.max", "max 100000\n");
  CHECK_FALSE(cpu_quota(root.path()));
  root.write("/sys/fs/cgroup/pod/cpu.max", "150000 100000\n");
  CHECK(cpu_quota(root.path()) == std::optional<double>(1.5));
  root.write("/sys/fs/cgroup/pod/container/cpu.max", "50000 100000\n");
  CHECK(cpu_quota(root.path()) == std::optional<double>(0.5));
}

TEST_CASE(
    "the CPU quota of a version 1 control group is found at the mount when the path is the host's",
    "[event_loop]") {
  const FakeRoot root;
  root.write("/proc/self/cgroup", "5:memory:/x\n4:cpu,cpuacct:/docker/abc\n");
  root.write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  root.write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  CHECK_FALSE(cpu_quota(root.path()));
  root.write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "200000\n");
  CHECK(cpu_quota(root.path()) == std::optional<double>(2.0));
}

}  // namespace sluice::net
