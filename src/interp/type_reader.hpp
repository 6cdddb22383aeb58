// Value types and reference types in the binary format. https://webassembly.github.io/spec/core/binary/types.html
#pragma once

#include "interp/byte_reader.hpp"
#include "interp/types.hpp"

namespace chiwawa {

/// What a byte that is no type of ours would have meant, for the message.
inline const char* malformed_type(uint8_t byte) {
  if (byte == 0x63 || byte == 0x64) return "malformed reference type (typed function references: not supported)";
  if (byte >= 0x69 && byte <= 0x74) return "malformed reference type (garbage collection: not supported)";
  if (byte == 0x77 || byte == 0x78) return "malformed value type (garbage collection: not supported)";
  return nullptr;
}

inline ValType read_value_type(ByteReader& reader) {
  const uint32_t at = reader.position();
  const uint8_t byte = reader.u8();
  const auto type = static_cast<ValType>(byte);
  if (!is_num(type) && !is_vec(type) && !is_ref(type)) {
    const char* feature = malformed_type(byte);
    reader.fail(feature != nullptr ? feature : "malformed value type", at);
  }
  return type;
}

inline ValType read_ref_type(ByteReader& reader) {
  const uint32_t at = reader.position();
  const uint8_t byte = reader.u8();
  const auto type = static_cast<ValType>(byte);
  if (!is_ref(type)) {
    const char* feature = is_num(type) || is_vec(type) ? nullptr : malformed_type(byte);
    reader.fail(feature != nullptr ? feature : "malformed reference type", at);
  }
  return type;
}

}  // namespace chiwawa
