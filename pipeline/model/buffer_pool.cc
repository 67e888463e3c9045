// The pool of blocks behind Buffer.
//
//   class        size of block            comes from       goes back to
//   ------------ ------------------------ ---------------- -------------------------------
//   small        <= 1 KiB, by 64          malloc           free (glibc's own thread cache)
//   pooled       1 KiB .. 4 MiB,          malloc below     a shelf per class, 32 MiB in all
//                8 classes per doubling   128 KiB, mmap    or an eighth of what is in use
//   large        > 4 MiB, whole pages     mmap             munmap
//
// Why a pool at all: a block over 128 KiB from malloc is a fresh mmap, and clearing its pages on
// first touch costs more than everything else that is done to the spans in it (0.75 against 0.54 us
// a span, 512 spans a request). Why mmap rather than malloc for the large half: pages are committed
// as they are touched, so a claimed length costs nothing, and growing moves page tables instead of
// bytes. Eight classes per doubling waste at most an eighth; what is counted as pinned is the whole
// class.
//
// The shelves are bounded together, the more the more there is in use: a sampler that holds much
// lets go of it in bursts, and mapping it anew took a tenth of its time on one worker and more on
// two, which wait for each other in the kernel. Traffic changes its sizes, so a full pool makes
// room by giving up blocks of other classes in turn; and a miss of a mapped class takes what waits
// in one of the next three (new pages cost 1 us each, five where a host has to find them first), or
// else first gives up as much as it maps when the pool is half full, so that cached and live memory
// do not add up to more than was ever live.
//
// A shelf has a lock of its own, held for two pointer writes: once per request, not per span. With
// the address sanitizer nothing is pooled and blocks are exact, so that every overrun is seen.

#include "pipeline/model/buffer_pool.h"

#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>

#include "pipeline/ensure.h"

#if defined(__SANITIZE_ADDRESS__)
#define SLUICE_EXACT_BLOCKS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLUICE_EXACT_BLOCKS 1
#endif
#endif

