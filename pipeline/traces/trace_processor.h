#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "pipeline/component.h"
#include "pipeline/traces/arrivals.h"
#include "pipeline/traces/trace_pool.h"
#include "pipeline/traces/trace_shard.h"

namespace sluice {

/// A processor that holds traces: reads what comes in on its worker, and deals it out to the
/// shards, which live on the workers in turn.
class TraceProcessor final : public Processor {
 public:
  using MakeShard = std::function<std::unique_ptr<TraceShard>()>;

  /// `pool` is that of all instances; `make` makes the shards of this one. `questions` may be null.
  TraceProcessor(const ProcessorContext& context, std::shared_ptr<TracePool> pool,
                 std::unique_ptr<SpanQuestions> questions, const MakeShard& make);

  void consume(SpanBatch batch, Ack ack) override;
  /// Room is not counted out: the memory is there already, and traces make way for it.
  std::optional<Answer> reserve(const Load&) override { return pool_->refusal(); }
  void commit(SpanBatch batch, const Load&, Ack ack) override;
  void cancel(const Load&) override {}
  void stop(Task done) override;

 private:
  void hold(SpanBatch batch);

  SpanCounters& counters_;
  Executor& executor_;
  Counter& overload_;
  const std::shared_ptr<TracePool> pool_;
  const std::unique_ptr<SpanQuestions> questions_;
  ArrivalReader reader_;
  std::vector<std::unique_ptr<TraceShard>> own_;
  std::vector<std::vector<Arrival>> by_shard_;  ///< room for the work of one call
  SpareLists& spare_;
};

}  // namespace sluice
