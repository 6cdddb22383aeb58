// Vector operations on float lanes against the scalar ones, and what only vectors have by example.
#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "interp/numeric.hpp"
#include "interp/simd.hpp"
#include "unit/simd_fixture.hpp"

using namespace chiwawa;
using namespace chiwawa::test;

namespace {

template <typename F>
using BitsOf = simd::detail::BitsOf<F>;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr double kNan64 = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity64 = std::numeric_limits<double>::infinity();

/// Bits of numbers near which operations go wrong: zeros, fractions and ties, the ends of the integer types, numbers
/// without fractions, subnormal and largest ones, infinities, NaNs of both kinds; each with both signs.
template <typename F>
std::vector<BitsOf<F>> edges() {
  using U = BitsOf<F>;
  const double kNoFractions = static_cast<double>(uint64_t{1} << (std::numeric_limits<F>::digits - 1));
  std::vector<F> numbers = {std::numeric_limits<F>::min(), std::numeric_limits<F>::denorm_min(),
                            std::numeric_limits<F>::max(), std::numeric_limits<F>::infinity()};
  for (const double base : {0.0,
                            0.5,
                            1.0,
                            1.5,
                            2.0,
                            2.5,
                            3.5,
                            1e6,
                            kNoFractions / 2,
                            kNoFractions,
                            kNoFractions * 2,
                            2147483647.0,
                            2147483647.5,
                            2147483648.0,
                            2147483648.5,
                            4294967295.0,
                            4294967295.5,
                            4294967296.0,
                            9223372036854775808.0,
                            1e30}) {
    const auto number = static_cast<F>(base);
    numbers.insert(numbers.end(), {number, std::nextafter(number, F{0}), std::nextafter(number, F{1e38F})});
  }
  std::vector<U> bits;
  for (const F number : numbers) bits.push_back(std::bit_cast<U>(number));
  const U infinity = std::bit_cast<U>(std::numeric_limits<F>::infinity());
  const U quiet = U{1} << (std::numeric_limits<F>::digits - 2);
  bits.insert(bits.end(), {infinity | quiet, infinity | quiet | 5, infinity | 1, infinity | (quiet - 1)});
  for (size_t i = bits.size(); i-- > 0;) bits.push_back(bits[i] | simd::detail::kSignBit<F>);
  return bits;
}

/// Results of floating-point instructions are the same: a NaN need only be one, but must be quiet.
template <typename F>
bool same_number(BitsOf<F> actual, F expected) {
  if (expected == expected) return actual == std::bit_cast<BitsOf<F>>(expected);
  const BitsOf<F> quiet = std::bit_cast<BitsOf<F>>(std::numeric_limits<F>::infinity()) |
                          (BitsOf<F>{1} << (std::numeric_limits<F>::digits - 2));
  return (actual & quiet) == quiet;
}

template <typename F>
struct FloatUnary {
  std::string_view name;
  Unary operation;
  F (*reference)(F);
};

template <typename F>
struct FloatBinary {
  std::string_view name;
  Binary operation;
  F (*reference)(F, F);
};

template <typename F>
struct Comparison {
  std::string_view name;
  Binary operation;
  uint32_t (*reference)(F, F);
};

#define SCALAR(shape, scalar, name) {#shape "." #name, simd::shape##_##name, numeric::scalar##_##name}
#define SCALAR_UNARY(shape, scalar)                                                         \
  {SCALAR(shape, scalar, ceil), SCALAR(shape, scalar, floor), SCALAR(shape, scalar, trunc), \
   SCALAR(shape, scalar, nearest), SCALAR(shape, scalar, sqrt)}
#define SCALAR_BINARY(shape, scalar)                                                                                \
  {                                                                                                                 \
    SCALAR(shape, scalar, add), SCALAR(shape, scalar, sub), SCALAR(shape, scalar, mul), SCALAR(shape, scalar, div), \
        SCALAR(shape, scalar, min), SCALAR(shape, scalar, max),                                                     \
        {#shape ".relaxed_min", simd::shape##_relaxed_min, numeric::scalar##_min}, {                                \
      #shape ".relaxed_max", simd::shape##_relaxed_max, numeric::scalar##_max                                       \
    }                                                                                                               \
  }
#define SCALAR_COMPARISON(shape, scalar)                                            \
  {SCALAR(shape, scalar, eq), SCALAR(shape, scalar, ne), SCALAR(shape, scalar, lt), \
   SCALAR(shape, scalar, gt), SCALAR(shape, scalar, le), SCALAR(shape, scalar, ge)}

template <typename F>
void check_scalar_operations(const std::vector<FloatUnary<F>>& unary, const std::vector<FloatBinary<F>>& binary,
                             const std::vector<Comparison<F>>& comparisons) {
  using U = BitsOf<F>;
  const std::vector<U> numbers = edges<F>();
  const uint32_t kLast = simd::detail::kLanes<F> - 1;
  for (const U a : numbers) {
    const F x = std::bit_cast<F>(a);
    // In one lane only, so that it is seen when lanes disturb each other.
    const V128 left = simd::detail::with_lane<U>(all<U>(1), kLast, a);
    for (const FloatUnary<F>& test : unary) {
      INFO(test.name << ' ' << std::hex << a);
      CHECK(same_number<F>(simd::detail::lane<U>(test.operation(left), kLast), test.reference(x)));
    }
    for (const U b : numbers) {
      const F y = std::bit_cast<F>(b);
      const V128 right = simd::detail::with_lane<U>(all<U>(1), kLast, b);
      for (const FloatBinary<F>& test : binary) {
        INFO(test.name << ' ' << std::hex << a << ' ' << b);
        CHECK(same_number<F>(simd::detail::lane<U>(test.operation(left, right), kLast), test.reference(x, y)));
      }
      for (const Comparison<F>& test : comparisons) {
        INFO(test.name << ' ' << std::hex << a << ' ' << b);
        CHECK(simd::detail::lane<U>(test.operation(left, right), kLast) == (test.reference(x, y) != 0 ? ~U{0} : U{0}));
      }
    }
  }
}

/// These change or pick whole lanes, so that the bits of a NaN count.
template <typename F>
void check_bits(Unary abs, Unary neg, Binary pmin, Binary pmax) {
  using U = BitsOf<F>;
  for (const U a : edges<F>()) {
    CHECK(abs(all<U>(a)) == all<U>(a & ~simd::detail::kSignBit<F>));
    CHECK(neg(all<U>(a)) == all<U>(a ^ simd::detail::kSignBit<F>));
    for (const U b : edges<F>()) {
      const F x = std::bit_cast<F>(a);
      const F y = std::bit_cast<F>(b);
      INFO(std::hex << a << ' ' << b);
      CHECK(pmin(all<U>(a), all<U>(b)) == all<U>(y < x ? b : a));
      CHECK(pmax(all<U>(a), all<U>(b)) == all<U>(x < y ? b : a));
    }
  }
}

}  // namespace

