// The vocabulary of the WebAssembly specification: value types, function types, limits, values, addresses.
// https://webassembly.github.io/spec/core/syntax/types.html
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chiwawa {

/// Value types. Those without a type index are the numbers of the binary format, where a bare reference type is the
/// nullable one. A reference to a defined type has its index in the upper 24 bits: of a module's types, or, in the
/// store, of the store's (type_space.hpp).
enum class ValType : uint32_t {
  I32 = 0x7F,
  I64 = 0x7E,
  F32 = 0x7D,
  F64 = 0x7C,
  V128 = 0x7B,
  I8 = 0x78,   ///< only the storage of a field
  I16 = 0x77,  ///< only the storage of a field
  NoExnRef = 0x74,
  NoFuncRef = 0x73,
  NoExternRef = 0x72,
  NoneRef = 0x71,
  FuncRef = 0x70,
  ExternRef = 0x6F,
  AnyRef = 0x6E,
  EqRef = 0x6D,
  I31Ref = 0x6C,
  StructRef = 0x6B,
  ArrayRef = 0x6A,
  ExnRef = 0x69,
};

constexpr uint32_t kValTypeCode = 0x7F;
constexpr uint32_t kNonNull = 0x80;
constexpr uint32_t kDefinedCode = 0x63;
/// No module defines so many types; a larger index is unknown everywhere.
constexpr uint32_t kMaxTypes = 1'000'000;
constexpr uint32_t kUnknownTypeIndex = 0xFF'FFFF;

constexpr uint32_t code_of(ValType t) { return static_cast<uint32_t>(t) & kValTypeCode; }

/// (ref null? type_index); an index beyond kUnknownTypeIndex becomes that.
constexpr ValType defined_ref(uint32_t type_index, bool nullable) {
  const uint32_t index = type_index < kUnknownTypeIndex ? type_index : kUnknownTypeIndex;
  return static_cast<ValType>(index << 8 | (nullable ? 0 : kNonNull) | kDefinedCode);
}

/// The operand of unreachable code that must be some reference: a non-null one that matches every reference type.
constexpr ValType kBottomRef = static_cast<ValType>(kNonNull | 0x64);

constexpr bool is_defined(ValType t) { return code_of(t) == kDefinedCode; }
constexpr uint32_t type_index(ValType t) { return static_cast<uint32_t>(t) >> 8; }
constexpr bool is_ref(ValType t) {
  return (code_of(t) >= 0x69 && code_of(t) <= 0x74) || is_defined(t) || t == kBottomRef;
}
constexpr bool is_num(ValType t) { return t >= ValType::F64 && t <= ValType::I32; }
constexpr bool is_vec(ValType t) { return t == ValType::V128; }
constexpr bool is_packed(ValType t) { return t == ValType::I8 || t == ValType::I16; }
constexpr bool is_nullable(ValType t) { return (static_cast<uint32_t>(t) & kNonNull) == 0; }
constexpr ValType nullable(ValType t) { return static_cast<ValType>(static_cast<uint32_t>(t) & ~kNonNull); }
constexpr ValType non_null(ValType t) { return static_cast<ValType>(static_cast<uint32_t>(t) | kNonNull); }
/// Whether a local of the type begins with a value: all but references that are not nullable do.
constexpr bool is_defaultable(ValType t) { return !is_ref(t) || is_nullable(t); }
/// The type of an operand that is kept in a field of that storage type.
constexpr ValType unpacked(ValType storage) { return is_packed(storage) ? ValType::I32 : storage; }

/// The text format's name: "i32", "funcref", "(ref null 3)", …
std::string name(ValType t);

/// How many 64-bit slots of a frame a value takes: a vector has two, its low half first.
constexpr uint32_t slots_of(ValType t) { return t == ValType::V128 ? 2 : 1; }

constexpr uint32_t slots_of(std::span<const ValType> types) {
  uint32_t count = 0;
  for (const ValType type : types) count += slots_of(type);
  return count;
}

/// References are 64-bit numbers in slots, tables, globals and objects, never pointers: 0 is null. A reference to a
/// function is its address plus one. All others say in their two highest bits what they are: a number chosen by the
/// host, plus one; an i31; or an object or exception in the heap, by its address there (heap.hpp).
constexpr uint64_t kNullRef = 0;
constexpr uint64_t kRefKind = uint64_t{3} << 62;
constexpr uint64_t kHostRef = 0;
constexpr uint64_t kI31RefBit = uint64_t{1} << 62;
constexpr uint64_t kHeapRefBit = uint64_t{2} << 62;

constexpr bool is_heap_ref(uint64_t ref) { return (ref & kRefKind) == kHeapRefBit; }
constexpr uint64_t i31_ref(uint32_t value) { return kI31RefBit | (value & 0x7FFF'FFFF); }
/// The signed number in an i31.
constexpr int32_t i31_value(uint64_t ref) { return static_cast<int32_t>(static_cast<uint32_t>(ref) << 1) >> 1; }
constexpr bool is_i31_ref(uint64_t ref) { return (ref & kRefKind) == kI31RefBit; }

/// A typed value. `bits` is the value zero-extended (i32, f32: the low 32 bits), a reference as above, or the low half
/// of a vector.
struct Value {
  ValType type = ValType::I32;
  uint64_t bits = 0;
  uint64_t high = 0;  ///< a vector's high half, otherwise 0
  bool operator==(const Value&) const = default;
};

/// "[i32 i64] -> [f32]" is printed by name(FuncType).
struct FuncType {
  std::vector<ValType> params;
  std::vector<ValType> results;
  bool operator==(const FuncType&) const = default;
};

std::string name(const FuncType& type);

/// A field of a struct, or all elements of an array.
struct FieldType {
  ValType storage = ValType::I32;  ///< a value type, or I8 or I16
  bool is_mutable = false;
  bool operator==(const FieldType&) const = default;
};

/// A defined type: what a sub type in a rec group declares.
/// https://webassembly.github.io/spec/core/syntax/types.html#composite-types
struct TypeDef {
  enum class Kind : uint8_t { Func, Struct, Array };
  Kind kind = Kind::Func;
  bool is_final = true;
  bool is_sub_or_rec = false;     ///< written so, though it may mean no more than the short form
  uint32_t offset = 0;            ///< in the module, for messages
  std::vector<uint32_t> supers;   ///< type indices; valid types have at most one
  FuncType func;                  ///< Func
  std::vector<FieldType> fields;  ///< Struct; an Array has exactly one
  uint32_t group_begin = 0;       ///< the rec group: type indices [group_begin, group_end)
  uint32_t group_end = 0;
};

/// What an exception carries: the parameters of its type, which has no results.
struct TagType {
  uint32_t type_index = 0;
};

/// Sizes of memories are in pages, of tables in elements.
struct Limits {
  uint64_t min = 0;
  std::optional<uint64_t> max;
  bool operator==(const Limits&) const = default;
};

/// Bytes in a memory page, unless the memory's type says something else.
constexpr uint64_t kPageSize = 65536;
constexpr uint8_t kPageSizeExponent = 16;

struct TableType {
  ValType element = ValType::FuncRef;
  Limits limits;
  ValType address = ValType::I32;  ///< of its elements' indices: I32 or I64
  bool operator==(const TableType&) const = default;
};

struct MemoryType {
  Limits limits;
  ValType address = ValType::I32;             ///< I32 or I64
  uint8_t page_exponent = kPageSizeExponent;  ///< a page has 2^this bytes; valid are 0 and 16
  bool is_shared = false;
  bool operator==(const MemoryType&) const = default;
};

struct GlobalType {
  ValType type = ValType::I32;
  bool is_mutable = false;
  bool operator==(const GlobalType&) const = default;
};

/// The kinds of imports and exports; the numbers are those of the binary format.
enum class ExternKind : uint8_t { Func = 0, Table = 1, Memory = 2, Global = 3, Tag = 4 };

constexpr std::string_view name(ExternKind kind) {
  switch (kind) {
    case ExternKind::Func: return "function";
    case ExternKind::Table: return "table";
    case ExternKind::Memory: return "memory";
    case ExternKind::Global: return "global";
    case ExternKind::Tag: return "tag";
  }
  return "?";
}

/// The address type of a count that both kinds of addresses must be able to hold.
constexpr ValType smaller_address(ValType a, ValType b) { return a == ValType::I64 ? b : a; }

/// Whether [begin, begin + count) lies within [0, size).
constexpr bool within(uint64_t begin, uint64_t count, uint64_t size) { return count <= size && begin <= size - count; }

/// Positions in the store's lists. Different types, so that they cannot be mixed; *indices* into one module's
/// index spaces are plain uint32_t with a name that says which space.
enum class FuncAddr : uint32_t {};
enum class TableAddr : uint32_t {};
enum class MemAddr : uint32_t {};
enum class GlobalAddr : uint32_t {};
enum class TagAddr : uint32_t {};
enum class ElemAddr : uint32_t {};
enum class DataAddr : uint32_t {};

template <typename Addr>
  requires std::is_enum_v<Addr>
constexpr uint32_t raw(Addr addr) {
  return static_cast<uint32_t>(addr);
}

constexpr uint64_t ref_of(FuncAddr addr) { return uint64_t{raw(addr)} + 1; }

/// The largest size that the type of a memory can name, in its pages: what its addresses reach, and what they can
/// count. https://github.com/WebAssembly/custom-page-sizes
constexpr uint64_t max_declared_pages(const MemoryType& type) {
  const uint64_t most = type.address == ValType::I64 ? UINT64_MAX : UINT32_MAX;
  return type.page_exponent == 0 ? most : (most >> type.page_exponent) + 1;
}
/// Whether they differ in their limits at most.
constexpr bool same_kind(const MemoryType& a, const MemoryType& b) {
  return a.address == b.address && a.page_exponent == b.page_exponent && a.is_shared == b.is_shared;
}
/// Memories never grow beyond this many bytes, whatever their addresses reach: 128 TiB.
constexpr uint64_t kMostMemory = uint64_t{1} << 47;
/// A module has no more memories and tables than this; cells number them with 16 bits.
constexpr uint32_t kMaxMemories = 1000;
constexpr uint32_t kMaxTables = 50'000;

/// The largest size that a memory of the type can have, in its pages.
constexpr uint64_t max_pages(const MemoryType& type) {
  return std::min(max_declared_pages(type), kMostMemory >> type.page_exponent);
}
/// More elements than this in a table are refused by table.grow and at instantiation (80 MB of references).
constexpr uint64_t kMaxTableElements = 10'000'000;
/// A frame (locals and operands together) holds at most this many slots, where every operand counts as two; cells
/// address slots with 16 bits.
constexpr uint32_t kMaxFrameSlots = 65535;
/// A function's instructions take at most this many bytes, as in browsers: branches in slot code say in 32 bits how far
/// they go.
constexpr uint32_t kMaxFunctionBytes = 7'654'321;

}  // namespace chiwawa
