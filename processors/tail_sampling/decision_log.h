#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "processors/tail_sampling/judge.h"
#include "processors/tail_sampling/reason.h"

namespace sluice::tail_sampling {

/// The last decisions of one shard, with all that they were made from. Grows to its size as it is
/// used: 112 bytes a decision and one for each policy.
class DecisionLog {
 public:
  using WallTime = std::chrono::system_clock::time_point;

  DecisionLog(const Judge& judge, std::size_t size) : judge_(judge), size_(size) {}

  void add(const TraceFacts& facts, const Decision& decision, std::span<const Vote> votes,
           Reason reason, WallTime at);

  /// As JSON objects with commas between them, the newest first: those of a trace if one is named,
  /// `limit` at most.
  std::string describe(const std::optional<TraceId>& trace, std::size_t limit) const;

 private:
  struct Record {
    TraceFacts facts;
    WallTime at;
    Decision decision;
    Reason reason = Reason::waited;
  };
  std::string describe(std::size_t place) const;

  const Judge& judge_;
  std::size_t size_;
  std::size_t next_ = 0;  ///< where the oldest goes, once all places are taken
  std::vector<Record> records_;
  std::vector<Vote> votes_;  ///< as many a record as there are policies
};

/// From 32 hexadecimal digits, of either case.
std::optional<TraceId> parse_trace_id(std::string_view text);

}  // namespace sluice::tail_sampling
