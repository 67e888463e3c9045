#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <stop_token>
#include <vector>

#include "pipeline/component.h"
#include "pipeline/net/event_loop.h"

namespace sluice {

/// The processors and connectors of a graph, each on its worker. Its verbs are called from one
/// thread that is none of the loops'.
class Stages {
 public:
  explicit Stages(net::EventLoops& loops) : loops_(loops) {}
  /// In the order in which they were added, so that nobody is handed anything after it went.
  ~Stages();
  Stages(const Stages&) = delete;
  Stages& operator=(const Stages&) = delete;

  /// Behind all to whom it hands on. `steps`: how many stages lie between it and the farthest
  /// exporter, itself included.
  void add(std::size_t worker, std::size_t steps, std::unique_ptr<Processor> processor);
  /// In the order in which they were added.
  void start();
  /// Those with most steps first: what one hands on as it stops, the next one takes. Ends at the
  /// limit.
  void stop(std::chrono::steady_clock::time_point limit, std::stop_token hurry);

 private:
  struct Stage {
    std::size_t worker;
    std::size_t steps;
    std::unique_ptr<Processor> processor;
  };

  net::EventLoops& loops_;
  std::vector<Stage> stages_;
};

}  // namespace sluice
