#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

#include "pipeline/model/buffer.h"

namespace sluice {

/// A cursor at the end of a BufferWriter for code that appends a few bytes at a time: the check for
/// room is one comparison and inline. What was appended belongs to the writer from `finish` on;
/// until then nobody else touches the writer.
class ByteSink {
 public:
  /// Starts with room for `capacity` bytes more; the first time that is not enough, the writer
  /// grows to `capacity_next` at once, and doubles from then on.
  ByteSink(BufferWriter& out, std::size_t capacity, std::size_t capacity_next)
      : out_(out), capacity_next_(capacity_next) {
    rebase(capacity);
  }

  /// `size` writable bytes at the cursor. Earlier pointers are void; positions stay.
  char* room(std::size_t size) {
    if (static_cast<std::size_t>(limit_ - at_) < size) grow(size);
    return at_;
  }
  void advance_to(char* at) { at_ = at; }
  void put(char byte) {
    *room(1) = byte;
    ++at_;
  }
  void put(std::string_view bytes) {
    std::memcpy(room(bytes.size()), bytes.data(), bytes.size());
    at_ += bytes.size();
  }

  std::size_t position() const { return static_cast<std::size_t>(at_ - data_); }
  char* at(std::size_t position) { return data_ + position; }
  void finish() { out_.advance(position() - out_.size()); }

 private:
  void rebase(std::size_t capacity) {
    char* const tail = out_.tail(capacity);
    data_ = tail - out_.size();
    at_ = tail;
    limit_ = data_ + out_.capacity();
  }
  void grow(std::size_t size) {
    finish();
    const std::size_t needed = out_.size() + size;
    while (capacity_next_ < needed) capacity_next_ = capacity_next_ * 2 + 64;
    rebase(capacity_next_ - out_.size());
    capacity_next_ *= 2;
  }

  BufferWriter& out_;
  std::size_t capacity_next_;
  char* data_ = nullptr;
  char* at_ = nullptr;
  char* limit_ = nullptr;
};

}  // namespace sluice
