#include "cmd/sluice/signals.h"

#include <pthread.h>

#include <cerrno>

#include "pipeline/log.h"

namespace sluice {

Signals::Signals() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  sigemptyset(&signals_);
  for (const int each : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals_, each);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

void Signals::wait_for_stop() {
  for (;;) {
    const int signal = sigwaitinfo(&signals_, nullptr);
    if (signal == SIGTERM || signal == SIGINT) return;
    if (signal == SIGHUP) log::warn("SIGHUP ignored: a changed configuration takes a restart");
  }
}

std::stop_token Signals::hurry() {
  watch_ = std::jthread([this](const std::stop_token& ended) {
    // Wakes up to see whether the drain has ended; nothing else runs at that time.
    constexpr timespec step{0, 50'000'000};
    while (!ended.stop_requested()) {
      const int signal = sigtimedwait(&signals_, nullptr, &step);
      if (signal == SIGTERM || signal == SIGINT) hurry_.request_stop();
    }
  });
  return hurry_.get_token();
}

}  // namespace sluice
