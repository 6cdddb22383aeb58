// Clocks and random numbers of a guest that does the same in every run.
#pragma once

#include <cstdint>
#include <span>

namespace chiwawa::wasi {

/// Time passes only when the guest looks at it: reading a clock takes a microsecond, and waiting takes exactly as long
/// as was asked for, at once. Random numbers are those of SplitMix64, always from the same seed on.
struct Deterministic {
  static constexpr uint64_t kTick = 1'000;                            ///< ns: of one reading; the clocks' resolution
  static constexpr uint64_t kEpoch = 946'684'800ull * 1'000'000'000;  ///< ns since 1970: 2000-01-01, when clocks begin

  uint64_t clock = 0;  ///< ns: monotonic and CPU clocks; the others are kEpoch later
  uint64_t random = 0;

  void fill(std::span<uint8_t> bytes) {
    for (size_t i = 0; i < bytes.size();) {
      random += 0x9e3779b97f4a7c15;
      uint64_t word = random;
      word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
      word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
      word ^= word >> 31;
      for (int shift = 0; shift < 64 && i < bytes.size(); shift += 8) bytes[i++] = static_cast<uint8_t>(word >> shift);
    }
  }
};

}  // namespace chiwawa::wasi
