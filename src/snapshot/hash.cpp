#include "snapshot/hash.hpp"

#include <mbedtls/sha256.h>

#ifndef XXH_INLINE_ALL
#define XXH_INLINE_ALL
#endif
#ifdef __wasm__
// Each of its functions once instead of inlined everywhere: as fast there, and 7 KB less.
#define XXH_SIZE_OPT 1
#endif
#include <xxhash.h>

namespace chiwawa::snapshot {

Sha256 sha256(std::span<const uint8_t> bytes) {
  Sha256 digest{};
  // Cannot fail: without an accelerator the only error is a bad choice of algorithm.
  (void)mbedtls_sha256(bytes.data(), bytes.size(), digest.data(), 0);
  return digest;
}

struct Sha256Hasher::State {
  mbedtls_sha256_context context;
};

Sha256Hasher::Sha256Hasher() : state_(std::make_unique<State>()) {
  mbedtls_sha256_init(&state_->context);
  (void)mbedtls_sha256_starts(&state_->context, 0);
}

Sha256Hasher::~Sha256Hasher() { mbedtls_sha256_free(&state_->context); }

void Sha256Hasher::update(std::span<const uint8_t> bytes) {
  (void)mbedtls_sha256_update(&state_->context, bytes.data(), bytes.size());
}

Sha256 Sha256Hasher::digest() const {
  State copy;
  mbedtls_sha256_init(&copy.context);
  mbedtls_sha256_clone(&copy.context, &state_->context);
  Sha256 digest{};
  (void)mbedtls_sha256_finish(&copy.context, digest.data());
  mbedtls_sha256_free(&copy.context);
  return digest;
}

std::string to_hex(const Sha256& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (const uint8_t byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

Hash128 hash128(std::span<const uint8_t> bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.low64, hash.high64};
}

struct Hasher128::State {
  XXH3_state_t xxh;
};

Hasher128::Hasher128() : state_(std::make_unique<State>()) { reset(); }
Hasher128::~Hasher128() = default;
Hasher128::Hasher128(Hasher128&&) noexcept = default;
Hasher128& Hasher128::operator=(Hasher128&&) noexcept = default;

void Hasher128::reset() { XXH3_128bits_reset(&state_->xxh); }

void Hasher128::update(std::span<const uint8_t> bytes) {
  XXH3_128bits_update(&state_->xxh, bytes.data(), bytes.size());
}

Hash128 Hasher128::digest() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(&state_->xxh);
  return {hash.low64, hash.high64};
}

}  // namespace chiwawa::snapshot
