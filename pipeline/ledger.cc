#include "pipeline/ledger.h"

#include <algorithm>

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

void Ledger::hold(std::size_t bytes) noexcept {
  used_.fetch_add(bytes, std::memory_order_relaxed);
  if (whole_ != nullptr) whole_->held_.fetch_add(bytes, std::memory_order_relaxed);
}

void Ledger::release(std::size_t bytes) noexcept {
  used_.fetch_sub(bytes, std::memory_order_relaxed);
  if (whole_ != nullptr) whole_->held_.fetch_sub(bytes, std::memory_order_relaxed);
}

Ledger& Ledger::of_holder(const std::string& name) {
  const std::lock_guard lock(mutex_);
  std::unique_ptr<Ledger>& holder = holders_[name];
  if (!holder) holder.reset(new Ledger(*this));
  return *holder;
}

void Ledger::cap(const std::string& who, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  caps_[who] = bytes;
  const auto least = std::min_element(
      caps_.begin(), caps_.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  cap_.store(least->second, std::memory_order_relaxed);
}

/// What may be in flight now.
std::size_t Ledger::ceiling() const {
  const std::size_t cap_now = cap_.load(std::memory_order_relaxed);
  const std::size_t held_now = std::min(cap_now, held_.load(std::memory_order_relaxed));
  return std::min(limit(), cap_now - held_now);
}

bool Ledger::add(std::size_t bytes) {
  const std::size_t limit_now = ceiling();
  std::size_t used_now = used();
  do {
    // Edits may have passed the limit, so the room left is not simply the difference.
    if (used_now > limit_now || bytes > limit_now - used_now) {
      refusals_.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
  } while (!used_.compare_exchange_weak(used_now, used_now + bytes, std::memory_order_relaxed));
  if (whole_ != nullptr) whole_->held_.fetch_add(bytes, std::memory_order_relaxed);
  return true;
}

}  // namespace sluice
