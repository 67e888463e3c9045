#include "pipeline/export/size_limit.h"

#include <algorithm>

namespace sluice {

void SizeLimit::refused(std::size_t size) {
  const std::size_t known_good = taken_max_ < size ? taken_max_ : 0;
  limit_ = std::max({size - size / 4 - (size < 4 ? 1 : 0), known_good, std::size_t{1}});
  taken_max_ = 0;
  taken_count_ = 0;
}

void SizeLimit::taken(std::size_t size) {
  if (limit_ == 0) return;
  taken_max_ = std::max(taken_max_, size);
  if (++taken_count_ < 128) return;
  taken_count_ = 0;
  limit_ += limit_ / 16 + 1;
}

}  // namespace sluice
