#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "pipeline/model/span_batch.h"
#include "pipeline/traces/questions.h"
#include "pipeline/traces/trace_facts.h"

namespace sluice {

/// Names a trace that a shard holds; `generation` tells it from others that had the number before.
struct TraceHandle {
  std::uint32_t number = UINT32_MAX;
  std::uint32_t generation = 0;
  explicit operator bool() const { return number != UINT32_MAX; }
};

/// Spans of one trace that lie side by side in one scope of a request, and what they say. The unit
/// of all that is done on arrival: a trace's spans come together as a rule.
struct Arrival {
  std::uint64_t hash = 0;   ///< of the trace id
  std::uint32_t first = 0;  ///< the first span's number in the batch; there are facts.spans of them
  TraceFacts facts;         ///< of these spans alone
  TraceHandle trace;        ///< where they were filed
  bool is_new = false;      ///< the trace was not held before
  bool is_first_root = false;
};

/// The shard of a trace. By the rest of the hash's high half: the tables of a shard place ids by
/// the low bits, or by where the number lies in its range, and must find them spread over both.
inline std::size_t shard_of(std::uint64_t hash, std::size_t shards) {
  return static_cast<std::uint32_t>(hash >> 32) % static_cast<std::uint32_t>(shards);
}

/// What two spans of one trace and request need not have twice: arrivals are sized as messages with
/// a resource and a scope of their own.
std::size_t shared_size(const SpanBatch& batch, std::uint32_t one, std::uint32_t other);

/// Reads every span of a request once, on the worker that it came in on: whose it is, and what will
/// be wanted of it later. One a worker.
class ArrivalReader {
 public:
  /// `key` makes hashes that senders cannot foresee, so that they cannot choose ids that collide.
  /// `questions` may be null, and outlives this.
  explicit ArrivalReader(std::uint64_t key, SpanQuestions* questions = nullptr)
      : key_(key), questions_(questions) {}

  /// Adds the arrivals of a batch, in order, to the list of their shard: by hash, one of
  /// `by_shard.size()`.
  void read(const SpanBatch& batch, std::vector<std::vector<Arrival>>& by_shard);
  std::uint64_t hash(std::string_view trace_id) const;

 private:
  std::uint64_t key_;
  SpanQuestions* questions_;
};

}  // namespace sluice
