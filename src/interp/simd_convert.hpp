// Vector operations whose result has lanes of another width or kind than the operands.
#pragma once

#include "interp/simd_integer.hpp"
#include "interp/simd_lanes.hpp"

namespace chiwawa::simd {

namespace detail {

/// The lanes of `a`, then those of `b`, each saturated to Narrow. `Wide` is signed.
template <typename Narrow, std::signed_integral Wide>
inline V128 narrow(V128 a, V128 b) {
#if CHIWAWA_WASM_VECTORS
  const v128_t left = std::bit_cast<v128_t>(a);
  const v128_t right = std::bit_cast<v128_t>(b);
  if constexpr (std::is_same_v<Narrow, int8_t>) return pack(wasm_i8x16_narrow_i16x8(left, right));
  if constexpr (std::is_same_v<Narrow, uint8_t>) return pack(wasm_u8x16_narrow_i16x8(left, right));
  if constexpr (std::is_same_v<Narrow, int16_t>) return pack(wasm_i16x8_narrow_i32x4(left, right));
  if constexpr (std::is_same_v<Narrow, uint16_t>) return pack(wasm_u16x8_narrow_i32x4(left, right));
#elif CHIWAWA_SSE2_VECTORS
  const __m128i left = reinterpret_cast<__m128i>(lanes<Wide>(a));
  const __m128i right = reinterpret_cast<__m128i>(lanes<Wide>(b));
  if constexpr (std::is_same_v<Narrow, int8_t>) return pack(_mm_packs_epi16(left, right));
  if constexpr (std::is_same_v<Narrow, uint8_t>) return pack(_mm_packus_epi16(left, right));
  if constexpr (std::is_same_v<Narrow, int16_t>) return pack(_mm_packs_epi32(left, right));
  if constexpr (std::is_same_v<Narrow, uint16_t>) {
    // SSE2 saturates to signed lanes only: the range from 0 is moved there and back.
    constexpr int32_t kMoved = 1 << 15;
    const auto moved = [](V128 v) {
      const Lanes<int32_t> wide = lanes<int32_t>(v);
      return reinterpret_cast<__m128i>((wide & ~(wide >> 31)) - kMoved);
    };
    const Lanes<uint16_t> saturated = reinterpret_cast<Lanes<uint16_t>>(_mm_packs_epi32(moved(a), moved(b)));
    return pack(saturated ^ static_cast<uint16_t>(kMoved));
  }
#else
  const auto clamp = [](V128 v) {
    const Lanes<Wide> smallest = fill<Wide>(std::numeric_limits<Narrow>::min());
    const Lanes<Wide> largest = fill<Wide>(std::numeric_limits<Narrow>::max());
    return min<Wide>(max<Wide>(lanes<Wide>(v), smallest), largest);
  };
  return {pack_half(__builtin_convertvector(clamp(a), HalfLanes<Narrow>)),
          pack_half(__builtin_convertvector(clamp(b), HalfLanes<Narrow>))};
#endif
}

/// The products of the lanes of two halves, at twice their width.
template <typename Wide, typename Narrow>
inline Lanes<Wide> extmul(uint64_t a, uint64_t b) {
  return widen<Wide, Narrow>(a) * widen<Wide, Narrow>(b);
}

/// Of each two neighbouring lanes at half the width of Wide, the first or second one, extended with its own sign, or
/// zeros if Wide has none.
template <std::integral Wide>
inline Lanes<Wide> first_of_pairs(V128 v) {
  constexpr uint32_t kHalf = kBits<Wide> / 2;
  return as<Wide>(lanes<BitsOf<Wide>>(v) << kHalf) >> kHalf;
}
template <std::integral Wide>
inline Lanes<Wide> second_of_pairs(V128 v) {
  return lanes<Wide>(v) >> (kBits<Wide> / 2);
}

template <std::integral Wide>
inline V128 extadd_pairwise(V128 v) {
#if CHIWAWA_WASM_VECTORS
  const v128_t bits = std::bit_cast<v128_t>(v);
  if constexpr (std::is_same_v<Wide, int16_t>) return pack(wasm_i16x8_extadd_pairwise_i8x16(bits));
  if constexpr (std::is_same_v<Wide, uint16_t>) return pack(wasm_u16x8_extadd_pairwise_u8x16(bits));
  if constexpr (std::is_same_v<Wide, int32_t>) return pack(wasm_i32x4_extadd_pairwise_i16x8(bits));
  if constexpr (std::is_same_v<Wide, uint32_t>) return pack(wasm_u32x4_extadd_pairwise_u16x8(bits));
#else
  return pack(first_of_pairs<Wide>(v) + second_of_pairs<Wide>(v));
#endif
}

/// Zero for NaN, so that it may be compared and converted.
template <std::floating_point F>
inline Lanes<F> zero_if_nan(Lanes<F> a) {
  return a == a ? a : Lanes<F>{};
}

/// Towards zero; saturating, and zero for NaN. Requires a result for which largest + 1 is a number of F.
template <typename Int, std::floating_point F>
inline Lanes<Int> trunc_sat(Lanes<F> a) {
  static_assert(sizeof(Int) == sizeof(F));
#if CHIWAWA_WASM_VECTORS
  return std::bit_cast<Lanes<Int>>(std::is_signed_v<Int> ? wasm_i32x4_trunc_sat_f32x4(a)
                                                         : wasm_u32x4_trunc_sat_f32x4(a));
#else
  constexpr F kSmallest = static_cast<F>(std::numeric_limits<Int>::min());
  constexpr F kAbove = static_cast<F>(Int{1} << (std::numeric_limits<Int>::digits - 1)) * F{2};
  const Lanes<F> number = zero_if_nan<F>(a);
  const auto is_above = number >= kAbove;
  const Lanes<F> not_above = is_above ? Lanes<F>{} : number;
  const Lanes<F> in_range = not_above > kSmallest ? not_above : fill<F>(kSmallest);
  return is_above ? fill<Int>(std::numeric_limits<Int>::max()) : __builtin_convertvector(in_range, Lanes<Int>);
#endif
}

/// The same from f64 lanes, which hold every number of Int; the high lanes are zero.
template <typename Int>
inline V128 trunc_sat_zero(Lanes<double> a) {
#if CHIWAWA_WASM_VECTORS
  return pack(std::is_signed_v<Int> ? wasm_i32x4_trunc_sat_f64x2_zero(a) : wasm_u32x4_trunc_sat_f64x2_zero(a));
#else
  constexpr double kSmallest = std::numeric_limits<Int>::min();
  constexpr double kLargest = std::numeric_limits<Int>::max();
  const Lanes<double> number = zero_if_nan<double>(a);
  const Lanes<double> not_below = number > kSmallest ? number : fill(kSmallest);
  const Lanes<double> in_range = not_below < kLargest ? not_below : fill(kLargest);
  return pack_low(__builtin_convertvector(in_range, HalfLanes<Int>));
#endif
}

}  // namespace detail

// --- Integers to wider and narrower ones. `U` and `S` are the types of a wide lane, `u` and `s` those of a narrow one.

#define CHIWAWA_EXTEND(wide, U, S, narrow, u, s)                                                            \
  inline V128 wide##_extend_low_##narrow##_s(V128 a) { return detail::pack(detail::widen<S, s>(a.low)); }   \
  inline V128 wide##_extend_high_##narrow##_s(V128 a) { return detail::pack(detail::widen<S, s>(a.high)); } \
  inline V128 wide##_extend_low_##narrow##_u(V128 a) { return detail::pack(detail::widen<U, u>(a.low)); }   \
  inline V128 wide##_extend_high_##narrow##_u(V128 a) { return detail::pack(detail::widen<U, u>(a.high)); } \
  inline V128 wide##_extmul_low_##narrow##_s(V128 a, V128 b) {                                              \
    return detail::pack(detail::extmul<S, s>(a.low, b.low));                                                \
  }                                                                                                         \
  inline V128 wide##_extmul_high_##narrow##_s(V128 a, V128 b) {                                             \
    return detail::pack(detail::extmul<S, s>(a.high, b.high));                                              \
  }                                                                                                         \
  inline V128 wide##_extmul_low_##narrow##_u(V128 a, V128 b) {                                              \
    return detail::pack(detail::extmul<U, u>(a.low, b.low));                                                \
  }                                                                                                         \
  inline V128 wide##_extmul_high_##narrow##_u(V128 a, V128 b) {                                             \
    return detail::pack(detail::extmul<U, u>(a.high, b.high));                                              \
  }
