#pragma once

#include <cstddef>
#include <string_view>

/// The memory behind buffers where it is promised how much there is of it: each costs page faults,
/// so neither is what buffers do by themselves.
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

/// Gives the whole pages within `bytes` back to the system; how many bytes went. For who alone
/// knows them and reads none of them again: they are no content any more, but may be overwritten.
std::size_t discard(std::string_view bytes) noexcept;

/// Gives back what waits for its next use: the pool's blocks, and the free pages of the heap. Takes
/// milliseconds.
void give_back_spare() noexcept;

}  // namespace sluice::pages
