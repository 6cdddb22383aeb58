// The vector operations: the list of them, how lanes lie in memory, and by example what is easily got wrong.
#include <array>
#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <set>
#include <type_traits>
#include <vector>

#include "interp/simd.hpp"
#include "unit/simd_fixture.hpp"

using namespace chiwawa;
using namespace chiwawa::test;

namespace {

// --- Every row of the list has its function, of the type that the row says.

using I32 = uint32_t;
using I64 = uint64_t;
using F32 = float;
using F64 = double;

#define HAS(id, ...) static_assert(std::is_same_v<decltype(&simd::id), __VA_ARGS__>);
#define SIMD1(code, id, text) HAS(id, Unary)
#define SIMD2(code, id, text) HAS(id, Binary)
#define SIMD3(code, id, text) HAS(id, Ternary)
#define SIMD_SHIFT(code, id, text) HAS(id, V128 (*)(V128, uint32_t))
#define SIMD_TEST(code, id, text) HAS(id, uint32_t (*)(V128))
#define SIMD_SPLAT(code, id, text, type) HAS(id, V128 (*)(type))
#define SIMD_EXTRACT(code, id, text, type, lanes) HAS(id, type (*)(V128, uint32_t))
#define SIMD_REPLACE(code, id, text, type, lanes) HAS(id, V128 (*)(V128, type, uint32_t))
#define SIMD_LOAD(code, id, text, bytes) HAS(id, V128 (*)(const uint8_t*))
#define SIMD_STORE(code, id, text, bytes) HAS(id, void (*)(uint8_t*, V128))
#define SIMD_LOAD_LANE(code, id, text, bytes, lanes) \
  HAS(id, V128 (*)(const uint8_t*, V128, uint32_t)) static_assert(bytes * lanes == 16);
#define SIMD_STORE_LANE(code, id, text, bytes, lanes) \
  HAS(id, void (*)(uint8_t*, V128, uint32_t)) static_assert(bytes * lanes == 16);
#include "interp/opcodes.def"
HAS(i8x16_shuffle, Ternary)
#undef HAS

}  // namespace

TEST_CASE("The list has all vector instructions, each code once", "[simd]") {
  std::multiset<uint32_t> codes;
#define OPCODE(code, id, text, immediates) codes.insert(code);
#include "interp/opcodes.def"
  const auto count = [&](uint32_t first, uint32_t last) {
    return std::distance(codes.lower_bound(first), codes.upper_bound(last));
  };
  CHECK(count(0xFD000, 0xFD0FF) == 236);
  CHECK(count(0xFD100, 0xFDFFF) == 20);
  CHECK(std::set<uint32_t>(codes.begin(), codes.end()).size() == codes.size());
}

