// The bytes of one linear memory: grows in place or moves, never aborts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace chiwawa {

/// Zero-initialised bytes that can grow by whole pages. Owns its storage; moving it keeps the bytes where they are.
class LinearMemory {
 public:
  LinearMemory() = default;
  ~LinearMemory();
  LinearMemory(LinearMemory&& other) noexcept;
  LinearMemory& operator=(LinearMemory&& other) noexcept;
  LinearMemory(const LinearMemory&) = delete;
  LinearMemory& operator=(const LinearMemory&) = delete;

  /// Makes it `pages` pages large; the new ones are zero. Returns false and changes nothing if the host has no more.
  /// Requires pages >= size_pages(). The bytes may move.
  [[nodiscard]] bool grow_to(uint64_t pages);

  uint8_t* data() { return data_; }
  const uint8_t* data() const { return data_; }
  uint64_t size_bytes() const { return size_; }
  uint64_t size_pages() const;
  std::span<uint8_t> bytes() { return {data_, static_cast<size_t>(size_)}; }
  std::span<const uint8_t> bytes() const { return {data_, static_cast<size_t>(size_)}; }

 private:
  uint8_t* data_ = nullptr;
  uint64_t size_ = 0;  // bytes
};

}  // namespace chiwawa
