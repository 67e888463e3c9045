#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/component.h"

namespace sluice::test {

/// The end of a pipeline under test: keeps every batch, and answers as it is told.
class CaptureConsumer final : public Consumer {
 public:
  void consume(SpanBatch batch, Ack ack) override {
    if (refuse) return ack.resolve(*refuse);
    if (hold) {
      held.emplace_back(std::move(batch), std::move(ack));
      return;
    }
    batches.push_back(std::move(batch));
    ack.accepted();
  }
  std::optional<Answer> reserve(const Load&) override {
    if (refuse) return refuse;
    ++reserved;
    return std::nullopt;
  }
  void commit(SpanBatch batch, const Load&, Ack ack) override {
    --reserved;
    batches.push_back(std::move(batch));
    ack.accepted();
  }
  void cancel(const Load&) override { --reserved; }

  std::uint64_t span_count() const {
    std::uint64_t count = 0;
    for (const SpanBatch& batch : batches) count += batch.span_count();
    return count;
  }

  std::vector<SpanBatch> batches;
  std::optional<Answer> refuse;
  bool hold = false;
  std::vector<std::pair<SpanBatch, Ack>> held;
  int reserved = 0;
};

/// Remembers the answer to one batch.
class CaptureAnswer final : public AckTarget {
 public:
  void answered(Answer answer) noexcept override { answers.push_back(std::move(answer)); }
  Ack ack() { return Ack(*this); }
  std::vector<Answer> answers;
};

}  // namespace sluice::test
