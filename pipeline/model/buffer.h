#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace sluice {

/// Whoever accounts for the memory that buffers pin. A buffer gives back what was charged for it
/// when its last handle goes, from whichever thread that happens on.
class MemoryAccount {
 public:
  virtual void release(std::size_t bytes) noexcept = 0;

 protected:
  ~MemoryAccount() = default;
};

/// Immutable, reference-counted bytes, as received. Copying copies a handle (one atomic add, 8 bytes);
/// the bytes are never written after creation, so any thread may read them. Memory comes from a
/// process-wide pool of size classes that waste at most an eighth, and returns to it with the last
/// handle. At most 1 GiB.
class Buffer {
 public:
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
  bool same(const Buffer& other) const noexcept { return block_ == other.block_; }
  explicit operator bool() const noexcept { return block_ != nullptr; }

  struct Block;

 private:
  friend class BufferWriter;
  explicit Buffer(Block* block) noexcept : block_(block) {}
  Block* block_ = nullptr;
};

/// The only way to fill a buffer: exclusive, growing, then frozen. Memory of a large reservation is
/// committed by the kernel as it is touched, so reserving for a length that a peer only claims costs
/// address space alone.
class BufferWriter {
 public:
  BufferWriter() = default;
  explicit BufferWriter(std::size_t capacity) { reserve(capacity); }
  BufferWriter(BufferWriter&& other) noexcept;
  BufferWriter& operator=(BufferWriter&& other) noexcept;
  ~BufferWriter();

  /// Room for `capacity` bytes in all; grows by moving, keeps what was written.
  void reserve(std::size_t capacity);
  void append(std::string_view bytes);
  void append(char byte);
  /// `size` writable bytes behind what is written (reserves as needed), for reading a socket into;
  /// `advance` makes those that were filled part of the content.
  char* tail(std::size_t size);
  void advance(std::size_t size) noexcept;
  void truncate(std::size_t size) noexcept;

  char* data() noexcept;
  std::string_view bytes() const noexcept;
  std::size_t size() const noexcept;
  std::size_t capacity() const noexcept;

  /// The finished buffer; the writer is empty again. `charged` bytes go back to `account` with the
  /// buffer's last handle.
  Buffer freeze() && { return std::move(*this).freeze(nullptr, 0); }
  Buffer freeze(MemoryAccount* account, std::size_t charged) &&;

 private:
  Buffer::Block* block_ = nullptr;
};

}  // namespace sluice
