// Vector operations that move lanes: memory, splat, single lanes, shuffles.
#pragma once

#include "interp/simd_lanes.hpp"

namespace chiwawa::simd {

// --- Memory. The caller has checked that the bytes are there.

inline V128 v128_load(const uint8_t* from) {
  return {detail::load<uint64_t>(from), detail::load<uint64_t>(from + sizeof(uint64_t))};
}

inline void v128_store(uint8_t* to, V128 v) {
  detail::store(to, v.low);
  detail::store(to + sizeof(uint64_t), v.high);
}

// Half a vector in memory, widened: `From` to `To`.
#define CHIWAWA_LOAD_EXTEND(id, To, From) \
  inline V128 id(const uint8_t* from) { return detail::pack(detail::widen<To, From>(detail::load<uint64_t>(from))); }
CHIWAWA_LOAD_EXTEND(v128_load8x8_s, int16_t, int8_t)
CHIWAWA_LOAD_EXTEND(v128_load8x8_u, uint16_t, uint8_t)
CHIWAWA_LOAD_EXTEND(v128_load16x4_s, int32_t, int16_t)
CHIWAWA_LOAD_EXTEND(v128_load16x4_u, uint32_t, uint16_t)
CHIWAWA_LOAD_EXTEND(v128_load32x2_s, int64_t, int32_t)
CHIWAWA_LOAD_EXTEND(v128_load32x2_u, uint64_t, uint32_t)
#undef CHIWAWA_LOAD_EXTEND

// A lane of `bits` bits in memory.
#define CHIWAWA_LANE_MEMORY(bits, U)                                               \
  inline V128 v128_load##bits##_splat(const uint8_t* from) {                       \
    return detail::pack(detail::fill(detail::load<U>(from)));                      \
  }                                                                                \
  inline V128 v128_load##bits##_lane(const uint8_t* from, V128 v, uint32_t lane) { \
    return detail::replace(v, lane, detail::load<U>(from));                        \
  }                                                                                \
  inline void v128_store##bits##_lane(uint8_t* to, V128 v, uint32_t lane) {        \
    detail::store(to, detail::lane<U>(v, lane));                                   \
  }
CHIWAWA_LANE_MEMORY(8, uint8_t)
CHIWAWA_LANE_MEMORY(16, uint16_t)
CHIWAWA_LANE_MEMORY(32, uint32_t)
CHIWAWA_LANE_MEMORY(64, uint64_t)
#undef CHIWAWA_LANE_MEMORY

inline V128 v128_load32_zero(const uint8_t* from) {
  return detail::pack(detail::Lanes<uint32_t>{detail::load<uint32_t>(from)});
}
inline V128 v128_load64_zero(const uint8_t* from) { return {detail::load<uint64_t>(from), 0}; }

// --- Scalars. `T` is the type of a lane, `Scalar` that of the value on the stack.

#define CHIWAWA_LANE_VALUE(shape, T, Scalar)                                                            \
  inline V128 shape##_splat(Scalar value) { return detail::pack(detail::fill(static_cast<T>(value))); } \
  inline V128 shape##_replace_lane(V128 v, Scalar value, uint32_t lane) {                               \
    return detail::replace(v, lane, static_cast<T>(value));                                             \
  }
CHIWAWA_LANE_VALUE(i8x16, uint8_t, uint32_t)
CHIWAWA_LANE_VALUE(i16x8, uint16_t, uint32_t)
CHIWAWA_LANE_VALUE(i32x4, uint32_t, uint32_t)
CHIWAWA_LANE_VALUE(i64x2, uint64_t, uint64_t)
CHIWAWA_LANE_VALUE(f32x4, float, float)
CHIWAWA_LANE_VALUE(f64x2, double, double)
#undef CHIWAWA_LANE_VALUE

constexpr uint32_t i8x16_extract_lane_s(V128 v, uint32_t lane) {
  return static_cast<uint32_t>(int32_t{detail::lane<int8_t>(v, lane)});
}
constexpr uint32_t i8x16_extract_lane_u(V128 v, uint32_t lane) { return detail::lane<uint8_t>(v, lane); }
constexpr uint32_t i16x8_extract_lane_s(V128 v, uint32_t lane) {
  return static_cast<uint32_t>(int32_t{detail::lane<int16_t>(v, lane)});
}
constexpr uint32_t i16x8_extract_lane_u(V128 v, uint32_t lane) { return detail::lane<uint16_t>(v, lane); }
constexpr uint32_t i32x4_extract_lane(V128 v, uint32_t lane) { return detail::lane<uint32_t>(v, lane); }
constexpr uint64_t i64x2_extract_lane(V128 v, uint32_t lane) { return detail::lane<uint64_t>(v, lane); }
constexpr float f32x4_extract_lane(V128 v, uint32_t lane) { return detail::lane<float>(v, lane); }
constexpr double f64x2_extract_lane(V128 v, uint32_t lane) { return detail::lane<double>(v, lane); }

// --- Shuffles

namespace detail {

/// For each byte of `indices`, which are less than Size, that byte of the table.
template <size_t Size>
inline Lanes<uint8_t> look_up(const uint8_t (&table)[Size], V128 indices) {
  const auto half = [&table](uint64_t names) {
    uint64_t found = 0;
    for (uint32_t shift = 0; shift < 64; shift += 8) {
      found |= uint64_t{table[(names >> shift) & (Size - 1)]} << shift;
    }
    return found;
  };
  return lanes<uint8_t>(pack(Lanes<uint64_t>{half(indices.low), half(indices.high)}));
}

}  // namespace detail

/// The byte of `v` that each byte of `indices` names; zero where it names none.
inline V128 i8x16_swizzle(V128 v, V128 indices) {
#if CHIWAWA_WASM_VECTORS
  return detail::pack(wasm_i8x16_swizzle(std::bit_cast<v128_t>(v), std::bit_cast<v128_t>(indices)));
#else
  uint8_t table[16];
  v128_store(table, v);
  return detail::pack(detail::lanes<uint8_t>(indices) < 16 ? detail::look_up(table, indices)
                                                           : detail::Lanes<uint8_t>{});
#endif
}

/// The byte of `a` and `b`, one behind the other, that each byte of `indices` names. Requires indices less than 32.
inline V128 i8x16_shuffle(V128 a, V128 b, V128 indices) {
#if CHIWAWA_WASM_VECTORS
  const v128_t from_a = std::bit_cast<v128_t>(indices);
  return detail::pack(
      wasm_v128_or(wasm_i8x16_swizzle(std::bit_cast<v128_t>(a), from_a),
                   wasm_i8x16_swizzle(std::bit_cast<v128_t>(b), wasm_i8x16_sub(from_a, wasm_i8x16_splat(16)))));
#else
  uint8_t table[32];
  v128_store(table, a);
  v128_store(table + sizeof a, b);
  return detail::pack(detail::look_up(table, indices));
#endif
}

}  // namespace chiwawa::simd
