#pragma once

#include <csignal>
#include <stop_token>
#include <thread>

namespace sluice {

/// The process's signals, taken by the main thread alone. To be made before any other thread, which
/// then inherits that they are blocked. A broken pipe and a file over its size limit are errors of
/// the call that met them, not signals.
class Signals {
 public:
  Signals();
  /// Returns at SIGTERM or SIGINT. SIGHUP is named and otherwise ignored.
  void wait_for_stop();
  /// From here on, asks to stop when another SIGTERM or SIGINT comes.
  std::stop_token hurry();

 private:
  sigset_t signals_{};
  std::stop_source hurry_;
  std::jthread watch_;
};

}  // namespace sluice