TEST_CASE("Lane 0 is at the lowest address", "[simd]") {
  std::array<uint8_t, 24> memory{};
  for (size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<uint8_t>(0xF0 + i);
  const uint8_t* const at = memory.data() + 1;  // nothing is aligned
  const V128 v = simd::v128_load(at);
  CHECK(v == V128{0xF8F7F6F5F4F3F2F1, 0x00FFFEFDFCFBFAF9});
  CHECK(simd::i8x16_extract_lane_u(v, 0) == 0xF1);
  CHECK(simd::i8x16_extract_lane_s(v, 1) == 0xFFFFFFF2);
  CHECK(simd::i8x16_extract_lane_u(v, 14) == 0xFF);
  CHECK(simd::i16x8_extract_lane_u(v, 1) == 0xF4F3);
  CHECK(simd::i16x8_extract_lane_s(v, 4) == 0xFFFFFAF9);
  CHECK(simd::i32x4_extract_lane(v, 2) == 0xFCFBFAF9);
  CHECK(simd::i64x2_extract_lane(v, 1) == v.high);
  CHECK(std::bit_cast<uint32_t>(simd::f32x4_extract_lane(v, 3)) == 0x00FFFEFD);
  CHECK(std::bit_cast<uint64_t>(simd::f64x2_extract_lane(v, 0)) == v.low);

  CHECK(simd::v128_load8x8_s(at) == V128{0xFFF4FFF3FFF2FFF1, 0xFFF8FFF7FFF6FFF5});
  CHECK(simd::v128_load8x8_u(at) == V128{0x00F400F300F200F1, 0x00F800F700F600F5});
  CHECK(simd::v128_load16x4_s(at) == V128{0xFFFFF4F3FFFFF2F1, 0xFFFFF8F7FFFFF6F5});
  CHECK(simd::v128_load16x4_u(at) == V128{0x0000F4F30000F2F1, 0x0000F8F70000F6F5});
  CHECK(simd::v128_load32x2_s(at) == V128{0xFFFFFFFFF4F3F2F1, 0xFFFFFFFFF8F7F6F5});
  CHECK(simd::v128_load32x2_u(at) == V128{0x00000000F4F3F2F1, 0x00000000F8F7F6F5});
  CHECK(simd::v128_load8_splat(at) == V128{0xF1F1F1F1F1F1F1F1, 0xF1F1F1F1F1F1F1F1});
  CHECK(simd::v128_load16_splat(at) == V128{0xF2F1F2F1F2F1F2F1, 0xF2F1F2F1F2F1F2F1});
  CHECK(simd::v128_load32_splat(at) == V128{0xF4F3F2F1F4F3F2F1, 0xF4F3F2F1F4F3F2F1});
  CHECK(simd::v128_load64_splat(at) == V128{v.low, v.low});
  CHECK(simd::v128_load32_zero(at) == V128{0xF4F3F2F1, 0});
  CHECK(simd::v128_load64_zero(at) == V128{v.low, 0});
  CHECK(simd::v128_load8_lane(at, {}, 15) == V128{0, 0xF100000000000000});
  CHECK(simd::v128_load16_lane(at, {}, 1) == V128{0xF2F10000, 0});
  CHECK(simd::v128_load32_lane(at, {~uint64_t{0}, ~uint64_t{0}}, 2) == V128{~uint64_t{0}, 0xFFFFFFFFF4F3F2F1});
  CHECK(simd::v128_load64_lane(at, {1, 2}, 1) == V128{1, v.low});

  std::array<uint8_t, 24> out{};
  simd::v128_store(out.data() + 3, v);
  CHECK(std::vector(out.begin() + 3, out.begin() + 19) == std::vector(at, at + 16));
  CHECK((out[2] == 0 && out[19] == 0));
  const auto stored = [&](void (*store)(uint8_t*, V128, uint32_t), uint32_t lane) {
    out.fill(0);
    store(out.data() + 1, v, lane);
    return simd::v128_load(out.data() + 1);
  };
  CHECK(stored(simd::v128_store8_lane, 9) == V128{0xFA, 0});
  CHECK(stored(simd::v128_store16_lane, 4) == V128{0xFAF9, 0});
  CHECK(stored(simd::v128_store32_lane, 3) == V128{0x00FFFEFD, 0});
  CHECK(stored(simd::v128_store64_lane, 1) == V128{v.high, 0});
}

TEST_CASE("A lane is written without touching the others", "[simd]") {
  const V128 v{0x1716151413121110, 0x1F1E1D1C1B1A1918};
  CHECK(simd::i8x16_replace_lane(v, 0x1FF, 8) == V128{v.low, 0x1F1E1D1C1B1A19FF});
  CHECK(simd::i16x8_replace_lane(v, 0x1ABCD, 3) == V128{0xABCD151413121110, v.high});
  CHECK(simd::i32x4_replace_lane(v, 0xDEADBEEF, 3) == V128{v.low, 0xDEADBEEF1B1A1918});
  CHECK(simd::i64x2_replace_lane(v, 7, 0) == V128{7, v.high});
  // Payloads and signs stay: -0, and a signalling NaN.
  CHECK(simd::f32x4_replace_lane(v, -0.0F, 1) == V128{0x8000000013121110, v.high});
  CHECK(simd::f32x4_splat(-0.0F) == V128{0x8000000080000000, 0x8000000080000000});
  const uint64_t kSignalling = 0x7FF0000000000001;
  CHECK(simd::f64x2_replace_lane(v, std::bit_cast<double>(kSignalling), 1) == V128{v.low, kSignalling});
  CHECK(simd::f64x2_splat(std::bit_cast<double>(kSignalling)) == V128{kSignalling, kSignalling});
  CHECK(simd::i8x16_splat(0x1A5) == all<uint8_t>(0xA5));
  CHECK(simd::i16x8_splat(0x1A55A) == all<uint16_t>(0xA55A));
  CHECK(simd::i32x4_splat(0x12345678) == all<uint32_t>(0x12345678));
  CHECK(simd::i64x2_splat(v.low) == V128{v.low, v.low});
}

TEST_CASE("The way of other byte orders gives the same lanes", "[simd]") {
  Vectors vectors;
  const auto same = []<typename T>(V128 v, T /*lane*/) {
    const auto slow = simd::detail::lanes_one_by_one<T>(v);
    return simd::detail::pack(slow) == v && simd::detail::pack_one_by_one<T>(simd::detail::lanes<T>(v)) == v;
  };
  for (int round = 0; round < kRounds; ++round) {
    const V128 v = vectors.next();
    CHECK((same(v, uint8_t{}) && same(v, int16_t{}) && same(v, uint32_t{}) && same(v, int64_t{})));
  }
}

TEST_CASE("Products in Q15 format are rounded, averages are rounded up", "[simd]") {
  CHECK(simd::i16x8_q15mulr_sat_s(of<int16_t>(-32768, -32768, 32767, 1, 1, -1, 1, 0x4000),
                                  of<int16_t>(-32768, 32767, 32767, 0x3FFF, 0x4000, 0x4000, -0x4001, 2)) ==
        of<int16_t>(32767, -32767, 32766, 0, 1, 0, -1, 1));
  CHECK(simd::i8x16_avgr_u(of<uint8_t>(255, 255, 0, 1), of<uint8_t>(255, 254, 1, 2)) == of<uint8_t>(255, 255, 1, 2));
}

TEST_CASE("Sums of products", "[simd]") {
  CHECK(simd::i32x4_dot_i16x8_s(of<int16_t>(-32768, -32768, 1, 2, -32768, 3),
                                of<int16_t>(-32768, -32768, 3, -4, 1, 5)) == of<uint32_t>(0x80000000, -5, -32753));
  // The second operand is signed; only a sum of four smallest numbers saturates.
  const V128 smallest = all<int8_t>(-128);
  CHECK(simd::i16x8_relaxed_dot_i8x16_i7x16_s(of<int8_t>(-128, -128, 127, 127, 1, 2),
                                              of<int8_t>(-127, -127, 127, 127, 3, -4)) ==
        of<int16_t>(32512, 32258, -5));
  CHECK(simd::i16x8_relaxed_dot_i8x16_i7x16_s(smallest, smallest) == all<int16_t>(32767));
  CHECK(simd::i32x4_relaxed_dot_i8x16_i7x16_add_s(
            of<int8_t>(-128, -128, -128, -128, 1, 2, 3, 4), of<int8_t>(-127, -127, -127, -127, 1, 1, 1, 1),
            of<int32_t>(1, -20, INT32_MAX)) == of<int32_t>(65025, -10, INT32_MAX));
  CHECK(simd::i32x4_relaxed_dot_i8x16_i7x16_add_s(smallest, smallest, all<int32_t>(0)) == all<int32_t>(65534));
}

TEST_CASE("Bytes are picked by number", "[simd]") {
  const V128 a{0x1716151413121110, 0x1F1E1D1C1B1A1918};
  const V128 b{0x2726252423222120, 0x2F2E2D2C2B2A2928};
  const V128 numbers = of<uint8_t>(15, 0, 16, 17, 31, 128, 255, 144, 7, 8, 127, 64, 1, 14, 240, 15);
  const V128 picked = of<uint8_t>(0x1F, 0x10, 0, 0, 0, 0, 0, 0, 0x17, 0x18, 0, 0, 0x11, 0x1E, 0, 0x1F);
  CHECK(simd::i8x16_swizzle(a, numbers) == picked);
  CHECK(simd::i8x16_relaxed_swizzle(a, numbers) == picked);
  CHECK(simd::i8x16_shuffle(a, b, of<uint8_t>(31, 0, 16, 15, 1, 17, 30, 2, 8, 24, 7, 23, 9, 25, 0, 31)) ==
        of<uint8_t>(0x2F, 0x10, 0x20, 0x1F, 0x11, 0x21, 0x2E, 0x12, 0x18, 0x28, 0x17, 0x27, 0x19, 0x29, 0x10, 0x2F));
}
