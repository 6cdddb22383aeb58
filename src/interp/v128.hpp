// V128: a value of the vector type. https://webassembly.github.io/spec/core/syntax/values.html#vectors
#pragma once

#include <cstdint>

namespace chiwawa {

/// 128 bits. Lane 0 of every shape is in the lowest bits of `low`, on hosts of either byte order.
struct V128 {
  uint64_t low = 0;
  uint64_t high = 0;

  bool operator==(const V128&) const = default;
};

}  // namespace chiwawa
