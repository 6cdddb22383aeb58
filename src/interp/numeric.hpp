// The specification's numeric operations on plain values; knows no machine.
// https://webassembly.github.io/spec/core/exec/numerics.html
// Integers are unsigned here, as in the specification; a signed interpretation is taken inside.
#pragma once

#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "interp/outcome.hpp"

namespace chiwawa::numeric {

namespace detail {

template <std::unsigned_integral U>
constexpr auto as_signed(U v) {
  return static_cast<std::make_signed_t<U>>(v);
}

template <std::unsigned_integral U>
constexpr TrapKind div_s(U a, U b, U& out) {
  if (b == 0) return TrapKind::IntegerDivideByZero;
  if (as_signed(a) == std::numeric_limits<std::make_signed_t<U>>::min() && b == static_cast<U>(-1)) {
    return TrapKind::IntegerOverflow;
  }
  out = static_cast<U>(as_signed(a) / as_signed(b));
  return TrapKind::None;
}

template <std::unsigned_integral U>
constexpr TrapKind rem_s(U a, U b, U& out) {
  if (b == 0) return TrapKind::IntegerDivideByZero;
  // The quotient of the smallest number and -1 does not exist, but its remainder does.
  out = b == static_cast<U>(-1) ? U{0} : static_cast<U>(as_signed(a) % as_signed(b));
  return TrapKind::None;
}

template <std::unsigned_integral U>
constexpr TrapKind div_u(U a, U b, U& out) {
  if (b == 0) return TrapKind::IntegerDivideByZero;
  out = a / b;
  return TrapKind::None;
}

template <std::unsigned_integral U>
constexpr TrapKind rem_u(U a, U b, U& out) {
  if (b == 0) return TrapKind::IntegerDivideByZero;
  out = a % b;
  return TrapKind::None;
}

template <std::unsigned_integral U>
constexpr U shift_count(U b) {
  return b & (std::numeric_limits<U>::digits - 1);
}

template <std::floating_point F>
using BitsOf = std::conditional_t<sizeof(F) == 4, uint32_t, uint64_t>;

template <std::floating_point F>
constexpr BitsOf<F> kSignBit = BitsOf<F>{1} << (sizeof(F) * 8 - 1);

template <std::floating_point F>
constexpr F abs(F a) {
  return std::bit_cast<F>(std::bit_cast<BitsOf<F>>(a) & ~kSignBit<F>);
}

template <std::floating_point F>
constexpr F neg(F a) {
  return std::bit_cast<F>(std::bit_cast<BitsOf<F>>(a) ^ kSignBit<F>);
}

template <std::floating_point F>
constexpr F copysign(F a, F b) {
  return std::bit_cast<F>((std::bit_cast<BitsOf<F>>(a) & ~kSignBit<F>) | (std::bit_cast<BitsOf<F>>(b) & kSignBit<F>));
}

template <std::floating_point F>
constexpr F min(F a, F b) {
  if (a != a || b != b) return a + b;  // quiets a signalling NaN
  if (a == b) return std::bit_cast<F>(std::bit_cast<BitsOf<F>>(a) | std::bit_cast<BitsOf<F>>(b));  // -0 < +0
  return a < b ? a : b;
}

template <std::floating_point F>
constexpr F max(F a, F b) {
  if (a != a || b != b) return a + b;
  if (a == b) return std::bit_cast<F>(std::bit_cast<BitsOf<F>>(a) & std::bit_cast<BitsOf<F>>(b));
  return a > b ? a : b;
}

/// 2 to the power of the number of value bits: the first float above the range of Int.
template <typename Int, std::floating_point F>
constexpr F upper_bound() {
  return static_cast<F>(Int{1} << (std::numeric_limits<Int>::digits - 1)) * F{2};
}

/// Whether truncating `a` (not NaN) gives a value of Int.
template <typename Int, std::floating_point F>
constexpr bool in_range(F a) {
  if (!(a < upper_bound<Int, F>())) return false;
  if constexpr (std::is_unsigned_v<Int>) {
    return a > F{-1};
  } else if constexpr (std::numeric_limits<F>::digits > std::numeric_limits<Int>::digits) {
    return a > -upper_bound<Int, F>() - F{1};
  } else {
    return a >= -upper_bound<Int, F>();
  }
}

template <typename Int, std::floating_point F>
constexpr TrapKind trunc(F a, std::make_unsigned_t<Int>& out) {
  if (a != a) return TrapKind::InvalidConversionToInteger;
  if (!in_range<Int>(a)) return TrapKind::IntegerOverflow;
  out = static_cast<std::make_unsigned_t<Int>>(static_cast<Int>(a));
  return TrapKind::None;
}

template <typename Int, std::floating_point F>
constexpr std::make_unsigned_t<Int> trunc_sat(F a) {
  using U = std::make_unsigned_t<Int>;
  if (a != a) return 0;
  if (in_range<Int>(a)) return static_cast<U>(static_cast<Int>(a));
  return static_cast<U>(a < F{0} ? std::numeric_limits<Int>::min() : std::numeric_limits<Int>::max());
}

template <typename Narrow, std::unsigned_integral U>
constexpr U extend_s(U a) {
  return static_cast<U>(static_cast<std::make_signed_t<U>>(static_cast<Narrow>(a)));
}

}  // namespace detail

// The integer operations of both widths: `T` is the type, `t` its name.
#define CHIWAWA_INTEGER_OPERATIONS(t, T)                                                                        \
  constexpr uint32_t t##_eqz(T a) { return a == 0; }                                                            \
  constexpr uint32_t t##_eq(T a, T b) { return a == b; }                                                        \
  constexpr uint32_t t##_ne(T a, T b) { return a != b; }                                                        \
  constexpr uint32_t t##_lt_s(T a, T b) { return detail::as_signed(a) < detail::as_signed(b); }                 \
  constexpr uint32_t t##_lt_u(T a, T b) { return a < b; }                                                       \
  constexpr uint32_t t##_gt_s(T a, T b) { return detail::as_signed(a) > detail::as_signed(b); }                 \
  constexpr uint32_t t##_gt_u(T a, T b) { return a > b; }                                                       \
  constexpr uint32_t t##_le_s(T a, T b) { return detail::as_signed(a) <= detail::as_signed(b); }                \
  constexpr uint32_t t##_le_u(T a, T b) { return a <= b; }                                                      \
  constexpr uint32_t t##_ge_s(T a, T b) { return detail::as_signed(a) >= detail::as_signed(b); }                \
  constexpr uint32_t t##_ge_u(T a, T b) { return a >= b; }                                                      \
  constexpr T t##_clz(T a) { return static_cast<T>(std::countl_zero(a)); }                                      \
  constexpr T t##_ctz(T a) { return static_cast<T>(std::countr_zero(a)); }                                      \
  constexpr T t##_popcnt(T a) { return static_cast<T>(std::popcount(a)); }                                      \
  constexpr T t##_add(T a, T b) { return a + b; }                                                               \
  constexpr T t##_sub(T a, T b) { return a - b; }                                                               \
  constexpr T t##_mul(T a, T b) { return a * b; }                                                               \
  constexpr TrapKind t##_div_s(T a, T b, T& out) { return detail::div_s(a, b, out); }                           \
  constexpr TrapKind t##_div_u(T a, T b, T& out) { return detail::div_u(a, b, out); }                           \
  constexpr TrapKind t##_rem_s(T a, T b, T& out) { return detail::rem_s(a, b, out); }                           \
  constexpr TrapKind t##_rem_u(T a, T b, T& out) { return detail::rem_u(a, b, out); }                           \
  constexpr T t##_and(T a, T b) { return a & b; }                                                               \
  constexpr T t##_or(T a, T b) { return a | b; }                                                                \
  constexpr T t##_xor(T a, T b) { return a ^ b; }                                                               \
  constexpr T t##_shl(T a, T b) { return a << detail::shift_count(b); }                                         \
  constexpr T t##_shr_s(T a, T b) { return static_cast<T>(detail::as_signed(a) >> detail::shift_count(b)); }    \
  constexpr T t##_shr_u(T a, T b) { return a >> detail::shift_count(b); }                                       \
  constexpr T t##_rotl(T a, T b) { return std::rotl(a, static_cast<int>(detail::shift_count(b))); }             \
  constexpr T t##_rotr(T a, T b) { return std::rotr(a, static_cast<int>(detail::shift_count(b))); }             \
  constexpr T t##_extend8_s(T a) { return detail::extend_s<int8_t>(a); }                                        \
  constexpr T t##_extend16_s(T a) { return detail::extend_s<int16_t>(a); }                                      \
  constexpr TrapKind t##_trunc_f32_s(float a, T& out) { return detail::trunc<std::make_signed_t<T>>(a, out); }  \
  constexpr TrapKind t##_trunc_f32_u(float a, T& out) { return detail::trunc<T>(a, out); }                      \
  constexpr TrapKind t##_trunc_f64_s(double a, T& out) { return detail::trunc<std::make_signed_t<T>>(a, out); } \
  constexpr TrapKind t##_trunc_f64_u(double a, T& out) { return detail::trunc<T>(a, out); }                     \
  constexpr T t##_trunc_sat_f32_s(float a) { return detail::trunc_sat<std::make_signed_t<T>>(a); }              \
  constexpr T t##_trunc_sat_f32_u(float a) { return detail::trunc_sat<T>(a); }                                  \
  constexpr T t##_trunc_sat_f64_s(double a) { return detail::trunc_sat<std::make_signed_t<T>>(a); }             \
  constexpr T t##_trunc_sat_f64_u(double a) { return detail::trunc_sat<T>(a); }

CHIWAWA_INTEGER_OPERATIONS(i32, uint32_t)
CHIWAWA_INTEGER_OPERATIONS(i64, uint64_t)
#undef CHIWAWA_INTEGER_OPERATIONS

constexpr uint64_t i64_extend32_s(uint64_t a) { return detail::extend_s<int32_t>(a); }
constexpr uint32_t i32_wrap_i64(uint64_t a) { return static_cast<uint32_t>(a); }
constexpr uint64_t i64_extend_i32_s(uint32_t a) { return static_cast<uint64_t>(int64_t{detail::as_signed(a)}); }
constexpr uint64_t i64_extend_i32_u(uint32_t a) { return a; }

// The float operations of both widths. nearbyint rounds ties to even, because nobody changes the rounding mode.
#define CHIWAWA_FLOAT_OPERATIONS(t, T)                                                       \
  constexpr uint32_t t##_eq(T a, T b) { return a == b; }                                     \
  constexpr uint32_t t##_ne(T a, T b) { return a != b; }                                     \
  constexpr uint32_t t##_lt(T a, T b) { return a < b; }                                      \
  constexpr uint32_t t##_gt(T a, T b) { return a > b; }                                      \
  constexpr uint32_t t##_le(T a, T b) { return a <= b; }                                     \
  constexpr uint32_t t##_ge(T a, T b) { return a >= b; }                                     \
  constexpr T t##_abs(T a) { return detail::abs(a); }                                        \
  constexpr T t##_neg(T a) { return detail::neg(a); }                                        \
  inline T t##_ceil(T a) { return std::ceil(a); }                                            \
  inline T t##_floor(T a) { return std::floor(a); }                                          \
  inline T t##_trunc(T a) { return std::trunc(a); }                                          \
  inline T t##_nearest(T a) { return std::nearbyint(a); }                                    \
  inline T t##_sqrt(T a) { return std::sqrt(a); }                                            \
  constexpr T t##_add(T a, T b) { return a + b; }                                            \
  constexpr T t##_sub(T a, T b) { return a - b; }                                            \
  constexpr T t##_mul(T a, T b) { return a * b; }                                            \
  constexpr T t##_div(T a, T b) { return a / b; }                                            \
  constexpr T t##_min(T a, T b) { return detail::min(a, b); }                                \
  constexpr T t##_max(T a, T b) { return detail::max(a, b); }                                \
  constexpr T t##_copysign(T a, T b) { return detail::copysign(a, b); }                      \
  constexpr T t##_convert_i32_s(uint32_t a) { return static_cast<T>(detail::as_signed(a)); } \
  constexpr T t##_convert_i32_u(uint32_t a) { return static_cast<T>(a); }                    \
  constexpr T t##_convert_i64_s(uint64_t a) { return static_cast<T>(detail::as_signed(a)); } \
  constexpr T t##_convert_i64_u(uint64_t a) { return static_cast<T>(a); }

CHIWAWA_FLOAT_OPERATIONS(f32, float)
CHIWAWA_FLOAT_OPERATIONS(f64, double)
#undef CHIWAWA_FLOAT_OPERATIONS

/// The positive canonical NaN for any NaN; every other value as it is.
constexpr float canonical_nan(float a) { return a == a ? a : std::bit_cast<float>(uint32_t{0x7fc00000}); }
constexpr double canonical_nan(double a) { return a == a ? a : std::bit_cast<double>(uint64_t{0x7ff8000000000000}); }

constexpr float f32_demote_f64(double a) { return static_cast<float>(a); }
constexpr double f64_promote_f32(float a) { return static_cast<double>(a); }
constexpr uint32_t i32_reinterpret_f32(float a) { return std::bit_cast<uint32_t>(a); }
constexpr uint64_t i64_reinterpret_f64(double a) { return std::bit_cast<uint64_t>(a); }
constexpr float f32_reinterpret_i32(uint32_t a) { return std::bit_cast<float>(a); }
constexpr double f64_reinterpret_i64(uint64_t a) { return std::bit_cast<double>(a); }

/// A number of 128 bits.
struct Wide {
  uint64_t low = 0;
  uint64_t high = 0;
  bool operator==(const Wide&) const = default;
};

// https://github.com/WebAssembly/wide-arithmetic/blob/main/proposals/wide-arithmetic/Overview.md
constexpr Wide i64_add128(Wide a, Wide b) {
  const uint64_t low = a.low + b.low;
  return {low, a.high + b.high + (low < a.low ? 1 : 0)};
}
constexpr Wide i64_sub128(Wide a, Wide b) { return {a.low - b.low, a.high - b.high - (a.low < b.low ? 1 : 0)}; }

constexpr Wide i64_mul_wide_u(uint64_t a, uint64_t b) {
  __extension__ using Product = unsigned __int128;
  const Product product = Product{a} * b;
  return {static_cast<uint64_t>(product), static_cast<uint64_t>(product >> 64)};
}
/// A negative factor counts as 2^64 more in the unsigned product: the other one is taken off its high half.
constexpr Wide i64_mul_wide_s(uint64_t a, uint64_t b) {
  const Wide product = i64_mul_wide_u(a, b);
  return {product.low, product.high - (detail::as_signed(a) < 0 ? b : 0) - (detail::as_signed(b) < 0 ? a : 0)};
}

}  // namespace chiwawa::numeric
