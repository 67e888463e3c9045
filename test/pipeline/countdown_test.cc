#include "pipeline/countdown.h"

#include <catch2/catch.hpp>

#include "pipeline/net/event_loop.h"

namespace sluice {
namespace {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

TEST_CASE("a wait ends when all tickets were called", "[pipeline]") {
  net::EventLoop loop(0);
  loop.start();
  Countdown both;
  loop.post([first = both.ticket(), second = both.ticket()]() mutable {
    first();
    second();
  });
  both.wait();
  SUCCEED("it ended");
}

TEST_CASE("a wait ends at its deadline or in a hurry, and a late ticket does no harm",
          "[pipeline]") {
  Task late;
  {
    Countdown never;
    late = never.ticket();
    never.wait_until(steady_clock::now(), {});
    std::stop_source hurry;
    hurry.request_stop();
    never.wait_until(steady_clock::now() + 1h, hurry.get_token());
  }
  late();
  SUCCEED("it ended");
}

TEST_CASE("a task runs on the executor's thread before the call returns", "[pipeline]") {
  net::EventLoop loop(0);
  loop.start();
  bool there = false, nested = false;
  run_on(loop, [&] {
    there = loop.is_current();
    run_on(loop, [&] { nested = true; });
  });
  CHECK(there);
  CHECK(nested);
}

}  // namespace
}  // namespace sluice
