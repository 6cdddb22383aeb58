// Vector operations on integer lanes against scalar code.
#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>

#include "interp/numeric.hpp"
#include "interp/simd.hpp"
#include "unit/simd_fixture.hpp"

using namespace chiwawa;
using namespace chiwawa::test;

#define INTEGER_SHAPE(shape, U, S)                                                                                    \
  BINARY(shape##_add, U, { return static_cast<U>(a + b); }),                                                          \
      BINARY(shape##_sub, U, { return static_cast<U>(a - b); }),                                                      \
      BINARY(shape##_eq, U, { return mask_if<U>(a == b); }), BINARY(shape##_ne, U, { return mask_if<U>(a != b); }),   \
      BINARY(shape##_lt_s, S, { return mask_if<S>(a < b); }), BINARY(shape##_gt_s, S, { return mask_if<S>(a > b); }), \
      BINARY(shape##_le_s, S, { return mask_if<S>(a <= b); }), BINARY(shape##_ge_s, S, { return mask_if<S>(a >= b); })

#define INTEGER_ORDER(shape, U, S)                                                                                  \
  BINARY(shape##_lt_u, U, { return mask_if<U>(a < b); }), BINARY(shape##_gt_u, U, { return mask_if<U>(a > b); }),   \
      BINARY(shape##_le_u, U, { return mask_if<U>(a <= b); }),                                                      \
      BINARY(shape##_ge_u, U, { return mask_if<U>(a >= b); }), BINARY(shape##_min_s, S, { return a < b ? a : b; }), \
      BINARY(shape##_min_u, U, { return a < b ? a : b; }), BINARY(shape##_max_s, S, { return a < b ? b : a; }),     \
      BINARY(shape##_max_u, U, { return a < b ? b : a; })

#define INTEGER_SATURATING(shape, U, S)                             \
  BINARY(shape##_add_sat_s, S, { return saturate<S>(a + b); }),     \
      BINARY(shape##_add_sat_u, U, { return saturate<U>(a + b); }), \
      BINARY(shape##_sub_sat_s, S, { return saturate<S>(a - b); }), \
      BINARY(shape##_sub_sat_u, U, { return saturate<U>(a - b); }), \
      BINARY(shape##_avgr_u, U, { return static_cast<U>((a + b + 1) / 2); })

TEST_CASE("Integer lanes compute what scalars do", "[simd]") {
  static constexpr BinaryCase kCases[] = {
      INTEGER_SHAPE(i8x16, uint8_t, int8_t),
      INTEGER_SHAPE(i16x8, uint16_t, int16_t),
      INTEGER_SHAPE(i32x4, uint32_t, int32_t),
      INTEGER_SHAPE(i64x2, uint64_t, int64_t),
      INTEGER_ORDER(i8x16, uint8_t, int8_t),
      INTEGER_ORDER(i16x8, uint16_t, int16_t),
      INTEGER_ORDER(i32x4, uint32_t, int32_t),
      INTEGER_SATURATING(i8x16, uint8_t, int8_t),
      INTEGER_SATURATING(i16x8, uint16_t, int16_t),
      BINARY(i16x8_mul, uint16_t, { return static_cast<uint16_t>(uint32_t{a} * b); }),
      BINARY(i32x4_mul, uint32_t, { return a * b; }),
      BINARY(i64x2_mul, uint64_t, { return a * b; }),
      BINARY(i16x8_q15mulr_sat_s, int16_t, { return saturate<int16_t>((a * b + 0x4000) >> 15); }),
      BINARY(i16x8_relaxed_q15mulr_s, int16_t, { return saturate<int16_t>((a * b + 0x4000) >> 15); }),
      BINARY(v128_and, uint64_t, { return a & b; }),
      BINARY(v128_andnot, uint64_t, { return a & ~b; }),
      BINARY(v128_or, uint64_t, { return a | b; }),
      BINARY(v128_xor, uint64_t, { return a ^ b; }),
  };
  Vectors vectors;
  for (int round = 0; round < kRounds; ++round) {
    const V128 a = vectors.next();
    const V128 b = round % 4 == 0 ? a : vectors.next();
    for (const BinaryCase& test : kCases) {
      INFO(test.name << std::hex << ' ' << a.high << ':' << a.low << ' ' << b.high << ':' << b.low);
      CHECK(test.operation(a, b) == test.reference(a, b));
    }
  }
}

#define INTEGER_UNARY(shape, U)                             \
  UNARY(shape##_neg, U, { return static_cast<U>(0 - a); }), \
      UNARY(shape##_abs, U, { return a >> (sizeof(U) * 8 - 1) != 0 ? static_cast<U>(0 - a) : a; })

TEST_CASE("Integer lanes of one operand compute what scalars do", "[simd]") {
  static constexpr UnaryCase kCases[] = {
      INTEGER_UNARY(i8x16, uint8_t),
      INTEGER_UNARY(i16x8, uint16_t),
      INTEGER_UNARY(i32x4, uint32_t),
      INTEGER_UNARY(i64x2, uint64_t),
      UNARY(i8x16_popcnt, uint8_t, { return static_cast<uint8_t>(std::popcount(a)); }),
      UNARY(v128_not, uint64_t, { return ~a; }),
      UNARY(f32x4_convert_i32x4_s, uint32_t, { return numeric::f32_convert_i32_s(a); }),
      UNARY(f32x4_convert_i32x4_u, uint32_t, { return numeric::f32_convert_i32_u(a); }),
  };
  Vectors vectors;
  for (int round = 0; round < kRounds; ++round) {
    const V128 a = vectors.next();
    for (const UnaryCase& test : kCases) {
      INFO(test.name << std::hex << ' ' << a.high << ':' << a.low);
      CHECK(test.operation(a) == test.reference(a));
    }
    const V128 b = vectors.next();
    const V128 mask = vectors.next();
    const V128 selected{(a.low & mask.low) | (b.low & ~mask.low), (a.high & mask.high) | (b.high & ~mask.high)};
    for (const Ternary select : {simd::v128_bitselect, simd::i8x16_relaxed_laneselect, simd::i16x8_relaxed_laneselect,
                                 simd::i32x4_relaxed_laneselect, simd::i64x2_relaxed_laneselect}) {
      CHECK(select(a, b, mask) == selected);
    }
  }
}

namespace {

/// Shifts by every count, of which only the lowest bits matter.
template <typename U, typename S>
void check_shifts(V128 (*shl)(V128, uint32_t), V128 (*shr_s)(V128, uint32_t), V128 (*shr_u)(V128, uint32_t)) {
  Vectors vectors;
  for (uint32_t count = 0; count < 200; ++count) {
    const V128 a = vectors.next();
    const uint32_t distance = count % (sizeof(U) * 8);
    INFO(sizeof(U) * 8 << " bits by " << count);
    for (uint32_t i = 0; i < simd::detail::kLanes<U>; ++i) {
      const U value = simd::detail::lane<U>(a, i);
      CHECK(simd::detail::lane<U>(shl(a, count), i) == static_cast<U>(value << distance));
      CHECK(simd::detail::lane<U>(shr_u(a, count), i) == static_cast<U>(value >> distance));
      CHECK(simd::detail::lane<S>(shr_s(a, count), i) == static_cast<S>(static_cast<S>(value) >> distance));
    }
  }
}

template <typename S>
void check_tests(uint32_t (*all_true)(V128), uint32_t (*bitmask)(V128)) {
  Vectors vectors;
  for (int round = 0; round < kRounds; ++round) {
    const V128 v = vectors.next();
    uint32_t mask = 0;
    uint32_t no_zero = 1;
    for (uint32_t i = 0; i < simd::detail::kLanes<S>; ++i) {
      const S value = simd::detail::lane<S>(v, i);
      if (value < 0) mask |= uint32_t{1} << i;
      if (value == 0) no_zero = 0;
    }
    CHECK(bitmask(v) == mask);
    CHECK(all_true(v) == no_zero);
  }
}

/// Lanes of twice the width from lanes of type From: extended, multiplied, added.
template <typename From, typename To>
void check_widening(Unary low, Unary high, Binary mul_low, Binary mul_high, Unary pairwise) {
  constexpr uint32_t kWide = simd::detail::kLanes<To>;
  Vectors vectors;
  for (int round = 0; round < kRounds; ++round) {
    const V128 a = vectors.next();
    const V128 b = vectors.next();
    for (uint32_t i = 0; i < kWide; ++i) {
      const auto from = [&](V128 v, uint32_t lane) { return static_cast<To>(simd::detail::lane<From>(v, lane)); };
      const auto is = [&](V128 v) { return simd::detail::lane<To>(v, i); };
      CHECK(is(low(a)) == from(a, i));
      CHECK(is(high(a)) == from(a, i + kWide));
      CHECK(is(mul_low(a, b)) == static_cast<To>(from(a, i) * from(b, i)));
      CHECK(is(mul_high(a, b)) == static_cast<To>(from(a, i + kWide) * from(b, i + kWide)));
      if (pairwise != nullptr) CHECK(is(pairwise(a)) == static_cast<To>(from(a, 2 * i) + from(a, 2 * i + 1)));
    }
  }
}

/// Lanes of half the width, saturated.
template <typename From, typename To>
void check_narrowing(Binary narrow) {
  constexpr uint32_t kWide = simd::detail::kLanes<From>;
  Vectors vectors;
  for (int round = 0; round < kRounds; ++round) {
    const V128 a = vectors.next();
    const V128 b = vectors.next();
    for (uint32_t i = 0; i < kWide; ++i) {
      CHECK(simd::detail::lane<To>(narrow(a, b), i) == saturate<To>(simd::detail::lane<From>(a, i)));
      CHECK(simd::detail::lane<To>(narrow(a, b), i + kWide) == saturate<To>(simd::detail::lane<From>(b, i)));
    }
  }
}

}  // namespace

TEST_CASE("Shift counts are taken modulo the lane's width", "[simd]") {
  check_shifts<uint8_t, int8_t>(simd::i8x16_shl, simd::i8x16_shr_s, simd::i8x16_shr_u);
  check_shifts<uint16_t, int16_t>(simd::i16x8_shl, simd::i16x8_shr_s, simd::i16x8_shr_u);
  check_shifts<uint32_t, int32_t>(simd::i32x4_shl, simd::i32x4_shr_s, simd::i32x4_shr_u);
  check_shifts<uint64_t, int64_t>(simd::i64x2_shl, simd::i64x2_shr_s, simd::i64x2_shr_u);
  CHECK(simd::i8x16_shl(all<uint8_t>(0x81), 0xFFFFFFF9) == all<uint8_t>(0x02));
}

TEST_CASE("Bit i of a mask is lane i", "[simd]") {
  check_tests<int8_t>(simd::i8x16_all_true, simd::i8x16_bitmask);
  check_tests<int16_t>(simd::i16x8_all_true, simd::i16x8_bitmask);
  check_tests<int32_t>(simd::i32x4_all_true, simd::i32x4_bitmask);
  check_tests<int64_t>(simd::i64x2_all_true, simd::i64x2_bitmask);
  CHECK(simd::i8x16_bitmask(of<int8_t>(-1, 127, 0, -128)) == 0b1001);
  CHECK(simd::i64x2_bitmask({1, 0x8000000000000000}) == 0b10);
  CHECK(simd::i32x4_all_true({0x100000001, 0x8000000000000000}) == 0);
  CHECK(simd::i32x4_all_true({0x100000001, 0x8000000000000001}) == 1);
  CHECK(simd::v128_any_true({0, 0}) == 0);
  CHECK(simd::v128_any_true({1, 0}) == 1);
  CHECK(simd::v128_any_true({0, 0x8000000000000000}) == 1);
}

TEST_CASE("Lanes become wider", "[simd]") {
  using namespace simd;
  check_widening<int8_t, int16_t>(i16x8_extend_low_i8x16_s, i16x8_extend_high_i8x16_s, i16x8_extmul_low_i8x16_s,
                                  i16x8_extmul_high_i8x16_s, i16x8_extadd_pairwise_i8x16_s);
  check_widening<uint8_t, uint16_t>(i16x8_extend_low_i8x16_u, i16x8_extend_high_i8x16_u, i16x8_extmul_low_i8x16_u,
                                    i16x8_extmul_high_i8x16_u, i16x8_extadd_pairwise_i8x16_u);
  check_widening<int16_t, int32_t>(i32x4_extend_low_i16x8_s, i32x4_extend_high_i16x8_s, i32x4_extmul_low_i16x8_s,
                                   i32x4_extmul_high_i16x8_s, i32x4_extadd_pairwise_i16x8_s);
  check_widening<uint16_t, uint32_t>(i32x4_extend_low_i16x8_u, i32x4_extend_high_i16x8_u, i32x4_extmul_low_i16x8_u,
                                     i32x4_extmul_high_i16x8_u, i32x4_extadd_pairwise_i16x8_u);
  check_widening<int32_t, int64_t>(i64x2_extend_low_i32x4_s, i64x2_extend_high_i32x4_s, i64x2_extmul_low_i32x4_s,
                                   i64x2_extmul_high_i32x4_s, nullptr);
  check_widening<uint32_t, uint64_t>(i64x2_extend_low_i32x4_u, i64x2_extend_high_i32x4_u, i64x2_extmul_low_i32x4_u,
                                     i64x2_extmul_high_i32x4_u, nullptr);
}

TEST_CASE("Lanes that become narrower saturate by their signed value", "[simd]") {
  check_narrowing<int16_t, int8_t>(simd::i8x16_narrow_i16x8_s);
  check_narrowing<int16_t, uint8_t>(simd::i8x16_narrow_i16x8_u);
  check_narrowing<int32_t, int16_t>(simd::i16x8_narrow_i32x4_s);
  check_narrowing<int32_t, uint16_t>(simd::i16x8_narrow_i32x4_u);
  CHECK(simd::i16x8_narrow_i32x4_u(of<int32_t>(INT32_MIN, -1, 65535, 65536), of<int32_t>(INT32_MAX, 32768, 0, 1)) ==
        of<uint16_t>(0, 0, 65535, 65535, 65535, 32768, 0, 1));
  CHECK(simd::i8x16_narrow_i16x8_u(of<int16_t>(-1, 255, 256, 0x7FFF, -0x8000), of<int16_t>(128)) ==
        of<uint8_t>(0, 255, 255, 255, 0, 0, 0, 0, 128));
}
