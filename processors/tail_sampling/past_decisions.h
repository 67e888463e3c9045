#pragma once

#include <cstddef>
#include <cstdint>

#include "processors/tail_sampling/dropped_ids.h"
#include "processors/tail_sampling/facts.h"
#include "processors/tail_sampling/kept_ids.h"

namespace sluice::tail_sampling {

/// What became of the traces that were decided lately, so that their late spans follow them.
class PastDecisions {
 public:
  enum class Fate : std::uint8_t { unknown, kept, dropped };

  PastDecisions(std::size_t kept_max, std::size_t dropped_max)
      : kept_(kept_max), dropped_(dropped_max) {}

  void keep(const TraceId& id, std::uint64_t hash) { kept_.insert(id, hash); }
  void drop(std::uint64_t hash) { dropped_.insert(hash); }
  /// `find` will be called soon: what it reads is long out of the cache.
  void prefetch(std::uint64_t hash) const {
    kept_.prefetch(hash);
    dropped_.prefetch(hash);
  }
  /// The exact memory is asked first.
  Fate find(const TraceId& id, std::uint64_t hash) {
    if (kept_.contains(id, hash)) return Fate::kept;
    return dropped_.contains(hash) ? Fate::dropped : Fate::unknown;
  }

 private:
  KeptIds kept_;
  DroppedIds dropped_;
};

}  // namespace sluice::tail_sampling
