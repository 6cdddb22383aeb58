// GuestMemory: checked access to the caller's memory. Every pointer and length a guest passes goes through it.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "interp/host.hpp"
#include "interp/store.hpp"

namespace chiwawa::wasi {

/// The bytes of one linear memory during one host call. Addresses are the guest's, 32 bits; sums are made in 64.
class GuestMemory {
 public:
  GuestMemory() = default;
  explicit GuestMemory(std::span<uint8_t> bytes) : data_(bytes.data()), size_(bytes.size()) {}

  /// The caller's memory 0; an empty memory if it has none, or if there is no caller.
  static GuestMemory of(const HostCall& call) {
    if (call.caller == nullptr || call.caller->cache.memories.empty()) return {};
    return GuestMemory(call.caller->cache.memories[0]->memory.bytes());
  }

  bool has(uint32_t address, uint64_t size) const { return size <= size_ && address <= size_ - size; }

  /// Requires has(address, number of bytes used).
  uint8_t* at(uint32_t address) const { return data_ + address; }

  /// Requires has(address, sizeof(T)). Little-endian, at any alignment.
  template <typename T>
  T load(uint32_t address) const {
    T value;
    std::memcpy(&value, at(address), sizeof value);
    return to_little_endian(value);
  }
  template <typename T>
  void store(uint32_t address, T value) const {
    value = to_little_endian(value);
    std::memcpy(at(address), &value, sizeof value);
  }

  /// Requires has(address, text.size()).
  void store_text(uint32_t address, std::string_view text) const {
    if (!text.empty()) std::memcpy(at(address), text.data(), text.size());
  }

 private:
  template <typename T>
  static T to_little_endian(T value) {
    if constexpr (std::endian::native == std::endian::big) {
      T swapped = 0;
      for (size_t i = 0; i < sizeof value; ++i) {
        swapped = static_cast<T>((swapped << 8) | (value & 0xFF));
        value = static_cast<T>(value >> 8);
      }
      return swapped;
    }
    return value;
  }

  uint8_t* data_ = nullptr;
  uint64_t size_ = 0;
};

}  // namespace chiwawa::wasi
