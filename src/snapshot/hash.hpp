// Digests: SHA-256 says which module or state something is; XXH3 finds damage and equal pages, and is no defence
// against forgery.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace chiwawa::snapshot {

using Sha256 = std::array<uint8_t, 32>;

Sha256 sha256(std::span<const uint8_t> bytes);

/// SHA-256 of bytes that come piece by piece.
class Sha256Hasher {
 public:
  Sha256Hasher();
  ~Sha256Hasher();
  Sha256Hasher(const Sha256Hasher&) = delete;
  Sha256Hasher& operator=(const Sha256Hasher&) = delete;

  void update(std::span<const uint8_t> bytes);
  /// Of all bytes so far; more may follow.
  Sha256 digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// 64 hexadecimal digits.
std::string to_hex(const Sha256& digest);

/// A 128-bit hash value (XXH3-128).
struct Hash128 {
  uint64_t low = 0;
  uint64_t high = 0;
  bool operator==(const Hash128&) const = default;
};

/// XXH3-128 (seed 0).
Hash128 hash128(std::span<const uint8_t> bytes);

/// XXH3-128 of bytes that come piece by piece.
class Hasher128 {
 public:
  Hasher128();
  ~Hasher128();
  Hasher128(Hasher128&&) noexcept;
  Hasher128& operator=(Hasher128&&) noexcept;

  void reset();
  void update(std::span<const uint8_t> bytes);
  Hash128 digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace chiwawa::snapshot
