// Value types and reference types in the binary format. https://webassembly.github.io/spec/core/binary/types.html
#pragma once

#include "interp/byte_reader.hpp"
#include "interp/types.hpp"

namespace chiwawa {

constexpr uint8_t kNullableRefByte = 0x63;
constexpr uint8_t kNonNullRefByte = 0x64;

/// The abstract heap type of a byte as a nullable reference type, or a type that is no reference.
inline ValType abstract_ref(uint8_t byte) { return static_cast<ValType>(byte & 0x80 ? 0 : byte); }

/// A heap type, as the reference type that has it and is `nullable`.
inline ValType read_heap_type(ByteReader& reader, bool nullable) {
  const uint32_t at = reader.position();
  const int64_t code = reader.s33();
  if (code >= 0)
    return defined_ref(code < kUnknownTypeIndex ? static_cast<uint32_t>(code) : kUnknownTypeIndex, nullable);
  // The negative numbers that take one byte are the abstract heap types.
  const ValType type = abstract_ref(static_cast<uint8_t>(code & 0x7F));
  if (code < -64 || !is_ref(type) || is_defined(type)) reader.fail("malformed heap type", at);
  return nullable ? type : non_null(type);
}

/// The reference type that begins with `byte`, which is read already; not a reference, if it begins none.
inline ValType read_ref_type_from(ByteReader& reader, uint8_t byte) {
  if (byte == kNullableRefByte || byte == kNonNullRefByte) return read_heap_type(reader, byte == kNullableRefByte);
  return abstract_ref(byte);
}

inline ValType read_value_type(ByteReader& reader) {
  const uint32_t at = reader.position();
  const ValType type = read_ref_type_from(reader, reader.u8());
  if (!is_num(type) && !is_vec(type) && !is_ref(type)) reader.fail("malformed value type", at);
  return type;
}

inline ValType read_ref_type(ByteReader& reader) {
  const uint32_t at = reader.position();
  const ValType type = read_ref_type_from(reader, reader.u8());
  if (!is_ref(type)) reader.fail("malformed reference type", at);
  return type;
}

/// The storage type and mutability of a struct's field or an array's elements.
inline FieldType read_field_type(ByteReader& reader) {
  const uint32_t at = reader.position();
  FieldType field;
  field.storage = read_ref_type_from(reader, reader.u8());
  if (!is_num(field.storage) && !is_vec(field.storage) && !is_ref(field.storage) && !is_packed(field.storage)) {
    reader.fail("malformed storage type", at);
  }
  const uint32_t mutability_at = reader.position();
  const uint8_t mutability = reader.u8();
  if (mutability > 1) reader.fail("malformed mutability", mutability_at);
  field.is_mutable = mutability == 1;
  return field;
}

}  // namespace chiwawa
