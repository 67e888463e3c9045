#include "pipeline/ledger.h"

#include <cstdint>

namespace sluice {

Charge::~Charge() {
  if (ledger_ != nullptr) ledger_->release(bytes_);
}

bool Charge::resize(std::size_t bytes) {
  if (ledger_ == nullptr) return bytes == bytes_;
  if (bytes > bytes_ && !ledger_->add(bytes - bytes_)) return false;
  if (bytes < bytes_) ledger_->release(bytes_ - bytes);
  bytes_ = bytes;
  return true;
}

Buffer Charge::freeze(BufferWriter writer) && {
  Ledger* ledger = std::exchange(ledger_, nullptr);
  return std::move(writer).freeze(ledger, std::exchange(bytes_, 0));
}

std::optional<Charge> Ledger::try_charge(std::size_t bytes) {
  if (!add(bytes)) return std::nullopt;
  return Charge(*this, bytes);
}

Charge Ledger::charge(std::size_t bytes) {
  hold(bytes);
  return Charge(*this, bytes);
}

void Ledger::hold(std::size_t bytes) noexcept { used_.fetch_add(bytes, std::memory_order_relaxed); }

void Ledger::release(std::size_t bytes) noexcept {
  used_.fetch_sub(bytes, std::memory_order_relaxed);
}

Ledger& Ledger::of_holder(const std::string& name) {
  const std::lock_guard lock(holders_mutex_);
  std::unique_ptr<Ledger>& holder = holders_[name];
  if (!holder) holder = std::make_unique<Ledger>(SIZE_MAX);
  return *holder;
}

bool Ledger::add(std::size_t bytes) {
  const std::size_t limit_now = limit();
  std::size_t used_now = used();
  do {
    // Edits may have passed the limit, so the room left is not simply the difference.
    if (used_now > limit_now || bytes > limit_now - used_now) return false;
  } while (!used_.compare_exchange_weak(used_now, used_now + bytes, std::memory_order_relaxed));
  return true;
}

}  // namespace sluice
