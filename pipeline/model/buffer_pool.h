#pragma once

#include <cstddef>

#include "pipeline/model/buffer.h"

/// Where blocks come from. Private to buffer.cc, pages.cc, pooled.h and their test.
namespace sluice::buffer_pool {

/// The size of the class that holds `bytes` (header included): multiples of 64 up to 1 KiB, eight
/// classes per doubling up to 4 MiB, whole pages beyond.
std::size_t class_size(std::size_t bytes) noexcept;

/// A block with room for `capacity` bytes at least.
Buffer::Block* take(std::size_t capacity);
void give_back(Buffer::Block* block) noexcept;
/// Grows or shrinks a block without copying, by moving its pages; null when it has none of its own.
Buffer::Block* remap(Buffer::Block* block, std::size_t capacity) noexcept;

/// Blocks are as large as asked for and never reused, so that a sanitizer sees every overrun.
bool exact() noexcept;

/// Returns all that waits in the pool to the system.
void empty() noexcept;

/// Bytes that wait in the pool for their next use.
std::size_t cached() noexcept;

}  // namespace sluice::buffer_pool
