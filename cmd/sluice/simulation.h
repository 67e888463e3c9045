#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/node.h"
#include "pipeline/component.h"

namespace sluice {

/// An executor on one thread whose clock is moved by hand.
class SimulatedExecutor final : public Executor {
 public:
  TimePoint now() const override { return now_; }
  std::chrono::system_clock::time_point wall_time() const override {
    return std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(now_.time_since_epoch()));
  }
  void post(Task task) override { posted_.push_back(std::move(task)); }
  Timer after(Duration delay, Task task) override;
  bool is_current() const override { return true; }

  /// Runs all that is due until then, in order.
  void advance_to(TimePoint time);

 private:
  struct Pending;
  void run_posted();
  TimePoint now_{};
  std::deque<Task> posted_;
  std::multimap<TimePoint, std::shared_ptr<Task>> timers_;
};

/// What a sampler made of recorded spans.
struct SimulationResult {
  struct Sum {
    std::uint64_t traces = 0, spans = 0, bytes = 0;
  };
  struct Policy {
    std::string name;
    Sum sampled;  ///< what it would sample by itself
  };
  Sum in, kept;
  std::vector<Policy> policies;
  std::vector<std::array<unsigned char, 16>> kept_ids;  ///< sorted
  double seconds = 0;                                   ///< of recorded time
};

/// One `tail_sampling` processor, as it would run, over recorded spans. A record arrives at the
/// latest end of its spans: no earlier can it have been sent.
class Simulation {
 public:
  explicit Simulation(const config::Node& processor);
  ~Simulation();

  void take(SpanBatch batch);
  /// After this no batch comes.
  SimulationResult finish();

 private:
  class Kept;
  SimulatedExecutor executor_;
  Metrics metrics_;
  Ledger ledger_{SIZE_MAX};
  SpanCounters counters_{metrics_, "processor", "tail_sampling"};
  std::unique_ptr<Kept> kept_;
  std::vector<std::string> policies_;
  std::unique_ptr<Processor> processor_;
  SimulationResult result_;
  Executor::TimePoint begin_{};
};

}  // namespace sluice
