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

/// Value types; the numbers are those of the binary format.
enum class ValType : uint8_t {
  I32 = 0x7F,
  I64 = 0x7E,
  F32 = 0x7D,
  F64 = 0x7C,
  V128 = 0x7B,
  FuncRef = 0x70,
  ExternRef = 0x6F,
};

constexpr bool is_ref(ValType t) { return t == ValType::FuncRef || t == ValType::ExternRef; }
constexpr bool is_num(ValType t) { return t >= ValType::F64 && t <= ValType::I32; }
constexpr bool is_vec(ValType t) { return t == ValType::V128; }

/// The text format's name: "i32", "funcref", …
constexpr std::string_view name(ValType t) {
  switch (t) {
    case ValType::I32: return "i32";
    case ValType::I64: return "i64";
    case ValType::F32: return "f32";
    case ValType::F64: return "f64";
    case ValType::V128: return "v128";
    case ValType::FuncRef: return "funcref";
    case ValType::ExternRef: return "externref";
  }
  return "?";
}

/// How many 64-bit slots of a frame a value takes: a vector has two, its low half first.
constexpr uint32_t slots_of(ValType t) { return t == ValType::V128 ? 2 : 1; }

constexpr uint32_t slots_of(std::span<const ValType> types) {
  uint32_t count = 0;
  for (const ValType type : types) count += slots_of(type);
  return count;
}

/// References are 64-bit numbers in slots, tables and globals: 0 is null; otherwise a function address plus one
/// (funcref) or a number chosen by the host plus one (externref). Never a pointer.
constexpr uint64_t kNullRef = 0;

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

/// The four kinds of imports and exports; the numbers are those of the binary format.
enum class ExternKind : uint8_t { Func = 0, Table = 1, Memory = 2, Global = 3 };

constexpr std::string_view name(ExternKind kind) {
  switch (kind) {
    case ExternKind::Func: return "function";
    case ExternKind::Table: return "table";
    case ExternKind::Memory: return "memory";
    case ExternKind::Global: return "global";
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

}  // namespace chiwawa
