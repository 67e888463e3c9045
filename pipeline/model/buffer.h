#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

namespace sluice {

/// Whoever accounts for the memory that buffers pin. A buffer gives back what was charged for it
/// when its last handle goes, from whichever thread that happens on; so an account outlives the
/// buffers.
class MemoryAccount {
 public:
  /// Charges bytes that are there already: never refused.
  virtual void hold(std::size_t bytes) noexcept = 0;
  virtual void release(std::size_t bytes) noexcept = 0;

 protected:
  ~MemoryAccount() = default;
};

/// Moves a charge from the account that pays to another one. Held with the new one first, so that
/// whoever moves it on meanwhile gives back what is there.
void move_charge(std::atomic<MemoryAccount*>& payer, MemoryAccount& account,
                 std::size_t bytes) noexcept;
/// The same, unless somebody other than `from` pays.
void move_charge(std::atomic<MemoryAccount*>& payer, MemoryAccount& account, MemoryAccount& from,
                 std::size_t bytes) noexcept;

/// Immutable, reference-counted bytes, as received. Copying copies a handle (one atomic add, 8
/// bytes); the bytes are never written after creation, so any thread may read them. Memory comes
/// from a process-wide pool of size classes that waste at most an eighth, and returns to it with
/// the last handle. At most 1 GiB.
class Buffer {
 public:
  static constexpr std::size_t size_max = std::size_t{1} << 30;

  Buffer() = default;
  Buffer(const Buffer& other) noexcept;
  Buffer(Buffer&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Buffer& operator=(Buffer other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Buffer();

  static Buffer copy_of(std::string_view bytes);

  std::string_view bytes() const noexcept;
  const char* data() const noexcept { return bytes().data(); }
  std::size_t size() const noexcept { return bytes().size(); }
  /// What holding this buffer costs: the bytes of its size class, not those in use.
  std::size_t pinned() const noexcept;
  /// Who was charged for it, if anybody: what is made from these bytes goes on the same account.
  MemoryAccount* account() const noexcept;
  /// From now on `account` pays, whoever did before, for all handles.
  void charge_to(MemoryAccount& account) const noexcept;
  /// The same, unless somebody other than `payer` pays.
  void charge_to(MemoryAccount& account, MemoryAccount& payer) const noexcept;
  bool same(const Buffer& other) const noexcept { return block_ == other.block_; }
  /// Tells buffers apart in a map, as long as a handle lives.
  const void* identity() const noexcept { return block_; }
  explicit operator bool() const noexcept { return block_ != nullptr; }

  struct Block;

 private:
  friend class BufferWriter;
  explicit Buffer(Block* block) noexcept : block_(block) {}
  static void recycle(Block* block) noexcept;
  Block* block_ = nullptr;
};

/// What stands before the bytes of every buffer.
struct Buffer::Block {
  std::atomic<std::uint32_t> references{1};
  std::size_t size = 0;
  std::size_t capacity = 0;  ///< bytes behind this header
  std::atomic<MemoryAccount*> account{nullptr};
  std::size_t charged = 0;
  Block* next = nullptr;  ///< in the pool: the next one of the class

  char* payload() noexcept { return reinterpret_cast<char*>(this + 1); }
};

/// The only way to fill a buffer: exclusive, growing, then frozen. Memory of a large reservation is
/// committed by the kernel as it is touched, so reserving for a length that a peer only claims
/// costs address space alone.
class BufferWriter {
 public:
  BufferWriter() = default;
  explicit BufferWriter(std::size_t capacity) { reserve(capacity); }
  BufferWriter(BufferWriter&& other) noexcept;
  BufferWriter& operator=(BufferWriter&& other) noexcept;
  ~BufferWriter();

  /// Room for `capacity` bytes in all; grows by moving, keeps what was written.
  void reserve(std::size_t capacity);
  /// The bytes must not lie in this writer, which may move.
  void append(std::string_view bytes);
  void append(char byte);
  /// `size` writable bytes behind what is written (reserves as needed), for reading a socket into;
  /// `advance` makes those that were filled part of the content.
  char* tail(std::size_t size);
  void advance(std::size_t size) noexcept { size_ += size; }
  void truncate(std::size_t size) noexcept { size_ = size; }

  char* data() noexcept { return data_; }
  std::string_view bytes() const noexcept { return {data_, size_}; }
  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return capacity_; }

  /// The finished buffer; the writer is empty again. Where more than a third of the memory is
  /// unused the content moves to a smaller block, so pointers into the writer end here.
  Buffer freeze() && { return std::move(*this).freeze(nullptr, 0); }
  /// `account` has been charged `charged` bytes for it; the difference to what the buffer really
  /// pins is settled here, and all of it goes back with the buffer's last handle.
  Buffer freeze(MemoryAccount* account, std::size_t charged) &&;

 private:
  void grow(std::size_t more);
  void move_to(Buffer::Block* block) noexcept;
  void shrink();

  Buffer::Block* block_ = nullptr;
  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// One-liners of the hot paths: a handle is copied per batch and stage, bytes are appended per
// field.

inline Buffer::Buffer(const Buffer& other) noexcept : block_(other.block_) {
  if (block_ != nullptr) block_->references.fetch_add(1, std::memory_order_relaxed);
}

inline Buffer::~Buffer() {
  if (block_ != nullptr && block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
    recycle(block_);
}

inline std::string_view Buffer::bytes() const noexcept {
  return block_ == nullptr ? std::string_view() : std::string_view(block_->payload(), block_->size);
}

inline MemoryAccount* Buffer::account() const noexcept {
  return block_ == nullptr ? nullptr : block_->account.load(std::memory_order_relaxed);
}

inline void BufferWriter::append(std::string_view bytes) {
  if (bytes.empty()) return;
  if (bytes.size() > capacity_ - size_) grow(bytes.size());
  std::memcpy(data_ + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

inline void BufferWriter::append(char byte) {
  if (size_ == capacity_) grow(1);
  data_[size_++] = byte;
}

inline char* BufferWriter::tail(std::size_t size) {
  if (size > capacity_ - size_) grow(size);
  return data_ + size_;
}

}  // namespace sluice
