#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "extensions/jaegerremotesampling/source.h"
#include "extensions/jaegerremotesampling/strategies.h"
#include "pipeline/component.h"

namespace sluice::remote_sampling {

/// A file of strategies, read at the start and again whenever its bytes have changed; or, without a
/// path, strategies that are there already. A file that has become bad, or is gone, leaves the last
/// good one in place and is named once.
///
/// It is read on the event loop: a file of at most 1 MiB out of the page cache takes 0.2 ms, and is
/// parsed (some 15 ms for the largest) only when it has changed, which is as rare as an operator's
/// edit. What is no regular file, and so might block, is refused.
class LocalSource final : public Source {
 public:
  struct Options {
    std::string path;
    std::chrono::nanoseconds reload_interval{0};  ///< 0: read once
    double probability = default_probability;
    Strategies strategies{default_probability};  ///< until the file is read
  };
  LocalSource(Options options, const ComponentContext& context);

  bool start(std::string& error) override;
  void stop() override { timer_.cancel(); }
  void find(const std::string& service, FoundDone done) override;

 private:
  bool load(std::string& error);
  void reload();
  void wait();

  Options options_;
  std::string id_;
  Executor& executor_;
  Counter& loaded_;
  Counter& failed_;
  std::string seen_;          ///< the bytes that were last looked at, good or bad
  std::string last_problem_;  ///< why the file could not be read, the last time
  Timer timer_;
};

}  // namespace sluice::remote_sampling
