// Vector operations on float lanes. What the results are in every case says numeric.hpp, which does the same to
// scalars.
#pragma once

#include <cmath>

#include "interp/simd_lanes.hpp"

// Whether the compiler's rounding of vectors is an instruction. SSE2 has none, and it would call a function for each
// lane.
#if __has_builtin(__builtin_elementwise_nearbyint) && (!defined(__x86_64__) || defined(__SSE4_1__))
#define CHIWAWA_HOST_ROUNDS_LANES 1
#else
#define CHIWAWA_HOST_ROUNDS_LANES 0
#endif

namespace chiwawa::simd {

namespace detail {

template <std::floating_point F>
constexpr BitsOf<F> kSignBit = BitsOf<F>{1} << (kBits<F> - 1);

template <std::floating_point F>
inline Lanes<F> abs(Lanes<F> a) {
  return as<F>(as<BitsOf<F>>(a) & ~kSignBit<F>);
}

template <std::floating_point F>
inline Lanes<F> neg(Lanes<F> a) {
  return as<F>(as<BitsOf<F>>(a) ^ kSignBit<F>);
}

/// `to`, whose sign is plus or that of `from`, with the sign of `from`.
template <std::floating_point F>
inline Lanes<F> add_sign(Lanes<F> to, Lanes<F> from) {
  return as<F>(as<BitsOf<F>>(to) | (as<BitsOf<F>>(from) & kSignBit<F>));
}

/// `number` where both are numbers; elsewhere a NaN made from them, a signalling one made quiet.
template <std::floating_point F>
inline Lanes<F> unless_nan(Lanes<F> a, Lanes<F> b, Lanes<F> number) {
  const auto are_numbers = (a == a) & (b == b);
  return are_numbers ? number : a + b;
}

/// `a` where it is less than `b`, else `b`, also if one is NaN.
template <std::floating_point F>
inline Lanes<F> lesser(Lanes<F> a, Lanes<F> b) {
#if CHIWAWA_SSE2_VECTORS
  if constexpr (sizeof(F) == 8) return _mm_min_pd(a, b);
#endif
  return a < b ? a : b;
}

/// `a` where it is greater than `b`, else `b`.
template <std::floating_point F>
inline Lanes<F> greater(Lanes<F> a, Lanes<F> b) {
#if CHIWAWA_SSE2_VECTORS
  if constexpr (sizeof(F) == 8) return _mm_max_pd(a, b);
#endif
  return a > b ? a : b;
}

// Where both are equal, each order of the operands gives another one: so a zero becomes -0 if one is, or +0 if one is.

template <std::floating_point F>
inline Lanes<F> min(Lanes<F> a, Lanes<F> b) {
#if CHIWAWA_WASM_VECTORS
  if constexpr (sizeof(F) == 4) return std::bit_cast<Lanes<F>>(wasm_f32x4_min(a, b));
  if constexpr (sizeof(F) == 8) return std::bit_cast<Lanes<F>>(wasm_f64x2_min(a, b));
#else
  using U = BitsOf<F>;
  return unless_nan<F>(a, b, as<F>(as<U>(lesser<F>(a, b)) | as<U>(lesser<F>(b, a))));
#endif
}

template <std::floating_point F>
inline Lanes<F> max(Lanes<F> a, Lanes<F> b) {
#if CHIWAWA_WASM_VECTORS
  if constexpr (sizeof(F) == 4) return std::bit_cast<Lanes<F>>(wasm_f32x4_max(a, b));
  if constexpr (sizeof(F) == 8) return std::bit_cast<Lanes<F>>(wasm_f64x2_max(a, b));
#else
  using U = BitsOf<F>;
  return unless_nan<F>(a, b, as<F>(as<U>(greater<F>(a, b)) & as<U>(greater<F>(b, a))));
#endif
}

template <std::floating_point F>
inline Lanes<F> sqrt(Lanes<F> a) {
#if __has_builtin(__builtin_elementwise_sqrt)
  return __builtin_elementwise_sqrt(a);
#else
  for (uint32_t i = 0; i < kLanes<F>; ++i) a[i] = std::sqrt(a[i]);
  return a;
#endif
}

#if CHIWAWA_HOST_ROUNDS_LANES

template <std::floating_point F>
inline Lanes<F> nearest(Lanes<F> a) {
  return __builtin_elementwise_nearbyint(a);
}
template <std::floating_point F>
inline Lanes<F> ceil(Lanes<F> a) {
  return __builtin_elementwise_ceil(a);
}
template <std::floating_point F>
inline Lanes<F> floor(Lanes<F> a) {
  return __builtin_elementwise_floor(a);
}
template <std::floating_point F>
inline Lanes<F> trunc(Lanes<F> a) {
  return __builtin_elementwise_trunc(a);
}

#else

/// Rounds magnitudes. From 2 to the power of the significand's bits on there are no fractions, so adding that to a
/// smaller number rounds it (ties to even, because nobody changes the rounding mode); larger ones are integers already.
/// Adding zero to those makes a signalling NaN quiet.
template <std::floating_point F>
inline Lanes<F> nearest_magnitude(Lanes<F> magnitude) {
  constexpr F kNoFractions = static_cast<F>(uint64_t{1} << (std::numeric_limits<F>::digits - 1));
  const Lanes<F> shift = magnitude < kNoFractions ? fill<F>(kNoFractions) : Lanes<F>{};
  const Lanes<F> shifted = magnitude + shift;
  return shifted - shift;
}

/// 1 where the mask is all ones.
template <std::floating_point F, typename Mask>
inline Lanes<F> one_where(Mask mask) {
  return mask ? fill<F>(1) : Lanes<F>{};
}

template <std::floating_point F>
inline Lanes<F> nearest(Lanes<F> a) {
  return add_sign<F>(nearest_magnitude<F>(abs<F>(a)), a);
}
template <std::floating_point F>
inline Lanes<F> ceil(Lanes<F> a) {
  const Lanes<F> near = nearest<F>(a);
  return add_sign<F>(near + one_where<F>(near < a), a);  // -1 + 1 is -0
}
template <std::floating_point F>
inline Lanes<F> floor(Lanes<F> a) {
  const Lanes<F> near = nearest<F>(a);
  return near - one_where<F>(near > a);
}
template <std::floating_point F>
inline Lanes<F> trunc(Lanes<F> a) {
  const Lanes<F> magnitude = abs<F>(a);
  const Lanes<F> near = nearest_magnitude<F>(magnitude);
  return add_sign<F>(near - one_where<F>(near > magnitude), a);
}

#endif

}  // namespace detail

#undef CHIWAWA_HOST_ROUNDS_LANES

#define CHIWAWA_SIMD_UNARY(id, T, expression) \
  inline V128 id(V128 operand) {              \
    const auto a = detail::lanes<T>(operand); \
    return detail::pack(expression);          \
  }
#define CHIWAWA_SIMD_BINARY(id, T, expression) \
  inline V128 id(V128 left, V128 right) {      \
    const auto a = detail::lanes<T>(left);     \
    const auto b = detail::lanes<T>(right);    \
    return detail::pack(expression);           \
  }

#define CHIWAWA_FLOAT_SHAPE(shape, F)                           \
  CHIWAWA_SIMD_UNARY(shape##_abs, F, detail::abs<F>(a))         \
  CHIWAWA_SIMD_UNARY(shape##_neg, F, detail::neg<F>(a))         \
  CHIWAWA_SIMD_UNARY(shape##_sqrt, F, detail::sqrt<F>(a))       \
  CHIWAWA_SIMD_UNARY(shape##_ceil, F, detail::ceil<F>(a))       \
  CHIWAWA_SIMD_UNARY(shape##_floor, F, detail::floor<F>(a))     \
  CHIWAWA_SIMD_UNARY(shape##_trunc, F, detail::trunc<F>(a))     \
  CHIWAWA_SIMD_UNARY(shape##_nearest, F, detail::nearest<F>(a)) \
  CHIWAWA_SIMD_BINARY(shape##_eq, F, a == b)                    \
  CHIWAWA_SIMD_BINARY(shape##_ne, F, a != b)                    \
  CHIWAWA_SIMD_BINARY(shape##_lt, F, a < b)                     \
  CHIWAWA_SIMD_BINARY(shape##_gt, F, a > b)                     \
  CHIWAWA_SIMD_BINARY(shape##_le, F, a <= b)                    \
  CHIWAWA_SIMD_BINARY(shape##_ge, F, a >= b)                    \
  CHIWAWA_SIMD_BINARY(shape##_add, F, a + b)                    \
  CHIWAWA_SIMD_BINARY(shape##_sub, F, a - b)                    \
  CHIWAWA_SIMD_BINARY(shape##_mul, F, a* b)                     \
  CHIWAWA_SIMD_BINARY(shape##_div, F, a / b)                    \
  CHIWAWA_SIMD_BINARY(shape##_min, F, detail::min<F>(a, b))     \
  CHIWAWA_SIMD_BINARY(shape##_max, F, detail::max<F>(a, b))     \
  CHIWAWA_SIMD_BINARY(shape##_pmin, F, detail::lesser<F>(b, a)) \
  CHIWAWA_SIMD_BINARY(shape##_pmax, F, detail::greater<F>(b, a))
CHIWAWA_FLOAT_SHAPE(f32x4, float)
CHIWAWA_FLOAT_SHAPE(f64x2, double)
#undef CHIWAWA_FLOAT_SHAPE
#undef CHIWAWA_SIMD_UNARY
#undef CHIWAWA_SIMD_BINARY

// --- On request: the positive canonical NaN for every NaN, every other lane as it is.

inline V128 canonical_f32x4(V128 v) {
  const auto a = detail::lanes<float>(v);
  return detail::pack(a == a ? a : detail::as<float>(detail::Lanes<uint32_t>{} + 0x7FC0'0000u));
}

inline V128 canonical_f64x2(V128 v) {
  const auto a = detail::lanes<double>(v);
  return detail::pack(a == a ? a : detail::as<double>(detail::Lanes<uint64_t>{} + 0x7FF8'0000'0000'0000u));
}

}  // namespace chiwawa::simd
