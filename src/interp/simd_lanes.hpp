// Lanes of a V128: one by one, and all at once as a vector of the compiler. For the other simd_*.hpp.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "interp/v128.hpp"

// The intrinsics of the hosts that have some.
#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#define CHIWAWA_WASM_VECTORS 1
#define CHIWAWA_SSE2_VECTORS 0
#elif defined(__SSE2__)
#include <emmintrin.h>
#define CHIWAWA_WASM_VECTORS 0
#define CHIWAWA_SSE2_VECTORS 1
#else
#define CHIWAWA_WASM_VECTORS 0
#define CHIWAWA_SSE2_VECTORS 0
#endif

namespace chiwawa::simd::detail {

/// The unsigned integer as wide as T.
template <typename T>
using BitsOf = std::conditional_t<
    sizeof(T) == 1, uint8_t,
    std::conditional_t<sizeof(T) == 2, uint16_t, std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>>;

template <typename T>
constexpr uint32_t kBits = sizeof(T) * 8;

/// The lanes of type T in a V128.
template <typename T>
constexpr uint32_t kLanes = 16 / sizeof(T);

// --- One lane. Requires index < kLanes<T>. Shifts, not addresses: a vector that was just written as a whole may be
// read in parts without a stall, and the host's byte order does not matter.

template <typename T>
constexpr T lane(V128 v, uint32_t index) {
  constexpr uint32_t kPerHalf = kLanes<T> / 2;
  const uint64_t half = index < kPerHalf ? v.low : v.high;
  return std::bit_cast<T>(static_cast<BitsOf<T>>(half >> (index % kPerHalf * kBits<T>)));
}

template <typename T>
constexpr V128 with_lane(V128 v, uint32_t index, T value) {
  constexpr uint32_t kPerHalf = kLanes<T> / 2;
  const uint32_t shift = index % kPerHalf * kBits<T>;
  const uint64_t hole = ~(uint64_t{std::numeric_limits<BitsOf<T>>::max()} << shift);
  const uint64_t bits = uint64_t{std::bit_cast<BitsOf<T>>(value)} << shift;
  if (index < kPerHalf) return {(v.low & hole) | bits, v.high};
  return {v.low, (v.high & hole) | bits};
}

// --- All lanes

template <typename T>
struct VectorOf {
  using Full [[gnu::vector_size(16)]] = T;
  using Half [[gnu::vector_size(8)]] = T;
};

/// A vector of the compiler: arithmetic and comparisons by lane, lane i is [i]. A comparison gives signed lanes of all
/// ones or zeros, which `? :` takes.
template <typename T>
using Lanes = typename VectorOf<T>::Full;

/// The same with half as many lanes, for what becomes wider or narrower.
template <typename T>
using HalfLanes = typename VectorOf<T>::Half;

/// For a host whose vectors have another order of bytes than V128; right on every host.
template <typename T>
Lanes<T> lanes_one_by_one(V128 v) {
  Lanes<T> result{};
  for (uint32_t i = 0; i < kLanes<T>; ++i) result[i] = lane<T>(v, i);
  return result;
}

template <typename T, typename Vector>
V128 pack_one_by_one(Vector vector) {
  V128 result;
  for (uint32_t i = 0; i < sizeof(Vector) / sizeof(T); ++i) result = with_lane<T>(result, i, vector[i]);
  return result;
}

template <typename T>
inline Lanes<T> lanes(V128 v) {
  if constexpr (std::endian::native == std::endian::little) {
    return std::bit_cast<Lanes<T>>(v);
  } else {
    return lanes_one_by_one<T>(v);
  }
}

/// A vector of 16 bytes as a V128.
template <typename Vector>
inline V128 pack(Vector vector) {
  static_assert(sizeof(Vector) == sizeof(V128));
  if constexpr (std::endian::native == std::endian::little) {
    return std::bit_cast<V128>(vector);
  } else {
    return pack_one_by_one<std::remove_cvref_t<decltype(vector[0])>>(vector);
  }
}

template <typename T>
inline HalfLanes<T> half_lanes(uint64_t half) {
  if constexpr (std::endian::native == std::endian::little) {
    return std::bit_cast<HalfLanes<T>>(half);
  } else {
    HalfLanes<T> result{};
    for (uint32_t i = 0; i < kLanes<T> / 2; ++i) result[i] = lane<T>({half, 0}, i);
    return result;
  }
}

/// A vector of 8 bytes as a half of a V128.
template <typename Vector>
inline uint64_t pack_half(Vector vector) {
  static_assert(sizeof(Vector) == sizeof(uint64_t));
  if constexpr (std::endian::native == std::endian::little) {
    return std::bit_cast<uint64_t>(vector);
  } else {
    return pack_one_by_one<std::remove_cvref_t<decltype(vector[0])>>(vector).low;
  }
}

/// A vector of two lanes as the low half of a V128, whose high half is zero.
template <typename Vector>
inline V128 pack_low(Vector vector) {
  static_assert(sizeof(vector[0]) == 4);
  return pack(__builtin_shufflevector(vector, Vector{}, 0, 1, 2, 3));
}

/// The lanes of type From in a half, each converted to To, which is twice as wide.
template <typename To, typename From>
inline Lanes<To> widen(uint64_t half) {
  return __builtin_convertvector(half_lanes<From>(half), Lanes<To>);
}

/// Every lane is `value`.
template <typename T>
inline Lanes<T> fill(T value) {
  // By bits: 0 + -0 would be +0.
  return std::bit_cast<Lanes<T>>(Lanes<BitsOf<T>>{} + std::bit_cast<BitsOf<T>>(value));
}

template <typename T, size_t... Index>
inline Lanes<T> count_up(std::index_sequence<Index...> /*lanes*/) {
  return Lanes<T>{static_cast<T>(Index)...};
}

/// `v` with one lane replaced. Requires index < kLanes<T>.
template <typename T>
inline V128 replace(V128 v, uint32_t index, T value) {
#if CHIWAWA_SSE2_VECTORS || CHIWAWA_WASM_VECTORS
  using U = BitsOf<T>;
  const Lanes<U> numbers = count_up<U>(std::make_index_sequence<kLanes<T>>());
  return pack(numbers == static_cast<U>(index) ? fill(std::bit_cast<U>(value)) : lanes<U>(v));
#else
  return with_lane(v, index, value);
#endif
}

/// The same bits as lanes of another type of that width.
template <typename To, typename Vector>
inline Lanes<To> as(Vector vector) {
  static_assert(sizeof(vector[0]) == sizeof(To));
  return std::bit_cast<Lanes<To>>(vector);
}

// --- Memory: little-endian, at any alignment

template <std::unsigned_integral U>
inline U load(const uint8_t* from) {
  U value = 0;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(&value, from, sizeof value);
  } else {
    for (uint32_t i = 0; i < sizeof value; ++i) value = static_cast<U>(value | (U{from[i]} << (i * 8)));
  }
  return value;
}

template <std::unsigned_integral U>
inline void store(uint8_t* to, U value) {
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(to, &value, sizeof value);
  } else {
    for (uint32_t i = 0; i < sizeof value; ++i) to[i] = static_cast<uint8_t>(value >> (i * 8));
  }
}

}  // namespace chiwawa::simd::detail
