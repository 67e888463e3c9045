#pragma once

#include <cstddef>
#include <cstdint>

#include "pipeline/traces/trace_facts.h"
#include "processors/tail_sampling/dropped_ids.h"
#include "processors/tail_sampling/kept_ids.h"

namespace sluice::tail_sampling {

/// What became of the traces that were decided lately, so that their late spans follow them.
class PastDecisions {
 public:
  enum class Fate : std::uint8_t { unknown, kept, dropped };
  struct Found {
    Fate fate;
    std::uint64_t threshold = KeptIds::unknown;  ///< of one that was kept
  };

  PastDecisions(std::size_t kept_max, std::size_t dropped_max, bool with_thresholds)
      : kept_(kept_max, with_thresholds), dropped_(dropped_max) {}

  void keep(const TraceId& id, std::uint64_t hash, std::uint64_t threshold) {
    kept_.insert(id, hash, threshold);
  }
  void drop(std::uint64_t hash) { dropped_.insert(hash); }
  /// `find` will be called soon: what it reads is long out of the cache.
  void prefetch(std::uint64_t hash) const {
    kept_.prefetch(hash);
    dropped_.prefetch(hash);
  }
  /// The exact memory is asked first.
  Found find(const TraceId& id, std::uint64_t hash) {
    if (const auto threshold = kept_.find(id, hash)) return {Fate::kept, *threshold};
    return {dropped_.contains(hash) ? Fate::dropped : Fate::unknown};
  }

 private:
  KeptIds kept_;
  DroppedIds dropped_;
};

}  // namespace sluice::tail_sampling