CHIWAWA_EXTEND(i16x8, uint16_t, int16_t, i8x16, uint8_t, int8_t)
CHIWAWA_EXTEND(i32x4, uint32_t, int32_t, i16x8, uint16_t, int16_t)
CHIWAWA_EXTEND(i64x2, uint64_t, int64_t, i32x4, uint32_t, int32_t)
#undef CHIWAWA_EXTEND

inline V128 i8x16_narrow_i16x8_s(V128 a, V128 b) { return detail::narrow<int8_t, int16_t>(a, b); }
inline V128 i8x16_narrow_i16x8_u(V128 a, V128 b) { return detail::narrow<uint8_t, int16_t>(a, b); }
inline V128 i16x8_narrow_i32x4_s(V128 a, V128 b) { return detail::narrow<int16_t, int32_t>(a, b); }
inline V128 i16x8_narrow_i32x4_u(V128 a, V128 b) { return detail::narrow<uint16_t, int32_t>(a, b); }

inline V128 i16x8_extadd_pairwise_i8x16_s(V128 a) { return detail::extadd_pairwise<int16_t>(a); }
inline V128 i16x8_extadd_pairwise_i8x16_u(V128 a) { return detail::extadd_pairwise<uint16_t>(a); }
inline V128 i32x4_extadd_pairwise_i16x8_s(V128 a) { return detail::extadd_pairwise<int32_t>(a); }
inline V128 i32x4_extadd_pairwise_i16x8_u(V128 a) { return detail::extadd_pairwise<uint32_t>(a); }

