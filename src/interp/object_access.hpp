// Fields of objects in the heap <-> slots.
#pragma once

#include <cstdint>
#include <cstring>

#include "interp/slot_op.hpp"

namespace chiwawa {

/// The number there, which may be at any address.
template <typename T>
inline T load_as(const uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

inline void load_field(uint64_t* slot, const uint8_t* field, FieldAccess access) {
  switch (access) {
    case FieldAccess::S8: *slot = static_cast<uint32_t>(int32_t{load_as<int8_t>(field)}); break;
    case FieldAccess::U8: *slot = *field; break;
    case FieldAccess::S16: *slot = static_cast<uint32_t>(int32_t{load_as<int16_t>(field)}); break;
    case FieldAccess::U16: *slot = load_as<uint16_t>(field); break;
    case FieldAccess::Word: *slot = load_as<uint32_t>(field); break;
    case FieldAccess::Slot: std::memcpy(slot, field, 8); break;
    case FieldAccess::Pair: std::memcpy(slot, field, 16); break;
  }
}

/// Bytes.
constexpr uint32_t size_of(FieldAccess access) {
  switch (access) {
    case FieldAccess::S8:
    case FieldAccess::U8: return 1;
    case FieldAccess::S16:
    case FieldAccess::U16: return 2;
    case FieldAccess::Word: return 4;
    case FieldAccess::Slot: return 8;
    case FieldAccess::Pair: return 16;
  }
  return 0;
}

/// The low bytes of a slot are the field, as all hosts of ours are little-endian.
inline void store_field(uint8_t* field, const uint64_t* slot, FieldAccess access) {
  switch (size_of(access)) {
    case 1: std::memcpy(field, slot, 1); break;
    case 2: std::memcpy(field, slot, 2); break;
    case 4: std::memcpy(field, slot, 4); break;
    case 8: std::memcpy(field, slot, 8); break;
    default: std::memcpy(field, slot, 16); break;
  }
}

}  // namespace chiwawa
