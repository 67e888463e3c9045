#include "pipeline/traces/trace_pool.h"

#include <algorithm>
#include <random>

#include "pipeline/traces/trace_shard.h"

namespace sluice {
namespace {

std::uint64_t random_key() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

}  // namespace

TracePool::TracePool(const TraceBounds& limits, std::size_t shard_count, const TraceMetrics& told,
                     const ProcessorContext& context)
    : bounds(limits),
      metrics(told),
      account(context.ledger.of_holder(context.id)),
      shards(shard_count > 0 ? shard_count : context.siblings.count()),
      key(random_key()),
      spare_lists(context.siblings.count()) {
  account.set_limit(bounds.max_bytes);
}

void TracePool::go_back_to(Executor::TimePoint moment) {
  Executor::TimePoint before = gone_until_.load();
  while (before < moment && !gone_until_.compare_exchange_weak(before, moment)) {
  }
}

bool TracePool::is_behind() const {
  return std::ranges::any_of(
      shards, [this](const TraceShard* shard) { return shard->reached() < gone_until(); });
}

std::optional<Answer> TracePool::refusal() const {
  for (const TraceShard* shard : shards) {
    if (shard->is_shut())
      return Answer{Verdict::retry_later, {}, "traces that leave have not been taken yet"};
  }
  if (!bounds.refuse_newcomers) return std::nullopt;
  const bool is_full = traces.load(std::memory_order_relaxed) >= bounds.num_traces ||
                       account.used() >= bounds.max_bytes;
  if (!is_full) return std::nullopt;
  return Answer{Verdict::retry_later, {}, "as many traces as may be held are waiting"};
}

}  // namespace sluice
