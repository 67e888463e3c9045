#include "pipeline/traces/trace_processor.h"

#include <cstddef>
#include <utility>

namespace sluice {

TraceProcessor::TraceProcessor(const ProcessorContext& context, std::shared_ptr<TracePool> pool,
                               std::unique_ptr<SpanQuestions> questions, const MakeShard& make)
    : counters_(context.counters),
      executor_(context.executor),
      overload_(context.counters.refused("overload")),
      pool_(std::move(pool)),
      questions_(std::move(questions)),
      reader_(pool_->key, questions_.get()),
      by_shard_(pool_->shards.size()),
      spare_(pool_->spare_lists[context.worker]) {
  for (std::size_t number = context.worker; number < by_shard_.size();
       number += context.siblings.count()) {
    own_.push_back(make());
    pool_->shards[number] = own_.back().get();
  }
}

void TraceProcessor::consume(SpanBatch batch, Ack ack) {
  counters_.in.add(batch.span_count());
  if (std::optional<Answer> refusal = pool_->refusal()) {
    overload_.add(batch.span_count());
    return ack.resolve(std::move(*refusal));
  }
  hold(std::move(batch));
  ack.accepted();
}

void TraceProcessor::commit(SpanBatch batch, const Load&, Ack ack) {
  counters_.in.add(batch.span_count());
  hold(std::move(batch));
  ack.accepted();
}

void TraceProcessor::hold(SpanBatch batch) {
  if (batch.empty()) return;
  counters_.held.add(batch.span_count());
  reader_.read(batch, by_shard_);
  batch.set_context(nullptr);
  for (std::size_t number = 0; number < by_shard_.size(); ++number) {
    if (by_shard_[number].empty()) continue;
    std::vector<Arrival> arrivals = std::exchange(by_shard_[number], spare_.take());
    TraceShard& shard = *pool_->shards[number];
    if (&shard.executor() == &executor_)
      shard.take(batch, std::move(arrivals));
    else
      shard.post(batch, std::move(arrivals));
  }
}

void TraceProcessor::stop(Task done) {
  if (own_.empty()) return done();
  const auto open = std::make_shared<std::size_t>(own_.size());
  const auto all = std::make_shared<Task>(std::move(done));
  for (const auto& shard : own_) {
    shard->stop([open, all] {
      if (--*open == 0) (*all)();
    });
  }
}

}  // namespace sluice
