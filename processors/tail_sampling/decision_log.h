#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/traces/chunks.h"
#include "pipeline/traces/due_reason.h"
#include "processors/tail_sampling/judge.h"

namespace sluice::tail_sampling {

/// The last decisions of one shard, with all that they were made from. Grows to its size as it is
/// used: 128 bytes a decision, one for each policy, and 8 for each number that one notes.
class DecisionLog {
 public:
  using WallTime = std::chrono::system_clock::time_point;

  DecisionLog(const Judge& judge, std::size_t size) : judge_(judge), size_(size) {}

  void add(const TraceFacts& facts, const Decision& decision, const Said& said, DueReason reason,
           WallTime at);

  /// As JSON objects with commas between them, the newest first: those of a trace if one is named,
  /// `limit` at most.
  std::string describe(const std::optional<TraceId>& trace, std::size_t limit) const;

 private:
  struct Record {
    TraceFacts facts;
    WallTime at;
    Decision decision;
    DueReason reason;
  };
  std::string describe(std::size_t place) const;

  const Judge& judge_;
  std::size_t size_;
  std::size_t next_ = 0;  ///< where the oldest goes, once all places are taken
  Chunks<Record> records_;
  Said said_;  ///< of all records, one behind the other
};

/// From 32 hexadecimal digits, of either case.
std::optional<TraceId> parse_trace_id(std::string_view text);

}  // namespace sluice::tail_sampling
