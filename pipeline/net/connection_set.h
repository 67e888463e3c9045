#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/net/connection.h"
#include "pipeline/net/door.h"

namespace sluice::net {

/// The connections of one loop, with the scratch that they read into and the timer that looks after
/// them. Lives on its loop.
class ConnectionSet {
 public:
  ConnectionSet(EventLoop& loop, Ledger& ledger) : loop_(loop), ledger_(ledger) {}

  /// How often timeouts are looked after; before the first connection.
  void set_tick(Executor::Duration period) { period_ = period; }
  /// Takes over the connected socket `descriptor`; `closed` is called when it has been closed.
  void adopt(const Door& door, int descriptor, std::string peer, Task closed);
  /// Lets requests under way end; `emptied` is called when no connection is left, which may be at
  /// once.
  void drain(Task emptied);
  void close_all();

  EventLoop& loop() { return loop_; }

 private:
  void tick();
  void remove(Connection& connection);

  EventLoop& loop_;
  Ledger& ledger_;
  std::unique_ptr<char[]> scratch_;
  std::vector<std::shared_ptr<Connection>> connections_;
  Executor::Duration period_ = std::chrono::seconds(1);
  Timer timer_;
  Task emptied_;
};

}  // namespace sluice::net
