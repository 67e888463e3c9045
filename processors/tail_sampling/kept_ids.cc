#include "processors/tail_sampling/kept_ids.h"

#include <algorithm>

namespace sluice::tail_sampling {

void KeptIds::insert(const TraceId& id, std::uint64_t hash, std::uint64_t threshold) {
  if (capacity_ == 0 || find(id, hash)) return;
  const std::uint32_t number = free_entry();
  Entry& entry = entries_[number];
  entry.id = id;
  entry.hash = static_cast<std::uint32_t>(hash);
  std::uint32_t& bucket = bucket_of(entry.hash);
  entry.in_bucket = bucket;
  bucket = number;
  link_newest(number);
  if (!with_thresholds_) return;
  thresholds_.resize(entries_.size());
  thresholds_[number] = threshold;
}

std::optional<std::uint64_t> KeptIds::find(const TraceId& id, std::uint64_t hash) {
  const std::uint32_t number = entry_of(id, static_cast<std::uint32_t>(hash));
  if (number == none) return std::nullopt;
  unlink(number);
  link_newest(number);
  return with_thresholds_ ? thresholds_[number] : unknown;
}

std::uint32_t KeptIds::entry_of(const TraceId& id, std::uint32_t hash) const {
  if (buckets_.empty()) return none;
  std::uint32_t number = buckets_[hash & (buckets_.size() - 1)];
  while (number != none && !same_id(entries_[number].id, id)) number = entries_[number].in_bucket;
  return number;
}

/// A new one, or that of the id whose use is the longest ago.
std::uint32_t KeptIds::free_entry() {
  if (entries_.size() < capacity_) {
    if (entries_.size() == buckets_.size()) grow();
    entries_.emplace_back();
    return static_cast<std::uint32_t>(entries_.size() - 1);
  }
  const std::uint32_t number = oldest_;
  unlink(number);
  unchain(number);
  return number;
}

void KeptIds::grow() {
  constexpr std::size_t least = 16;
  buckets_.assign(std::max(least, 2 * buckets_.size()), none);
  for (std::uint32_t number = 0; number < entries_.size(); ++number) {
    std::uint32_t& bucket = bucket_of(entries_[number].hash);
    entries_[number].in_bucket = bucket;
    bucket = number;
  }
}

void KeptIds::unchain(std::uint32_t number) {
  std::uint32_t* link = &bucket_of(entries_[number].hash);
  while (*link != number) link = &entries_[*link].in_bucket;
  *link = entries_[number].in_bucket;
}

void KeptIds::unlink(std::uint32_t number) {
  const Entry& entry = entries_[number];
  (entry.newer == none ? newest_ : entries_[entry.newer].older) = entry.older;
  (entry.older == none ? oldest_ : entries_[entry.older].newer) = entry.newer;
}

void KeptIds::link_newest(std::uint32_t number) {
  entries_[number].newer = none;
  entries_[number].older = newest_;
  (newest_ == none ? oldest_ : entries_[newest_].newer) = number;
  newest_ = number;
}

}  // namespace sluice::tail_sampling
