#pragma once

#include <cstddef>

namespace sluice {

/// How large a request a destination takes, learnt from those it found too large. Batches above the
/// limit are split before they are sent, so that one refusal does not repeat with every batch. The
/// limit goes down by a quarter at most with each refusal, never below what was taken in between,
/// and up by a sixteenth after 128 requests that were taken: a destination that was given a larger
/// limit is found out, and one that was not costs less than one request in a hundred.
class SizeLimit {
 public:
  /// Bytes; 0 while nothing was ever refused.
  std::size_t current() const { return limit_; }
  void refused(std::size_t size);
  void taken(std::size_t size);

 private:
  std::size_t limit_ = 0;
  std::size_t taken_max_ = 0;  ///< largest that was taken since the last refusal
  unsigned taken_count_ = 0;
};

}  // namespace sluice
