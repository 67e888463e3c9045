#pragma once

#include <atomic>
#include <cstdint>

#include "pipeline/unique_function.h"

namespace sluice {

/// Lets a receiver stop: counts the requests that wait for their answer and says when, after
/// closing, none is left. Any thread.
class Gate {
 public:
  /// False once it is closed.
  [[nodiscard]] bool enter();
  void leave();
  /// `done` runs when the last one has left, perhaps within this call. Once.
  void close(Task done);

 private:
  static constexpr std::uint64_t closed = 1, one_inside = 2;
  void check_empty(std::uint64_t state);
  std::atomic<std::uint64_t> state_{0};
  std::atomic<bool> finished_{false};
  Task done_;
};

}  // namespace sluice
