// The storage of linear memories, by system: memory_block_posix.cpp, memory_block_preview1.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace chiwawa {

/// Bytes from the host.
struct MemoryBlock {
  uint8_t* data = nullptr;
  size_t size = 0;
};

/// A block of at least `size` bytes that begins with the `used` bytes of `block` and is zero behind them; `block` is no
/// more. May be larger, so that growing often by little costs time proportional to the final size. Requires that
/// `block` is zero behind `used`, and size > block.size. Without data, and `block` as it was, if the host has no more.
MemoryBlock grow_block(MemoryBlock block, size_t used, size_t size);

/// Gives the block back.
void release_block(MemoryBlock block);

}  // namespace chiwawa
