// Vectors for the tests of vector operations: made of lanes, pseudo-random, and computed lane by lane by scalar code.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>

#include "interp/simd.hpp"

namespace chiwawa::test {

using Unary = V128 (*)(V128);
using Binary = V128 (*)(V128, V128);
using Ternary = V128 (*)(V128, V128, V128);

/// Lane 0 first; the others that are not given are zero.
template <typename T, typename... Values>
V128 of(Values... values) {
  V128 v;
  uint32_t i = 0;
  ((v = simd::detail::with_lane<T>(v, i++, static_cast<T>(values))), ...);
  return v;
}

template <typename T>
V128 all(T value) {
  V128 v;
  for (uint32_t i = 0; i < simd::detail::kLanes<T>; ++i) v = simd::detail::with_lane<T>(v, i, value);
  return v;
}

/// What the scalar function makes of each lane.
template <typename In, auto function>
V128 by_lane(V128 a) {
  using Out = decltype(function(In{}));
  V128 result;
  for (uint32_t i = 0; i < simd::detail::kLanes<In>; ++i) {
    result = simd::detail::with_lane<Out>(result, i, function(simd::detail::lane<In>(a, i)));
  }
  return result;
}

template <typename In, auto function>
V128 by_lanes(V128 a, V128 b) {
  using Out = decltype(function(In{}, In{}));
  V128 result;
  for (uint32_t i = 0; i < simd::detail::kLanes<In>; ++i) {
    const Out value = function(simd::detail::lane<In>(a, i), simd::detail::lane<In>(b, i));
    result = simd::detail::with_lane<Out>(result, i, value);
  }
  return result;
}

/// A comparison's lane.
template <typename T>
T mask_if(bool condition) {
  return condition ? static_cast<T>(-1) : T{0};
}

template <typename T>
T saturate(int64_t value) {
  if (value < std::numeric_limits<T>::min()) return std::numeric_limits<T>::min();
  if (value > std::numeric_limits<T>::max()) return std::numeric_limits<T>::max();
  return static_cast<T>(value);
}

/// Pseudo-random vectors, of which many lanes are at a limit of some width: splitmix64.
class Vectors {
 public:
  V128 next() { return {half(), half()}; }

 private:
  uint64_t number() {
    state_ += 0x9E3779B97F4A7C15;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  uint64_t half() {
    static constexpr std::array<uint64_t, 8> kLimits = {
        0,          ~uint64_t{0}, 0x8080808080808080, 0x7F7F7F7F7F7F7F7F, 0x8000800080007FFF, 0x7FFF8000FFFF0001,
        0x80000000, 0x7FFFFFFF};
    const uint64_t choice = number();
    if (choice % 3 != 0) return number();
    return kLimits[(choice >> 8) % kLimits.size()];
  }

  uint64_t state_ = 1;
};

constexpr int kRounds = 300;

struct UnaryCase {
  std::string_view name;
  Unary operation;
  Unary reference;
};

struct BinaryCase {
  std::string_view name;
  Binary operation;
  Binary reference;
};

// A row of a table of cases; the body of the function for a lane follows. In parentheses, where `>` ends nothing.
#define UNARY(id, In, ...) {#id, simd::id, by_lane<In, ([](In a) __VA_ARGS__)>}
#define BINARY(id, In, ...) \
  {#id, simd::id, by_lanes<In, ([]([[maybe_unused]] In a, [[maybe_unused]] In b) __VA_ARGS__)>}

}  // namespace chiwawa::test