TEST_CASE("Float lanes compute what scalars do", "[simd]") {
  check_scalar_operations<float>(SCALAR_UNARY(f32x4, f32), SCALAR_BINARY(f32x4, f32), SCALAR_COMPARISON(f32x4, f32));
  check_scalar_operations<double>(SCALAR_UNARY(f64x2, f64), SCALAR_BINARY(f64x2, f64), SCALAR_COMPARISON(f64x2, f64));
}

TEST_CASE("Signs and pseudo-minima keep the bits of lanes", "[simd]") {
  check_bits<float>(simd::f32x4_abs, simd::f32x4_neg, simd::f32x4_pmin, simd::f32x4_pmax);
  check_bits<double>(simd::f64x2_abs, simd::f64x2_neg, simd::f64x2_pmin, simd::f64x2_pmax);
  // The first operand, unless the second is less or greater.
  CHECK(simd::f32x4_pmin(of<float>(-0.0F, 0.0F, kNan, 1), of<float>(0.0F, -0.0F, 1, kNan)) ==
        of<float>(-0.0F, 0.0F, kNan, 1));
  CHECK(simd::f32x4_pmax(of<float>(-0.0F, 0.0F, kNan, 1), of<float>(0.0F, -0.0F, 1, kNan)) ==
        of<float>(-0.0F, 0.0F, kNan, 1));
  CHECK(simd::f32x4_min(of<float>(-0.0F, 0.0F, 1, -kInfinity), of<float>(0.0F, -0.0F, 2, 1)) ==
        of<float>(-0.0F, -0.0F, 1, -kInfinity));
  CHECK(simd::f32x4_max(of<float>(-0.0F, 0.0F, 1, kInfinity), of<float>(0.0F, -0.0F, 2, 1)) ==
        of<float>(0.0F, 0.0F, 2, kInfinity));
}

