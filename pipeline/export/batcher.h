#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "pipeline/executor.h"
#include "pipeline/export/queue.h"
#include "pipeline/export/sender.h"

namespace sluice {

/// What one send is about: a batch, and whose spans are in it.
struct Outgoing {
  SpanBatch batch;
  std::vector<RequestPart> parts;
};

/// Merges requests on their way out and splits what is too large (`sending_queue.batch`),
/// separately for every combination of values of `metadata_keys`. Without `batch` every request
/// leaves alone. Holds handles only; a batch is concatenated when it leaves. Bounded by the queue,
/// in which requests stay until they are settled. Lives on the exporter's executor.
class Batcher {
 public:
  using TimePoint = Executor::TimePoint;
  explicit Batcher(const QueueOptions::Batch& options) : options_(options) {}

  void add(QueuedRequest request, TimePoint now);
  /// The next batch that is full or has waited for `flush_timeout`; with `flush`, any that there
  /// is.
  std::optional<Outgoing> next(TimePoint now, bool flush);
  /// When `next` will have something without another `add`.
  std::optional<TimePoint> deadline() const;
  void clear();

 private:
  struct Item {
    QueuedRequest request;
    std::uint64_t size = 0;
  };
  struct Turn {
    TimePoint since;
    std::uint64_t number = 0;  ///< among those of one instant the first come leave first
    auto operator<=>(const Turn&) const = default;
  };
  struct Partition {
    std::string key;
    std::deque<Item> items;
    std::uint64_t size = 0;
    Turn turn;  ///< of the first item
    TimePoint last_used;
  };
  using Partitions = std::list<Partition>;

  std::uint64_t size_of(const SpanBatch& batch) const;
  std::string key_of(const SpanBatch& batch) const;
  Partition& partition_for(std::string key, TimePoint now);
  void forget(Partitions::iterator partition);
  void forget_idle(TimePoint now);
  void emit(Partition& partition, bool all);
  Outgoing cut(Partition& partition, std::uint64_t size_max);
  std::uint32_t spans_within(const SpanBatch& batch, std::uint64_t size_max) const;

  const QueueOptions::Batch options_;
  Partitions partitions_;  ///< least recently used first
  std::unordered_map<std::string_view, Partitions::iterator> by_key_;
  std::set<std::pair<Turn, Partition*>> waiting_;  ///< partitions with items
  std::uint64_t turns_ = 0;
  std::deque<Outgoing> ready_;
};

}  // namespace sluice