/// The sums of the products of neighbouring lanes; modulo 2^32, which only four smallest numbers reach.
inline V128 i32x4_dot_i16x8_s(V128 a, V128 b) {
#if CHIWAWA_WASM_VECTORS
  return detail::pack(wasm_i32x4_dot_i16x8(std::bit_cast<v128_t>(a), std::bit_cast<v128_t>(b)));
#elif CHIWAWA_SSE2_VECTORS
  return detail::pack(_mm_madd_epi16(reinterpret_cast<__m128i>(detail::lanes<int16_t>(a)),
                                     reinterpret_cast<__m128i>(detail::lanes<int16_t>(b))));
#else
  const auto first = detail::first_of_pairs<int32_t>(a) * detail::first_of_pairs<int32_t>(b);
  const auto second = detail::second_of_pairs<int32_t>(a) * detail::second_of_pairs<int32_t>(b);
  return detail::pack(detail::as<uint32_t>(first) + detail::as<uint32_t>(second));
#endif
}

/// The products of numbers in Q15 format, rounded to nearest.
inline V128 i16x8_q15mulr_sat_s(V128 a, V128 b) {
#if CHIWAWA_WASM_VECTORS
  return detail::pack(wasm_i16x8_q15mulr_sat(std::bit_cast<v128_t>(a), std::bit_cast<v128_t>(b)));
#else
  const auto rounded = [](uint64_t left, uint64_t right) {
    return detail::pack((detail::extmul<int32_t, int16_t>(left, right) + (1 << 14)) >> 15);
  };
  return i16x8_narrow_i32x4_s(rounded(a.low, b.low), rounded(a.high, b.high));
#endif
}

// --- Between integers and floats. What is called `zero` has zeros in the two high lanes.

inline V128 f32x4_convert_i32x4_s(V128 a) {
  return detail::pack(__builtin_convertvector(detail::lanes<int32_t>(a), detail::Lanes<float>));
}
inline V128 f32x4_convert_i32x4_u(V128 a) {
  return detail::pack(__builtin_convertvector(detail::lanes<uint32_t>(a), detail::Lanes<float>));
}
inline V128 f64x2_convert_low_i32x4_s(V128 a) { return detail::pack(detail::widen<double, int32_t>(a.low)); }
inline V128 f64x2_convert_low_i32x4_u(V128 a) { return detail::pack(detail::widen<double, uint32_t>(a.low)); }
inline V128 f64x2_promote_low_f32x4(V128 a) { return detail::pack(detail::widen<double, float>(a.low)); }
inline V128 f32x4_demote_f64x2_zero(V128 a) {
#if CHIWAWA_WASM_VECTORS
  return detail::pack(wasm_f32x4_demote_f64x2_zero(std::bit_cast<v128_t>(a)));
#else
  return detail::pack_low(__builtin_convertvector(detail::lanes<double>(a), detail::HalfLanes<float>));
#endif
}

inline V128 i32x4_trunc_sat_f32x4_s(V128 a) {
  return detail::pack(detail::trunc_sat<int32_t, float>(detail::lanes<float>(a)));
}
inline V128 i32x4_trunc_sat_f32x4_u(V128 a) {
  return detail::pack(detail::trunc_sat<uint32_t, float>(detail::lanes<float>(a)));
}
inline V128 i32x4_trunc_sat_f64x2_s_zero(V128 a) { return detail::trunc_sat_zero<int32_t>(detail::lanes<double>(a)); }
inline V128 i32x4_trunc_sat_f64x2_u_zero(V128 a) { return detail::trunc_sat_zero<uint32_t>(detail::lanes<double>(a)); }

}  // namespace chiwawa::simd