TEST_CASE("Rounding goes to even and keeps the sign of zero", "[simd]") {
  CHECK(simd::f32x4_nearest(of<float>(0.5F, -0.5F, 1.5F, -2.5F)) == of<float>(0.0F, -0.0F, 2.0F, -2.0F));
  CHECK(simd::f32x4_ceil(of<float>(-0.9F, 0.1F, -0.0F, 8388607.5F)) == of<float>(-0.0F, 1.0F, -0.0F, 8388608.0F));
  CHECK(simd::f32x4_floor(of<float>(-0.1F, 0.9F, -0.0F, -8388607.5F)) == of<float>(-1.0F, 0.0F, -0.0F, -8388608.0F));
  CHECK(simd::f64x2_trunc(of<double>(-0.9, 4503599627370495.5)) == of<double>(-0.0, 4503599627370495.0));
}

TEST_CASE("Truncation of lanes saturates, and NaN becomes zero", "[simd]") {
  for (const uint32_t bits : edges<float>()) {
    INFO(std::hex << bits);
    const V128 v = all<uint32_t>(bits);
    const auto a = std::bit_cast<float>(bits);
    CHECK(simd::i32x4_trunc_sat_f32x4_s(v) == all(numeric::i32_trunc_sat_f32_s(a)));
    CHECK(simd::i32x4_trunc_sat_f32x4_u(v) == all(numeric::i32_trunc_sat_f32_u(a)));
    CHECK(simd::i32x4_relaxed_trunc_f32x4_s(v) == all(numeric::i32_trunc_sat_f32_s(a)));
    CHECK(simd::i32x4_relaxed_trunc_f32x4_u(v) == all(numeric::i32_trunc_sat_f32_u(a)));
  }
  for (const uint64_t bits : edges<double>()) {
    INFO(std::hex << bits);
    const V128 v = simd::f64x2_replace_lane({0, bits}, 1.0, 0);
    const auto a = std::bit_cast<double>(bits);
    const auto zero_above = [](uint32_t lane) { return of<uint32_t>(1, lane, 0, 0); };
    CHECK(simd::i32x4_trunc_sat_f64x2_s_zero(v) == zero_above(numeric::i32_trunc_sat_f64_s(a)));
    CHECK(simd::i32x4_trunc_sat_f64x2_u_zero(v) == zero_above(numeric::i32_trunc_sat_f64_u(a)));
    CHECK(simd::i32x4_relaxed_trunc_f64x2_s_zero(v) == zero_above(numeric::i32_trunc_sat_f64_s(a)));
    CHECK(simd::i32x4_relaxed_trunc_f64x2_u_zero(v) == zero_above(numeric::i32_trunc_sat_f64_u(a)));
  }
  CHECK(simd::i32x4_trunc_sat_f32x4_s(of<float>(kNan, 2147483648.0F, -kInfinity, -1.9F)) ==
        of<int32_t>(0, INT32_MAX, INT32_MIN, -1));
  CHECK(simd::i32x4_trunc_sat_f32x4_u(of<float>(-kNan, 4294967296.0F, -1.0F, 3e9F)) ==
        of<uint32_t>(0, UINT32_MAX, 0, 3000000000));
  CHECK(simd::i32x4_trunc_sat_f64x2_s_zero(of<double>(kNan64, 2147483647.9)) == of<int32_t>(0, INT32_MAX, 0, 0));
  CHECK(simd::i32x4_trunc_sat_f64x2_u_zero(of<double>(-0.9, kInfinity64)) == of<uint32_t>(0, UINT32_MAX, 0, 0));
}

