// Relaxed vector operations. Each does what the specification's deterministic profile picks, so that a program computes
// the same on every host, also after a move from one to another.
// https://webassembly.github.io/spec/core/exec/numerics.html#relaxed-operations
#pragma once

#include "interp/simd_access.hpp"
#include "interp/simd_convert.hpp"
#include "interp/simd_float.hpp"
#include "interp/simd_integer.hpp"

namespace chiwawa::simd {

inline V128 i8x16_relaxed_swizzle(V128 v, V128 indices) { return i8x16_swizzle(v, indices); }

inline V128 i32x4_relaxed_trunc_f32x4_s(V128 a) { return i32x4_trunc_sat_f32x4_s(a); }
inline V128 i32x4_relaxed_trunc_f32x4_u(V128 a) { return i32x4_trunc_sat_f32x4_u(a); }
inline V128 i32x4_relaxed_trunc_f64x2_s_zero(V128 a) { return i32x4_trunc_sat_f64x2_s_zero(a); }
inline V128 i32x4_relaxed_trunc_f64x2_u_zero(V128 a) { return i32x4_trunc_sat_f64x2_u_zero(a); }

// Not fused: the product is rounded. It is a statement of its own, or the compiler might fuse it with the sum.
#define CHIWAWA_RELAXED_FLOAT(shape)                                                                               \
  inline V128 shape##_relaxed_madd(V128 a, V128 b, V128 c) {                                                       \
    const V128 product = shape##_mul(a, b);                                                                        \
    return shape##_add(product, c);                                                                                \
  }                                                                                                                \
  inline V128 shape##_relaxed_nmadd(V128 a, V128 b, V128 c) { return shape##_relaxed_madd(shape##_neg(a), b, c); } \
  inline V128 shape##_relaxed_min(V128 a, V128 b) { return shape##_min(a, b); }                                    \
  inline V128 shape##_relaxed_max(V128 a, V128 b) { return shape##_max(a, b); }
CHIWAWA_RELAXED_FLOAT(f32x4)
CHIWAWA_RELAXED_FLOAT(f64x2)
#undef CHIWAWA_RELAXED_FLOAT

inline V128 i8x16_relaxed_laneselect(V128 a, V128 b, V128 mask) { return v128_bitselect(a, b, mask); }
inline V128 i16x8_relaxed_laneselect(V128 a, V128 b, V128 mask) { return v128_bitselect(a, b, mask); }
inline V128 i32x4_relaxed_laneselect(V128 a, V128 b, V128 mask) { return v128_bitselect(a, b, mask); }
inline V128 i64x2_relaxed_laneselect(V128 a, V128 b, V128 mask) { return v128_bitselect(a, b, mask); }

inline V128 i16x8_relaxed_q15mulr_s(V128 a, V128 b) { return i16x8_q15mulr_sat_s(a, b); }

/// The sums of the products of neighbouring lanes, both operands signed. Only four smallest numbers have a sum that
/// saturates.
inline V128 i16x8_relaxed_dot_i8x16_i7x16_s(V128 a, V128 b) {
  const auto first = detail::first_of_pairs<int16_t>(a) * detail::first_of_pairs<int16_t>(b);
  const auto second = detail::second_of_pairs<int16_t>(a) * detail::second_of_pairs<int16_t>(b);
  return detail::pack(detail::add_sat<int16_t>(first, second));
}

inline V128 i32x4_relaxed_dot_i8x16_i7x16_add_s(V128 a, V128 b, V128 c) {
  return i32x4_add(i32x4_extadd_pairwise_i16x8_s(i16x8_relaxed_dot_i8x16_i7x16_s(a, b)), c);
}

}  // namespace chiwawa::simd
