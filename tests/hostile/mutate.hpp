// Ways to spoil bytes, the same for the same seed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace chiwawa::hostile {

/// xorshift64*
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9E37'79B9'7F4A'7C15u | 1) {}

  uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545'F491'4F6C'DD1Du;
  }
  /// Less than `bound`, which is not 0.
  size_t below(size_t bound) { return static_cast<size_t>((next() >> 16) % bound); }

 private:
  uint64_t state_;
};

/// One that follows from an input, so that every finding can be repeated.
inline Random random_of(std::span<const uint8_t> input) {
  return Random(input.empty() ? 1 : input.size() * 251 + input.back());
}

using Bytes = std::vector<uint8_t>;

/// One to four small changes; `other` is somebody else's bytes to take pieces from. The result differs from `bytes` or
/// is shorter, except by rare chance.
inline Bytes mutate(Bytes bytes, std::span<const uint8_t> other, Random& random) {
  constexpr uint8_t kOdd[] = {0x00, 0x01, 0x7F, 0x80, 0xFF, 0x0B, 0x40, 0xFC, 0x70, 0x6F};
  for (size_t changes = 1 + random.below(2) * random.below(4); changes != 0 && !bytes.empty(); --changes) {
    const size_t at = random.below(bytes.size());
    const size_t length = 1 + random.below(std::min<size_t>(bytes.size() - at, 16));
    const auto position = bytes.begin() + static_cast<ptrdiff_t>(at);
    switch (random.below(8)) {
      case 0: bytes.resize(at); break;
      case 1: bytes[at] = kOdd[random.below(std::size(kOdd))]; break;
      case 2: bytes[at] = static_cast<uint8_t>(bytes[at] + 1 - 2 * random.below(2)); break;
      case 3: bytes.erase(position, position + static_cast<ptrdiff_t>(length)); break;
      case 4: {
        const Bytes copy(position, position + static_cast<ptrdiff_t>(length));
        bytes.insert(bytes.begin() + static_cast<ptrdiff_t>(random.below(bytes.size())), copy.begin(), copy.end());
        break;
      }
      case 5: {
        if (other.empty()) break;
        const size_t from = random.below(other.size());
        const size_t count = std::min({length, other.size() - from, bytes.size() - at});
        std::copy_n(other.begin() + static_cast<ptrdiff_t>(from), count, position);
        break;
      }
      default: bytes[at] = static_cast<uint8_t>(bytes[at] ^ (1u << random.below(8))); break;
    }
  }
  return bytes;
}

}  // namespace chiwawa::hostile
