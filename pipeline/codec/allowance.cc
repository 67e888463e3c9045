#include "pipeline/codec/allowance.h"

#include "pipeline/model/pages.h"

namespace sluice {

/// False when nothing went.
bool Allowance::discard() {
  if (how_ == Input::kept || read_ <= discarded_) return false;
  const std::size_t went = pages::discard(input_.substr(discarded_, read_ - discarded_));
  if (went == 0) return false;
  // The rest of the last page waits for its other bytes.
  const auto end = reinterpret_cast<std::uintptr_t>(input_.data() + read_) & ~std::uintptr_t{4095};
  discarded_ = static_cast<std::size_t>(end - reinterpret_cast<std::uintptr_t>(input_.data()));
  limit_ += went;
  return true;
}

}  // namespace sluice
