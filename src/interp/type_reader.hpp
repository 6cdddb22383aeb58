// Value types and reference types in the binary format. https://webassembly.github.io/spec/core/binary/types.html
#pragma once

#include "interp/byte_reader.hpp"
#include "interp/types.hpp"

namespace chiwawa {

/// V128 is refused: SIMD is not supported.
inline ValType read_value_type(ByteReader& reader) {
  const uint32_t at = reader.position();
  const auto type = static_cast<ValType>(reader.u8());
  if (!is_num(type) && !is_ref(type)) {
    reader.fail(type == ValType::V128 ? "malformed value type v128 (SIMD: not supported)" : "malformed value type", at);
  }
  return type;
}

inline ValType read_ref_type(ByteReader& reader) {
  const uint32_t at = reader.position();
  const auto type = static_cast<ValType>(reader.u8());
  if (!is_ref(type)) reader.fail("malformed reference type", at);
  return type;
}

}  // namespace chiwawa
