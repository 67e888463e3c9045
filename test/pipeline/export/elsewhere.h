#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "test/pipeline/export/export_fixture.h"

namespace sluice::test {

/// Answers on a thread that is not the exporter's: every third request is refused at first.
class ElsewhereSender final : public Sender {
 public:
  ElsewhereSender(Executor& elsewhere, std::atomic<std::uint64_t>& delivered)
      : elsewhere_(elsewhere), delivered_(delivered) {}
  bool start(std::string&) override { return true; }
  void send(SpanBatch batch, std::chrono::nanoseconds, SendDone done) override {
    const bool refused = ++attempts_ % 3 == 0;
    elsewhere_.post([&delivered = delivered_, refused, spans = batch.span_count(),
                     done = std::move(done)]() mutable {
      if (!refused) delivered += spans;
      done(refused ? failure(SendResult::Kind::retry) : SendResult{});
    });
  }
  void stop() override {}

 private:
  Executor& elsewhere_;
  std::atomic<std::uint64_t>& delivered_;
  std::uint64_t attempts_ = 0;
};

class CountingTarget final : public AckTarget {
 public:
  void answered(Answer answer) noexcept override {
    (answer.verdict == Verdict::accepted ? accepted : refused).fetch_add(1);
  }
  std::atomic<std::uint64_t> accepted{0}, refused{0};
};

}  // namespace sluice::test
