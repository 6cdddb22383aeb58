#include "interp/linear_memory.hpp"

#include <cassert>
#include <limits>
#include <utility>

#include "interp/types.hpp"

namespace chiwawa {

LinearMemory::~LinearMemory() { release_block(block_); }

LinearMemory::LinearMemory(LinearMemory&& other) noexcept
    : block_(std::exchange(other.block_, {})), size_(std::exchange(other.size_, 0)) {}

LinearMemory& LinearMemory::operator=(LinearMemory&& other) noexcept {
  if (this != &other) {
    release_block(block_);
    block_ = std::exchange(other.block_, {});
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

bool LinearMemory::grow_to(uint64_t bytes) {
  assert(bytes >= size_);
  if (bytes > std::numeric_limits<size_t>::max() - (kPageSize - 1)) return false;
  if (bytes > block_.size) {
    // Whole pages of the default size, so that growing by less rarely costs anything.
    const auto storage = static_cast<size_t>((bytes + kPageSize - 1) / kPageSize * kPageSize);
    const MemoryBlock grown = grow_block(block_, static_cast<size_t>(size_), storage);
    if (grown.data == nullptr) return false;
    block_ = grown;
  }
  size_ = bytes;
  return true;
}

}  // namespace chiwawa
