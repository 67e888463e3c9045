#pragma once

#include <array>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/component.h"
#include "pipeline/countdown.h"
#include "pipeline/net/event_loop.h"
#include "test/support/capture.h"

namespace sluice::test {

/// The instances of one processor on as many real event loops, each between a test and a capture
/// consumer.
template <std::size_t count>
class Workers {
 public:
  Workers(const ProcessorType& type, std::string_view yaml) {
    config::Problems problems;
    const auto decoded = type.decode(config::parse_text(yaml, "test.yaml", problems));
    Siblings siblings(count);
    for (std::size_t worker = 0; worker < count; ++worker) {
      processors_.push_back(decoded.build(ProcessorContext{
          {"test", loops_[worker], metrics, ledger}, counters, next[worker], siblings, worker}));
    }
    loops_.start();
  }

  void send(std::size_t worker, SpanBatch batch) {
    loops_[worker].post([&processor = *processors_[worker], sent = std::move(batch)]() mutable {
      processor.consume(std::move(sent), Ack());
    });
  }

  /// As the graph does: when all that was sent has been taken. Afterwards `next` can be looked at.
  void stop() {
    Countdown taken;
    for (std::size_t worker = 0; worker < count; ++worker) loops_[worker].post(taken.ticket());
    taken.wait();
    Countdown stopped;
    for (std::size_t worker = 0; worker < count; ++worker) {
      loops_[worker].post([&processor = *processors_[worker], done = stopped.ticket()]() mutable {
        processor.stop(std::move(done));
      });
    }
    stopped.wait();
    loops_.stop();
  }

  Metrics metrics;
  Ledger ledger{std::size_t{1} << 30};
  SpanCounters counters{metrics, "processor", "test"};
  std::array<CaptureConsumer, count> next;

 private:
  net::EventLoops loops_{count};
  std::vector<std::unique_ptr<Processor>> processors_;
};

}  // namespace sluice::test
