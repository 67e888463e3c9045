#include "pipeline/model/pages.h"

#include <malloc.h>
#include <sys/mman.h>

#include <cstdint>
#include <new>
#include <utility>

#include "pipeline/model/buffer_pool.h"

#if defined(__SANITIZE_ADDRESS__)
extern "C" void __asan_poison_memory_region(const volatile void*, std::size_t);
#endif

namespace sluice::pages {
namespace {

constexpr std::uintptr_t page = 4096;
thread_local bool moving = false;

}  // namespace

GrowthByMoving::GrowthByMoving() noexcept : before_(std::exchange(moving, true)) {}
GrowthByMoving::~GrowthByMoving() { moving = before_; }
bool GrowthByMoving::active() noexcept { return moving; }

void* take(std::size_t size) {
  void* const pages = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  return pages;
}

void give_back(void* pages, std::size_t size) noexcept { munmap(pages, size); }

std::size_t discard(std::string_view bytes) noexcept {
  const auto start = reinterpret_cast<std::uintptr_t>(bytes.data());
  const std::uintptr_t first = (start + page - 1) & ~(page - 1);
  const std::uintptr_t end = (start + bytes.size()) & ~(page - 1);
  if (end <= first) return 0;
  void* const at = reinterpret_cast<void*>(first);
  if (madvise(at, end - first, MADV_DONTNEED) != 0) return 0;
#if defined(__SANITIZE_ADDRESS__)
  // Whoever reads them nevertheless is found out. Freeing the block makes them usable again.
  __asan_poison_memory_region(at, end - first);
#endif
  return end - first;
}

void give_back_spare() noexcept {
  buffer_pool::empty();
  malloc_trim(0);
}

}  // namespace sluice::pages
