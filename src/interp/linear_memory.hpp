// The bytes of one linear memory: grows in place or moves, never aborts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "interp/memory_block.hpp"

namespace chiwawa {

/// Zero-initialised bytes that can grow. Owns its storage; moving it keeps the bytes where they are.
class LinearMemory {
 public:
  LinearMemory() = default;
  ~LinearMemory();
  LinearMemory(LinearMemory&& other) noexcept;
  LinearMemory& operator=(LinearMemory&& other) noexcept;
  LinearMemory(const LinearMemory&) = delete;
  LinearMemory& operator=(const LinearMemory&) = delete;

  /// Makes it `bytes` bytes large; the new ones are zero. Returns false and changes nothing if the host has no more.
  /// Requires bytes >= size_bytes(). The bytes may move.
  [[nodiscard]] bool grow_to(uint64_t bytes);

  uint8_t* data() { return block_.data; }
  const uint8_t* data() const { return block_.data; }
  uint64_t size_bytes() const { return size_; }
  std::span<uint8_t> bytes() { return {block_.data, static_cast<size_t>(size_)}; }
  std::span<const uint8_t> bytes() const { return {block_.data, static_cast<size_t>(size_)}; }

 private:
  MemoryBlock block_;  // zero behind size_
  uint64_t size_ = 0;  // bytes
};

}  // namespace chiwawa
