// Opcode: the instructions of opcodes.def as an enumeration, and what each looks like in the binary.
#pragma once

#include <cstdint>
#include <string_view>

namespace chiwawa {

/// What follows an instruction's code. https://webassembly.github.io/spec/core/binary/instructions.html
enum class Immediates : uint8_t {
  None,
  BlockType,
  LabelIndex,
  LabelTable,
  FuncIndex,
  CallIndirect,  ///< type index, table index
  RefType,       ///< heap type of a null reference
  CastType,      ///< heap type; the opcode says whether null belongs to the type
  CastBranch,    ///< flags, label, heap types before and after
  TypeIndex,
  TypeField,  ///< type index, field index
  TypeCount,  ///< type index, number of operands
  TypeData,   ///< type index, data segment index
  TypeElem,   ///< type index, element segment index
  TypeType,   ///< destination type index, source type index
  TagIndex,
  TryTable,  ///< block type, catch clauses
  SelectTypes,
  LocalIndex,
  GlobalIndex,
  TableIndex,
  TableInit,  ///< element segment index, table index
  ElemIndex,
  TableCopy,  ///< destination table, source table
  MemArg,     ///< alignment exponent, offset
  MemoryIndex,
  MemoryInit,  ///< data segment index, memory index
  DataIndex,
  MemoryCopy,  ///< destination memory, source memory
  I32Const,
  I64Const,
  F32Const,
  F64Const,
  V128Const,
  Shuffle,     ///< sixteen lane indices
  Lane,        ///< lane index
  MemArgLane,  ///< alignment exponent, offset, lane index
  Reserved,    ///< a byte that is zero
};

/// The value is the byte in the binary, or prefix << 12 | number for an instruction behind a prefix byte.
enum class Opcode : uint32_t {
#define OPCODE(code, id, text, immediates) id = code,
#include "interp/opcodes.def"
};

/// Tables by opcode are dense: one row for each byte, then some for each prefix. Codes that no table has room for get
/// the row kOpcodeRows.
constexpr uint32_t kOpcodeRows = 256 + 32 + 32 + 288 + 80;
constexpr uint32_t row_of(uint32_t code) {
  struct Prefix {
    uint32_t byte, first_row, rows;
  };
  constexpr Prefix kPrefixes[] = {
      {0xFB, 256, 32}, {0xFC, 256 + 32, 32}, {0xFD, 256 + 64, 288}, {0xFE, 256 + 64 + 288, 80}};
  if (code < 0x100) return code;
  for (const Prefix& prefix : kPrefixes) {
    if (code >> 12 == prefix.byte && (code & 0xFFF) < prefix.rows) return prefix.first_row + (code & 0xFFF);
  }
  return kOpcodeRows;
}
constexpr uint32_t row_of(Opcode opcode) { return row_of(static_cast<uint32_t>(opcode)); }

/// Whether the list has this code.
bool is_known(uint32_t code);
/// Requires a known opcode, as the following.
std::string_view name(Opcode opcode);
Immediates immediates(Opcode opcode);

/// Whether an `end`, or a `delegate`, belongs to it.
constexpr bool opens_block(Opcode op) {
  return op == Opcode::block || op == Opcode::loop || op == Opcode::if_ || op == Opcode::try_ ||
         op == Opcode::try_table;
}
constexpr bool closes_block(Opcode op) { return op == Opcode::end || op == Opcode::delegate; }

/// Whether executing it counts as a step (schema/FORMAT.md): all instructions but those that only mark structure.
constexpr bool is_step(Opcode op) {
  switch (op) {
    case Opcode::block:
    case Opcode::loop:
    case Opcode::else_:
    case Opcode::end:
    case Opcode::try_:
    case Opcode::try_table:
    case Opcode::catch_:
    case Opcode::catch_all:
    case Opcode::delegate: return false;
    default: return true;
  }
}

constexpr bool is_atomic_wait(Opcode op) {
  return op == Opcode::memory_atomic_wait32 || op == Opcode::memory_atomic_wait64;
}

}  // namespace chiwawa
