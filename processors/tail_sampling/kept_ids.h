#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "pipeline/traces/trace_facts.h"

namespace sluice::tail_sampling {

/// Remembers the traces that were kept, exactly, so that their late spans follow them: the
/// `capacity` ids that were inserted or asked for last. Grows to what is used; some 32 bytes an id,
/// and 8 with its threshold.
class KeptIds {
 public:
  /// 0: remembers nothing.
  explicit KeptIds(std::size_t capacity, bool with_thresholds = false)
      : capacity_(capacity), with_thresholds_(with_thresholds) {}

  /// `hash`: of the whole id, under a key that senders do not know.
  void insert(const TraceId& id, std::uint64_t hash, std::uint64_t threshold = unknown);
  /// The threshold of an id that is there (`unknown` without thresholds), which counts as used now.
  std::optional<std::uint64_t> find(const TraceId& id, std::uint64_t hash);
  void prefetch(std::uint64_t hash) const {
    if (!buckets_.empty())
      __builtin_prefetch(&buckets_[static_cast<std::uint32_t>(hash) & (buckets_.size() - 1)]);
  }
  std::size_t size() const { return entries_.size(); }

  static constexpr std::uint64_t unknown = UINT64_MAX;

 private:
  static constexpr std::uint32_t none = UINT32_MAX;
  /// In a chain of those with the same bucket, and in the list by use.
  struct Entry {
    TraceId id{};
    std::uint32_t in_bucket = none;
    std::uint32_t newer = none;
    std::uint32_t older = none;
    std::uint32_t hash = 0;
  };

  std::uint32_t entry_of(const TraceId& id, std::uint32_t hash) const;
  std::uint32_t& bucket_of(std::uint32_t hash) { return buckets_[hash & (buckets_.size() - 1)]; }
  std::uint32_t free_entry();
  void grow();
  void unchain(std::uint32_t number);
  void unlink(std::uint32_t number);
  void link_newest(std::uint32_t number);

  std::size_t capacity_;
  bool with_thresholds_;
  std::vector<Entry> entries_;
  std::vector<std::uint64_t> thresholds_;  ///< by entry
  std::vector<std::uint32_t> buckets_;     ///< a power of two of them, as many as entries at least
  std::uint32_t newest_ = none, oldest_ = none;
};

}  // namespace sluice::tail_sampling
