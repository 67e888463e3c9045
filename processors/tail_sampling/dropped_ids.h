#pragma once

#include <sys/mman.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

namespace sluice::tail_sampling {

/// Memory for a large table that is read at random: in large pages where the kernel has them, which
/// took half of what a look into ten million ids cost.
template <typename Value>
struct LargePages {
  using value_type = Value;
  Value* allocate(std::size_t count) {
    void* memory = mmap(nullptr, count * sizeof(Value), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    madvise(memory, count * sizeof(Value), MADV_HUGEPAGE);
    return static_cast<Value*>(memory);
  }
  void deallocate(Value* memory, std::size_t count) { munmap(memory, count * sizeof(Value)); }
  bool operator==(const LargePages&) const { return true; }
};

/// Remembers the traces that were dropped, so that their late spans follow them: the last
/// `capacity` ids at least, in some five bytes each, what came before for a while longer.
///
/// A cuckoo filter over hashes of ids: 28 bits of an id's hash, in one of two buckets of four. An
/// id that was never inserted is taken for one that was with a probability of 8 / 2^28, one in 34
/// million, and then loses spans that were to be judged; an exact table would take four times the
/// memory. The other four bits are the age: time is counted in epochs of a fourteenth of the
/// capacity each, and what is fourteen epochs old is forgotten by a sweep that goes a little way
/// with every insertion, so that no call takes long.
class DroppedIds {
 public:
  /// 0: remembers nothing.
  explicit DroppedIds(std::size_t capacity);

  /// `hash`: of the whole id, under a key that senders do not know.
  void insert(std::uint64_t hash);
  bool contains(std::uint64_t hash) const;
  /// It will be asked for soon, or inserted.
  void prefetch(std::uint64_t hash) const {
    if (buckets_.empty()) return;
    const Place place = place_of(hash);
    __builtin_prefetch(&buckets_[place.first], 1);
    __builtin_prefetch(&buckets_[place.second], 1);
  }
  std::size_t memory() const { return buckets_.size() * sizeof(Bucket); }

 private:
  /// Fingerprint and epoch; 0 is free.
  using Slot = std::uint32_t;
  using Bucket = std::array<Slot, 4>;
  struct Place {
    std::uint32_t fingerprint;
    std::size_t first, second;
  };

  Place place_of(std::uint64_t hash) const;
  std::size_t other(std::size_t bucket, std::uint32_t fingerprint) const;
  bool put(std::size_t bucket, Slot slot);
  void displace(std::size_t bucket, Slot slot);
  void age();
  bool is_old(Slot slot) const;

  std::vector<Bucket, LargePages<Bucket>> buckets_;
  std::size_t epoch_size_;
  std::size_t inserted_ = 0;    ///< in this epoch
  std::size_t swept_ = 0;       ///< buckets, in this epoch
  std::size_t sweep_step_ = 0;  ///< buckets with every insertion
  std::uint32_t epoch_ = 1;     ///< 1 to 15
  std::uint32_t kicked_ = 0;    ///< which slot of a full bucket has to go next
};

}  // namespace sluice::tail_sampling
