#include "processors/tail_sampling/dropped_ids.h"

#include <algorithm>
#include <utility>

namespace sluice::tail_sampling {
namespace {

constexpr int fingerprint_bits = 28;
constexpr std::uint32_t fingerprint_mask = (1U << fingerprint_bits) - 1;
constexpr std::uint32_t epochs = 15;                       // numbers that an epoch can have
constexpr std::uint32_t lifetime = 14;                     // epochs
constexpr std::size_t epochs_per_capacity = lifetime - 1;  // the first one has only begun
constexpr double load_max = 0.9;
constexpr int kicks_max = 100;

std::uint32_t epoch_of(std::uint32_t slot) { return slot >> fingerprint_bits; }

/// The high half of a product spreads any number over [0, size).
std::size_t spread(std::uint64_t bits, std::size_t size) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::size_t>(Wide{bits} * size >> 64);
}

}  // namespace

DroppedIds::DroppedIds(std::size_t capacity)
    : epoch_size_((capacity + epochs_per_capacity - 1) / epochs_per_capacity) {
  if (capacity == 0) return;
  const double slots = static_cast<double>(epoch_size_ * (lifetime + 1)) / load_max;
  buckets_.resize(static_cast<std::size_t>(slots / 4) + 2);
  sweep_step_ = buckets_.size() / epoch_size_ + 1;
}

void DroppedIds::insert(std::uint64_t hash) {
  if (buckets_.empty() || contains(hash)) return;
  age();
  const Place place = place_of(hash);
  const Slot slot = epoch_ << fingerprint_bits | place.fingerprint;
  if (!put(place.first, slot) && !put(place.second, slot)) displace(place.second, slot);
}

bool DroppedIds::contains(std::uint64_t hash) const {
  if (buckets_.empty()) return false;
  const Place place = place_of(hash);
  const auto holds = [&](std::size_t bucket) {
    return std::ranges::any_of(buckets_[bucket], [&](Slot slot) {
      return slot != 0 && (slot & fingerprint_mask) == place.fingerprint && !is_old(slot);
    });
  };
  return holds(place.first) || holds(place.second);
}

DroppedIds::Place DroppedIds::place_of(std::uint64_t hash) const {
  // Of the low bits, where the bucket comes from the high ones.
  const auto fingerprint = static_cast<std::uint32_t>(hash) & fingerprint_mask;
  const std::size_t first = spread(hash, buckets_.size());
  return {fingerprint, first, other(first, fingerprint)};
}

/// The other bucket of an id, from either of them: they add up to a number that the fingerprint
/// gives.
std::size_t DroppedIds::other(std::size_t bucket, std::uint32_t fingerprint) const {
  const std::size_t sum = spread(fingerprint * 0x9e3779b97f4a7c15, buckets_.size());
  return sum >= bucket ? sum - bucket : sum + buckets_.size() - bucket;
}

bool DroppedIds::put(std::size_t bucket, Slot slot) {
  const auto free = std::ranges::find_if(buckets_[bucket],
                                         [this](Slot each) { return each == 0 || is_old(each); });
  if (free == buckets_[bucket].end()) return false;
  *free = slot;
  return true;
}

/// Moves others to their other bucket until one finds room. At a load of nine tenths that is a
/// matter of a few moves; where it is not, the last one that was moved is forgotten.
void DroppedIds::displace(std::size_t bucket, Slot slot) {
  for (int kick = 0; kick < kicks_max; ++kick) {
    std::swap(slot, buckets_[bucket][kicked_++ % buckets_[bucket].size()]);
    bucket = other(bucket, slot & fingerprint_mask);
    if (put(bucket, slot)) return;
  }
}

/// Before the number of an epoch comes again, the sweep has removed what bears it.
void DroppedIds::age() {
  for (std::size_t step = 0; step < sweep_step_ && swept_ < buckets_.size(); ++step, ++swept_) {
    for (Slot& slot : buckets_[swept_]) {
      if (slot != 0 && is_old(slot)) slot = 0;
    }
  }
  if (++inserted_ < epoch_size_) return;
  inserted_ = swept_ = 0;
  epoch_ = epoch_ % epochs + 1;
}

bool DroppedIds::is_old(Slot slot) const {
  return (epoch_ + epochs - epoch_of(slot)) % epochs >= lifetime;
}

}  // namespace sluice::tail_sampling
