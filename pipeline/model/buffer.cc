#include "pipeline/model/buffer.h"

#include <algorithm>

#include "pipeline/model/buffer_pool.h"
#include "pipeline/model/pages.h"

namespace sluice {
namespace {

constexpr std::size_t first_capacity = 1024 - sizeof(Buffer::Block);
// Above the pool's largest class, pages move instead of bytes.
constexpr std::size_t remap_min = std::size_t{4} << 20;
// Where growth by moving pages is asked for: from this size on a block gets pages of its own.
constexpr std::size_t moving_min = std::size_t{16} << 10;
constexpr std::size_t mapped_min = std::size_t{128} << 10;

bool moves_pages(std::size_t capacity) {
  return capacity >= remap_min || pages::GrowthByMoving::active();
}

}  // namespace

void move_charge(std::atomic<MemoryAccount*>& payer, MemoryAccount& account,
                 std::size_t bytes) noexcept {
  account.hold(bytes);
  MemoryAccount* before = payer.exchange(&account, std::memory_order_acq_rel);
  if (before != nullptr) before->release(bytes);
}

void move_charge(std::atomic<MemoryAccount*>& payer, MemoryAccount& account, MemoryAccount& from,
                 std::size_t bytes) noexcept {
  account.hold(bytes);
  MemoryAccount* expected = &from;
  const bool moved = payer.compare_exchange_strong(expected, &account, std::memory_order_acq_rel);
  (moved ? from : account).release(bytes);
}

Buffer Buffer::copy_of(std::string_view bytes) {
  BufferWriter writer(bytes.size());
  writer.append(bytes);
  return std::move(writer).freeze();
}

std::size_t Buffer::pinned() const noexcept {
  return block_ == nullptr ? 0 : buffer_pool::class_size(sizeof(Block) + block_->capacity);
}

void Buffer::recycle(Block* block) noexcept {
  MemoryAccount* account = block->account.load(std::memory_order_relaxed);
  if (account != nullptr) account->release(block->charged);
  buffer_pool::give_back(block);
}

void Buffer::charge_to(MemoryAccount& account) const noexcept {
  if (block_ != nullptr) move_charge(block_->account, account, block_->charged);
}

void Buffer::charge_to(MemoryAccount& account, MemoryAccount& payer) const noexcept {
  if (block_ != nullptr) move_charge(block_->account, account, payer, block_->charged);
}

BufferWriter::BufferWriter(BufferWriter&& other) noexcept
    : block_(std::exchange(other.block_, nullptr)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

BufferWriter& BufferWriter::operator=(BufferWriter&& other) noexcept {
  std::swap(block_, other.block_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
  return *this;
}

BufferWriter::~BufferWriter() {
  if (block_ != nullptr) buffer_pool::give_back(block_);
}

void BufferWriter::reserve(std::size_t capacity) {
  if (capacity <= capacity_) return;
  if (block_ != nullptr && moves_pages(capacity_)) {
    if (Buffer::Block* moved = buffer_pool::remap(block_, capacity)) return move_to(moved);
  }
  Buffer::Block* larger = buffer_pool::take(capacity);
  if (size_ > 0) std::memcpy(larger->payload(), data_, size_);
  if (block_ != nullptr) buffer_pool::give_back(block_);
  move_to(larger);
}

void BufferWriter::grow(std::size_t more) {
  const std::size_t wanted = size_ + more;
  const std::size_t doubled = std::min(std::max(capacity_ * 2, first_capacity), Buffer::size_max);
  if (capacity_ < moving_min || !pages::GrowthByMoving::active())
    return reserve(std::max(wanted, doubled));
  // Moving is cheap enough for small steps, after which freezing need not copy to a smaller block.
  const std::size_t step = std::min(capacity_ + capacity_ / 4, Buffer::size_max);
  reserve(std::max({wanted, step, mapped_min}));
}

void BufferWriter::move_to(Buffer::Block* block) noexcept {
  block_ = block;
  data_ = block->payload();
  capacity_ = block->capacity;
}

void BufferWriter::shrink() {
  if (moves_pages(capacity_)) {
    if (Buffer::Block* moved = buffer_pool::remap(block_, size_)) return move_to(moved);
  }
  Buffer::Block* smaller = buffer_pool::take(size_);
  if (size_ > 0) std::memcpy(smaller->payload(), data_, size_);
  buffer_pool::give_back(block_);
  move_to(smaller);
}

Buffer BufferWriter::freeze(MemoryAccount* account, std::size_t charged) && {
  if (block_ == nullptr) {
    if (account != nullptr) account->release(charged);
    return {};
  }
  const std::size_t needed = buffer_pool::class_size(sizeof(Buffer::Block) + size_);
  const std::size_t had = buffer_pool::class_size(sizeof(Buffer::Block) + capacity_);
  if (had - needed > had / 3 || (buffer_pool::exact() && size_ < capacity_)) shrink();
  block_->size = size_;
  const std::size_t pinned = buffer_pool::class_size(sizeof(Buffer::Block) + capacity_);
  block_->charged = pinned;
  if (account != nullptr) {
    if (pinned > charged) account->hold(pinned - charged);
    if (pinned < charged) account->release(charged - pinned);
    block_->account.store(account, std::memory_order_relaxed);
  }
  Buffer frozen(std::exchange(block_, nullptr));
  data_ = nullptr;
  size_ = capacity_ = 0;
  return frozen;
}

}  // namespace sluice
