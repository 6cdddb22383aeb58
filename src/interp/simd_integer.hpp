// Vector operations on bits and integer lanes that keep their width.
#pragma once

#include "interp/simd_lanes.hpp"

namespace chiwawa::simd {

namespace detail {

template <std::integral T>
inline Lanes<T> min(Lanes<T> a, Lanes<T> b) {
  return a < b ? a : b;
}

template <std::integral T>
inline Lanes<T> max(Lanes<T> a, Lanes<T> b) {
  return a > b ? a : b;
}

template <std::signed_integral T>
inline Lanes<T> abs(Lanes<T> a) {
  using U = BitsOf<T>;
  const Lanes<U> sign = as<U>(a >> (kBits<T> - 1));  // all ones if negative
  return as<T>((as<U>(a) ^ sign) - sign);
}

/// What a sum or difference with a first operand like `a` becomes when it does not fit: the smallest or largest number.
template <std::signed_integral T>
inline Lanes<T> limit_towards(Lanes<T> a) {
  return (a >> (kBits<T> - 1)) ^ std::numeric_limits<T>::max();
}

template <std::integral T>
inline Lanes<T> add_sat(Lanes<T> a, Lanes<T> b) {
#if __has_builtin(__builtin_elementwise_add_sat)
  return __builtin_elementwise_add_sat(a, b);
#else
  using U = BitsOf<T>;
  const Lanes<T> sum = as<T>(as<U>(a) + as<U>(b));
  if constexpr (std::is_unsigned_v<T>) {
    return sum < a ? fill<T>(std::numeric_limits<T>::max()) : sum;
  } else {
    return ((a ^ sum) & (b ^ sum)) < 0 ? limit_towards<T>(a) : sum;
  }
#endif
}

template <std::integral T>
inline Lanes<T> sub_sat(Lanes<T> a, Lanes<T> b) {
#if __has_builtin(__builtin_elementwise_sub_sat)
  return __builtin_elementwise_sub_sat(a, b);
#else
  using U = BitsOf<T>;
  const Lanes<T> difference = as<T>(as<U>(a) - as<U>(b));
  if constexpr (std::is_unsigned_v<T>) {
    return a < b ? Lanes<T>{} : difference;
  } else {
    return ((a ^ b) & (a ^ difference)) < 0 ? limit_towards<T>(a) : difference;
  }
#endif
}

/// (a + b + 1) / 2 without the ninth or seventeenth bit.
template <std::unsigned_integral T>
inline Lanes<T> average_rounded_up(Lanes<T> a, Lanes<T> b) {
#if CHIWAWA_SSE2_VECTORS
  const __m128i left = reinterpret_cast<__m128i>(a);
  const __m128i right = reinterpret_cast<__m128i>(b);
  return reinterpret_cast<Lanes<T>>(sizeof(T) == 1 ? _mm_avg_epu8(left, right) : _mm_avg_epu16(left, right));
#else
  return (a | b) - ((a ^ b) >> 1);
#endif
}

inline Lanes<uint8_t> popcnt(Lanes<uint8_t> a) {
#if __has_builtin(__builtin_elementwise_popcount)
  return __builtin_elementwise_popcount(a);
#else
  a = a - ((a >> 1) & 0x55);
  a = (a & 0x33) + ((a >> 2) & 0x33);
  return (a + (a >> 4)) & 0x0F;
#endif
}

/// Bit i is the highest bit of lane i.
template <std::signed_integral T>
inline uint32_t bitmask(V128 v) {
#if CHIWAWA_WASM_VECTORS
  const v128_t bits = std::bit_cast<v128_t>(v);
  if constexpr (sizeof(T) == 1) return wasm_i8x16_bitmask(bits);
  if constexpr (sizeof(T) == 2) return wasm_i16x8_bitmask(bits);
  if constexpr (sizeof(T) == 4) return wasm_i32x4_bitmask(bits);
  if constexpr (sizeof(T) == 8) return wasm_i64x2_bitmask(bits);
#elif CHIWAWA_SSE2_VECTORS
  const __m128i bits = reinterpret_cast<__m128i>(lanes<T>(v));
  int mask = 0;
  if constexpr (sizeof(T) == 1) mask = _mm_movemask_epi8(bits);
  if constexpr (sizeof(T) == 2) mask = _mm_movemask_epi8(_mm_packs_epi16(bits, _mm_setzero_si128()));
  if constexpr (sizeof(T) == 4) mask = _mm_movemask_ps(_mm_castsi128_ps(bits));
  if constexpr (sizeof(T) == 8) mask = _mm_movemask_pd(_mm_castsi128_pd(bits));
  return static_cast<uint32_t>(mask);
#else
  uint32_t mask = 0;
  for (uint32_t i = 0; i < kLanes<T>; ++i) mask |= uint32_t{lane<T>(v, i) < 0} << i;
  return mask;
#endif
}

/// Whether no lane is zero.
template <std::signed_integral T>
inline uint32_t all_true(V128 v) {
#if CHIWAWA_WASM_VECTORS
  const v128_t bits = std::bit_cast<v128_t>(v);
  if constexpr (sizeof(T) == 1) return wasm_i8x16_all_true(bits);
  if constexpr (sizeof(T) == 2) return wasm_i16x8_all_true(bits);
  if constexpr (sizeof(T) == 4) return wasm_i32x4_all_true(bits);
  if constexpr (sizeof(T) == 8) return wasm_i64x2_all_true(bits);
#else
  return bitmask<int8_t>(pack(lanes<T>(v) == 0)) == 0;
#endif
}

/// The count is taken modulo the width of a lane.
template <typename T>
constexpr T shift_count(uint32_t count) {
  return static_cast<T>(count & (kBits<T> - 1));
}

}  // namespace detail

// --- Bits

inline V128 v128_not(V128 a) { return detail::pack(~detail::lanes<uint64_t>(a)); }
inline V128 v128_and(V128 a, V128 b) { return detail::pack(detail::lanes<uint64_t>(a) & detail::lanes<uint64_t>(b)); }
inline V128 v128_andnot(V128 a, V128 b) {
  return detail::pack(detail::lanes<uint64_t>(a) & ~detail::lanes<uint64_t>(b));
}
inline V128 v128_or(V128 a, V128 b) { return detail::pack(detail::lanes<uint64_t>(a) | detail::lanes<uint64_t>(b)); }
inline V128 v128_xor(V128 a, V128 b) { return detail::pack(detail::lanes<uint64_t>(a) ^ detail::lanes<uint64_t>(b)); }

/// The bits of `a` where the mask has ones, those of `b` where it has zeros.
inline V128 v128_bitselect(V128 a, V128 b, V128 mask) {
  const auto ones = detail::lanes<uint64_t>(mask);
  return detail::pack((detail::lanes<uint64_t>(a) & ones) | (detail::lanes<uint64_t>(b) & ~ones));
}

constexpr uint32_t v128_any_true(V128 a) { return (a.low | a.high) != 0; }

// --- Integers. `U` is the type of a lane without a sign, `S` with one.

#define CHIWAWA_SIMD_BINARY(id, T, expression) \
  inline V128 id(V128 left, V128 right) {      \
    const auto a = detail::lanes<T>(left);     \
    const auto b = detail::lanes<T>(right);    \
    return detail::pack(expression);           \
  }

// What every integer shape has.
#define CHIWAWA_INTEGER_SHAPE(shape, U, S)                                                      \
  CHIWAWA_SIMD_BINARY(shape##_add, U, a + b)                                                    \
  CHIWAWA_SIMD_BINARY(shape##_sub, U, a - b)                                                    \
  CHIWAWA_SIMD_BINARY(shape##_eq, U, a == b)                                                    \
  CHIWAWA_SIMD_BINARY(shape##_ne, U, a != b)                                                    \
  CHIWAWA_SIMD_BINARY(shape##_lt_s, S, a < b)                                                   \
  CHIWAWA_SIMD_BINARY(shape##_gt_s, S, a > b)                                                   \
  CHIWAWA_SIMD_BINARY(shape##_le_s, S, a <= b)                                                  \
  CHIWAWA_SIMD_BINARY(shape##_ge_s, S, a >= b)                                                  \
  inline V128 shape##_abs(V128 a) { return detail::pack(detail::abs<S>(detail::lanes<S>(a))); } \
  inline V128 shape##_neg(V128 a) { return detail::pack(-detail::lanes<U>(a)); }                \
  inline V128 shape##_shl(V128 a, uint32_t b) {                                                 \
    return detail::pack(detail::lanes<U>(a) << detail::shift_count<U>(b));                      \
  }                                                                                             \
  inline V128 shape##_shr_s(V128 a, uint32_t b) {                                               \
    return detail::pack(detail::lanes<S>(a) >> detail::shift_count<S>(b));                      \
  }                                                                                             \
  inline V128 shape##_shr_u(V128 a, uint32_t b) {                                               \
    return detail::pack(detail::lanes<U>(a) >> detail::shift_count<U>(b));                      \
  }                                                                                             \
  inline uint32_t shape##_all_true(V128 a) { return detail::all_true<S>(a); }                   \
  inline uint32_t shape##_bitmask(V128 a) { return detail::bitmask<S>(a); }
CHIWAWA_INTEGER_SHAPE(i8x16, uint8_t, int8_t)
CHIWAWA_INTEGER_SHAPE(i16x8, uint16_t, int16_t)
CHIWAWA_INTEGER_SHAPE(i32x4, uint32_t, int32_t)
CHIWAWA_INTEGER_SHAPE(i64x2, uint64_t, int64_t)
#undef CHIWAWA_INTEGER_SHAPE

// What lanes of 64 bits lack.
#define CHIWAWA_INTEGER_ORDER(shape, U, S)                    \
  CHIWAWA_SIMD_BINARY(shape##_lt_u, U, a < b)                 \
  CHIWAWA_SIMD_BINARY(shape##_gt_u, U, a > b)                 \
  CHIWAWA_SIMD_BINARY(shape##_le_u, U, a <= b)                \
  CHIWAWA_SIMD_BINARY(shape##_ge_u, U, a >= b)                \
  CHIWAWA_SIMD_BINARY(shape##_min_s, S, detail::min<S>(a, b)) \
  CHIWAWA_SIMD_BINARY(shape##_min_u, U, detail::min<U>(a, b)) \
  CHIWAWA_SIMD_BINARY(shape##_max_s, S, detail::max<S>(a, b)) \
  CHIWAWA_SIMD_BINARY(shape##_max_u, U, detail::max<U>(a, b))
CHIWAWA_INTEGER_ORDER(i8x16, uint8_t, int8_t)
CHIWAWA_INTEGER_ORDER(i16x8, uint16_t, int16_t)
CHIWAWA_INTEGER_ORDER(i32x4, uint32_t, int32_t)
#undef CHIWAWA_INTEGER_ORDER

// What only narrow lanes have.
#define CHIWAWA_INTEGER_SATURATING(shape, U, S)                       \
  CHIWAWA_SIMD_BINARY(shape##_add_sat_s, S, detail::add_sat<S>(a, b)) \
  CHIWAWA_SIMD_BINARY(shape##_add_sat_u, U, detail::add_sat<U>(a, b)) \
  CHIWAWA_SIMD_BINARY(shape##_sub_sat_s, S, detail::sub_sat<S>(a, b)) \
  CHIWAWA_SIMD_BINARY(shape##_sub_sat_u, U, detail::sub_sat<U>(a, b)) \
  CHIWAWA_SIMD_BINARY(shape##_avgr_u, U, detail::average_rounded_up<U>(a, b))
CHIWAWA_INTEGER_SATURATING(i8x16, uint8_t, int8_t)
CHIWAWA_INTEGER_SATURATING(i16x8, uint16_t, int16_t)
#undef CHIWAWA_INTEGER_SATURATING

CHIWAWA_SIMD_BINARY(i16x8_mul, uint16_t, a* b)
CHIWAWA_SIMD_BINARY(i32x4_mul, uint32_t, a* b)
CHIWAWA_SIMD_BINARY(i64x2_mul, uint64_t, a* b)
#undef CHIWAWA_SIMD_BINARY

inline V128 i8x16_popcnt(V128 a) { return detail::pack(detail::popcnt(detail::lanes<uint8_t>(a))); }

}  // namespace chiwawa::simd