namespace sluice::buffer_pool {
namespace {

#ifdef SLUICE_EXACT_BLOCKS
constexpr bool exact_blocks = true;
#else
constexpr bool exact_blocks = false;
#endif

using Block = Buffer::Block;

constexpr std::size_t pooled_min = 1024;
constexpr std::size_t pooled_max = std::size_t{4} << 20;
constexpr std::size_t mapped_min = std::size_t{128} << 10;
constexpr std::size_t populated_max = std::size_t{1} << 20;
constexpr std::size_t cached_least = std::size_t{32} << 20;
constexpr std::size_t cached_most = std::size_t{256} << 20;
constexpr std::size_t page = 4096;
constexpr std::size_t class_count = 12 * 8;

struct alignas(64) Shelf {
  std::mutex mutex;
  Block* first = nullptr;
};

// Never destroyed (mutexes of this kind need it not), so buffers may outlive every other static.
constinit std::array<Shelf, class_count> shelves{};
constinit std::atomic<std::size_t> cached_bytes{0};
constinit std::atomic<std::size_t> pooled_bytes{0};  ///< of pooled classes, in use or waiting
constinit std::atomic<std::size_t> victim{0};

// Vectors of merged batches pass glibc's default threshold of 128 KiB and would be mapped and
// unmapped per batch, with the same page faults; they stay on the heap, which keeps some room on
// top.
[[maybe_unused]] const bool malloc_tuned = [] {
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 4 << 20);
  return true;
}();

std::size_t total_of(const Block* block) { return sizeof(Block) + block->capacity; }

bool is_mapped(std::size_t total) { return !exact_blocks && total >= mapped_min; }
bool is_pooled(std::size_t total) {
  return !exact_blocks && total > pooled_min && total <= pooled_max;
}

/// The number of the shelf of a class size in (1 KiB, 4 MiB].
std::size_t shelf_of(std::size_t total) {
  const auto doubling = static_cast<std::size_t>(std::bit_width(total - 1)) - 1;
  const std::size_t step = std::size_t{1} << (doubling - 3);
  return (doubling - 10) * 8 + (total - (std::size_t{1} << doubling)) / step - 1;
}

Block* pop(Shelf& shelf) {
  const std::lock_guard lock(shelf.mutex);
  Block* block = shelf.first;
  if (block == nullptr) return nullptr;
  shelf.first = block->next;
  __builtin_prefetch(shelf.first, 1);  // long out of the cache when its turn comes (measured)
  cached_bytes.fetch_sub(total_of(block), std::memory_order_relaxed);
  return block;
}

/// A block of the class, or, of those that would have to be mapped, one of the next classes: it is
/// there, and BufferWriter::freeze does not find it too large.
Block* take_cached(std::size_t total) {
  constexpr std::size_t classes_above = 3;
  const std::size_t number = shelf_of(total);
  const std::size_t last = is_mapped(total) ? number + classes_above : number;
  for (std::size_t at = number; at <= std::min(last, class_count - 1); ++at) {
    if (Block* block = pop(shelves[at])) return block;
  }
  return nullptr;
}

/// Modulo 2^64, like the sum.
void count(std::size_t bytes_of_block, std::size_t change) {
  if (is_pooled(bytes_of_block)) pooled_bytes.fetch_add(change, std::memory_order_relaxed);
}

void return_to_system(Block* block) {
  const std::size_t total = total_of(block);
  count(total, -total);
  if (is_mapped(total)) {
    munmap(static_cast<void*>(block), total);
  } else {
    std::free(static_cast<void*>(block));
  }
}

/// Gives up cached blocks of any class, a few of each in turn, until `bytes` fit under `limit`.
void make_room(std::size_t bytes, std::size_t limit) {
  constexpr int few = 8;
  const auto is_full = [&] { return cached() + bytes > limit; };
  for (std::size_t misses = 0; misses < class_count && is_full();) {
    Shelf& shelf = shelves[victim.fetch_add(1, std::memory_order_relaxed) % class_count];
    for (int count = 0; count < few && is_full(); ++count) {
      Block* block = pop(shelf);
      misses = block == nullptr ? misses + (count == 0) : 0;
      if (block == nullptr) break;
      return_to_system(block);
    }
  }
}

/// How many bytes may wait.
std::size_t cached_max() {
  const std::size_t pooled = pooled_bytes.load(std::memory_order_relaxed);
  const std::size_t used = pooled - std::min(pooled, cached());
  return std::clamp(used / 8, cached_least, cached_most);
}

void* memory_from_system(std::size_t total) {
  if (!is_mapped(total)) return std::malloc(total);
  if (is_pooled(total)) {
    const std::size_t cached_now = cached();
    make_room(0, std::max(cached_max() / 2, cached_now - std::min(cached_now, total)));
  }
  // Who takes a block fills it, as a rule: its pages all at once cost half of a fault for each. Not
  // those of a large body that has only been promised. (Huge pages are no help: where compaction
  // has to make them, or a host gives them page by page, they take longer than all small ones.)
  const int populate = total <= populated_max ? MAP_POPULATE : 0;
  void* memory = mmap(nullptr, total, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | populate, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

Block* start(void* memory, std::size_t total) {
  Block* block = new (memory) Block;
  block->capacity = total - sizeof(Block);
  return block;
}

}  // namespace

std::size_t class_size(std::size_t bytes) noexcept {
  if (bytes <= pooled_min) return (bytes + 63) & ~std::size_t{63};
  if (bytes > pooled_max) return (bytes + page - 1) & ~(page - 1);
  const std::size_t step = std::size_t{1} << (std::bit_width(bytes - 1) - 4);
  return (bytes + step - 1) & ~(step - 1);
}

Block* take(std::size_t capacity) {
  ensure(capacity <= Buffer::size_max, "a buffer has at most 1 GiB: doors cap a body long before");
  const std::size_t total =
      exact_blocks ? sizeof(Block) + capacity : class_size(sizeof(Block) + capacity);
  if (is_pooled(total)) {
    if (Block* block = take_cached(total)) return start(block, total_of(block));
  }
  void* const memory = memory_from_system(total);
  if (memory == nullptr) throw std::bad_alloc();
  count(total, total);
  return start(memory, total);
}

void give_back(Block* block) noexcept {
  const std::size_t total = total_of(block);
  if (!is_pooled(total)) return return_to_system(block);
  make_room(total, cached_max());
  Shelf& shelf = shelves[shelf_of(total)];
  cached_bytes.fetch_add(total, std::memory_order_relaxed);
  const std::lock_guard lock(shelf.mutex);
  block->next = shelf.first;
  shelf.first = block;
}

Block* remap(Block* block, std::size_t capacity) noexcept {
  const std::size_t before = total_of(block);
  const std::size_t after = class_size(sizeof(Block) + capacity);
  if (!is_mapped(before) || !is_mapped(after)) return nullptr;
  void* memory = mremap(static_cast<void*>(block), before, after, MREMAP_MAYMOVE);
  if (memory == MAP_FAILED) return nullptr;
  count(before, -before);
  count(after, after);
  auto* moved = static_cast<Block*>(memory);
  moved->capacity = after - sizeof(Block);
  return moved;
}

void empty() noexcept { make_room(0, 0); }

bool exact() noexcept { return exact_blocks; }

std::size_t cached() noexcept { return cached_bytes.load(std::memory_order_relaxed); }

}  // namespace sluice::buffer_pool
