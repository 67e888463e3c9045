#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "pipeline/component.h"
#include "pipeline/traces/bounds.h"
#include "pipeline/traces/spare_lists.h"

namespace sluice {

class TraceShard;

/// What shards tell, under the names of their component.
struct TraceMetrics {
  Counter& fresh;      ///< traces that were not held before
  Counter& too_early;  ///< let go before their time, since there was no room
  Gauge& held;
  Histogram& turn_ms;  ///< what it takes to let go those whose time has come
};

/// What the shards of one component, on all workers, have in common.
struct TracePool {
  /// `shards` 0: one a worker. They are made by the instances of the component, each its own.
  TracePool(const TraceBounds& bounds, std::size_t shards, const TraceMetrics& metrics,
            const ProcessorContext& context);

  /// What newcomers are told, where they are refused. Any thread.
  std::optional<Answer> refusal() const;

  const TraceBounds bounds;
  const TraceMetrics metrics;
  Ledger& account;                       ///< of what is held
  std::atomic<std::uint64_t> traces{0};  ///< held by all shards
  std::vector<TraceShard*> shards;       ///< each belongs to the instance of its worker
  const std::uint64_t key;               ///< of the hashes of ids
  std::vector<SpareLists> spare_lists;   ///< of each worker
  std::atomic<bool> is_stopping{false};  ///< some shard has been told to

  /// There is no room: what came until `moment` is to go, in all shards. Any thread.
  void go_back_to(Executor::TimePoint moment);
  Executor::TimePoint gone_until() const { return gone_until_.load(); }
  /// Whether some shard has still to let go of what the others have let go of. Any thread.
  bool is_behind() const;

 private:
  std::atomic<Executor::TimePoint> gone_until_{Executor::TimePoint::min()};
};

}  // namespace sluice
