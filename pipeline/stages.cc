#include "pipeline/stages.h"

#include <functional>
#include <map>
#include <utility>

#include "pipeline/countdown.h"

namespace sluice {

Stages::~Stages() {
  for (Stage& stage : stages_) stage.processor.reset();
}

void Stages::add(std::size_t worker, std::size_t steps, std::unique_ptr<Processor> processor) {
  stages_.push_back({worker, steps, std::move(processor)});
}

void Stages::start() {
  for (std::size_t worker = 0; worker < loops_.size(); ++worker) {
    run_on(loops_[worker], [&] {
      for (const Stage& stage : stages_) {
        if (stage.worker == worker) stage.processor->start();
      }
    });
  }
}

void Stages::stop(std::chrono::steady_clock::time_point limit, std::stop_token hurry) {
  std::map<std::size_t, std::vector<const Stage*>, std::greater<>> by_steps;
  for (const Stage& stage : stages_) by_steps[stage.steps].push_back(&stage);
  for (const auto& [steps, stages] : by_steps) {
    Countdown stopped;
    for (const Stage* stage : stages) {
      loops_[stage->worker].post(
          [each = stage->processor.get(), done = stopped.ticket()]() mutable {
            each->stop(std::move(done));
          });
    }
    stopped.wait_until(limit, hurry);
  }
}

}  // namespace sluice
