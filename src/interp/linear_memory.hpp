// The bytes of one linear memory: grows in place or moves, never aborts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

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

  uint8_t* data() { return data_; }
  const uint8_t* data() const { return data_; }
  uint64_t size_bytes() const { return size_; }
  std::span<uint8_t> bytes() { return {data_, static_cast<size_t>(size_)}; }
  std::span<const uint8_t> bytes() const { return {data_, static_cast<size_t>(size_)}; }

 private:
  uint8_t* data_ = nullptr;
  uint64_t size_ = 0;  // bytes; the storage has whole pages of 64 KiB, and zeros behind them
};

}  // namespace chiwawa