TEST_CASE("Lanes are promoted, demoted and converted", "[simd]") {
  CHECK(simd::f32x4_demote_f64x2_zero(of<double>(1e300, -1e-300)) == of<float>(kInfinity, -0.0F, 0, 0));
  CHECK(simd::f64x2_promote_low_f32x4(of<float>(-0.0F, 1.5F, 7, 7)) == of<double>(-0.0, 1.5));
  for (const uint32_t bits : edges<float>()) {
    INFO(std::hex << bits);
    const V128 promoted = simd::f64x2_promote_low_f32x4({uint64_t{bits} << 32, 0});
    CHECK(same_number<double>(promoted.high, numeric::f64_promote_f32(std::bit_cast<float>(bits))));
  }
  for (const uint64_t bits : edges<double>()) {
    INFO(std::hex << bits);
    const V128 demoted = simd::f32x4_demote_f64x2_zero({0, bits});
    CHECK(demoted.high == 0);
    CHECK(same_number<float>(static_cast<uint32_t>(demoted.low >> 32),
                             numeric::f32_demote_f64(std::bit_cast<double>(bits))));
  }
  const V128 integers = of<uint32_t>(0xFFFFFFFF, 0x80000000, 1, 1);
  CHECK(simd::f64x2_convert_low_i32x4_s(integers) == of<double>(-1.0, -2147483648.0));
  CHECK(simd::f64x2_convert_low_i32x4_u(integers) == of<double>(4294967295.0, 2147483648.0));
  CHECK(simd::f32x4_convert_i32x4_u(all<uint32_t>(0xFFFFFF7F)) == all<float>(4294967040.0F));
}

TEST_CASE("Relaxed products are rounded before they are added", "[simd]") {
  // Fused, the product's last bits would remain. Volatile, or the compiler would do the sums, which never fuses.
  volatile float root = 1 + 0x1p-12F;
  const float a = root;
  const V128 rounded = all<float>(-(1 + 0x1p-11F));
  CHECK(simd::f32x4_relaxed_madd(all(a), all(a), rounded) == all(0.0F));
  CHECK(simd::f32x4_relaxed_nmadd(all(-a), all(a), rounded) == all(0.0F));
  volatile double root64 = 1 + 0x1p-27;
  const double b = root64;
  const V128 rounded64 = all<double>(-(1 + 0x1p-26));
  CHECK(simd::f64x2_relaxed_madd(all(b), all(b), rounded64) == all(0.0));
  CHECK(simd::f64x2_relaxed_nmadd(all(-b), all(b), rounded64) == all(0.0));
  CHECK(simd::f32x4_relaxed_madd(all(2.0F), all(3.0F), all(1.0F)) == all(7.0F));
  CHECK(simd::f64x2_relaxed_nmadd(all(2.0), all(3.0), all(1.0)) == all(-5.0));
}

TEST_CASE("Canonical NaNs on request: every NaN becomes the positive one, other lanes stay", "[simd]") {
  const V128 floats{0xFFC0'0001'7FA0'0000, 0x8000'0000'7F80'0000};
  CHECK(simd::canonical_f32x4(floats) == V128{0x7FC0'0000'7FC0'0000, 0x8000'0000'7F80'0000});
  const V128 doubles{0xFFF8'0000'0000'0001, 0x8000'0000'0000'0000};
  CHECK(simd::canonical_f64x2(doubles) == V128{0x7FF8'0000'0000'0000, 0x8000'0000'0000'0000});
}
