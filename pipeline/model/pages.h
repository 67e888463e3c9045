#pragma once

#include <cstddef>
#include <string_view>

/// The memory behind buffers where it is promised how much there is of it, and behind tables that
/// grow.
namespace sluice::pages {

/// While one lives, a writer of this thread that outgrows a mapped block moves its pages to the
/// larger one instead of copying them, so that its bytes are never there twice. One that outgrows
/// a block of 16 KiB or more gets a mapped one.
class GrowthByMoving {
 public:
  GrowthByMoving() noexcept;
  ~GrowthByMoving();
  GrowthByMoving(const GrowthByMoving&) = delete;
  GrowthByMoving& operator=(const GrowthByMoving&) = delete;
  static bool active() noexcept;

 private:
  const bool before_;
};

/// Pages of their own for something that is about to be filled: all at once, which costs half of a
/// fault for each. Throws where there are none.
void* take(std::size_t size);
void give_back(void* pages, std::size_t size) noexcept;

/// Gives the whole pages within `bytes` back to the system; how many bytes went. For who alone
/// knows them and reads none of them again: they are no content any more, but may be overwritten.
std::size_t discard(std::string_view bytes) noexcept;

/// Gives back what waits for its next use: the pool's blocks, and the free pages of the heap. Takes
/// milliseconds.
void give_back_spare() noexcept;

}  // namespace sluice::pages
