// Reads one instruction after the other from a module's bytes; used by the validator and by the compiler.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "interp/module.hpp"
#include "interp/opcode.hpp"
#include "interp/result.hpp"
#include "interp/v128.hpp"

namespace chiwawa {

/// Empty, one value type, or an index of a function type.
struct BlockType {
  enum class Kind : uint8_t { Empty, Value, TypeIndex } kind = Kind::Empty;
  ValType value = ValType::I32;
  uint32_t type_index = 0;
};

/// One instruction with its immediates; which members mean something depends on immediates(opcode).
struct Instr {
  Opcode opcode{};
  uint32_t offset = 0;  ///< of its first byte in the module
  uint32_t end = 0;     ///< of the byte after it: where the next instruction begins

  uint32_t index = 0;   ///< label, function, local, global, table, memory, tag, type, segment; type of call_indirect;
                        ///< destination of a copy; number of labels before the default of br_table, or of catch clauses
  uint32_t index2 = 0;  ///< table of call_indirect and table.init, memory of memory.init, source of a copy; field,
                        ///< number of operands or segment of an instruction on structs or arrays
  BlockType block;
  ValType ref_type{};   ///< ref.null; type of a typed select (exactly one is allowed); of a cast: what it casts to
  ValType cast_from{};  ///< br_on_cast, br_on_cast_fail
  uint32_t select_count = 0;  ///< number of types of a typed select
  uint32_t align = 0;         ///< exponent of two
  uint64_t mem_offset = 0;
  uint64_t bits = 0;  ///< constants, zero-extended bit pattern
  V128 vector;        ///< v128.const; the lane indices of a shuffle
  uint8_t lane = 0;
  uint32_t labels_begin = 0;  ///< br_table: module offset of the first of index + 1 labels; try_table: of the clauses
};

/// What a try_table does with exceptions of one tag, or all.
struct CatchClause {
  bool any_tag = false;   ///< catch_all, catch_all_ref
  bool with_ref = false;  ///< catch_ref, catch_all_ref
  uint32_t tag_index = 0;
  uint32_t label = 0;
};

/// A cursor over the instructions in a range of a module's bytes. Reading never goes beyond the range.
class InstrReader {
 public:
  InstrReader(std::span<const uint8_t> module_bytes, ByteRange range);

  /// Module offset of the next instruction.
  uint32_t position() const { return position_; }
  bool at_end() const { return position_ >= end_; }
  /// The next instruction, or a decode error (unknown opcode, malformed or missing immediates). After an error the
  /// position is undefined. Labels of br_table are read over and checked.
  Result<Instr> next();
  /// The same without the cost of a Result: false and `error` set, or true and `instr` set, of which only the members
  /// that mean something for this opcode are written.
  bool read(Instr& instr, Error& error);

  /// The labels of a br_table that next() returned, the default label last: calls f(label index) for each.
  template <typename F>
  void for_each_label(const Instr& br_table, F f) const {
    uint32_t at = br_table.labels_begin;
    for (uint64_t i = 0; i <= br_table.index; ++i) f(read_label(at));
  }
  /// The clauses of a try_table that next() returned: calls f(const CatchClause&) for each.
  template <typename F>
  void for_each_catch(const Instr& try_table, F f) const {
    uint32_t at = try_table.labels_begin;
    for (uint32_t i = 0; i < try_table.index; ++i) f(read_catch(at));
  }

 private:
  uint32_t read_label(uint32_t& at) const;
  CatchClause read_catch(uint32_t& at) const;

  std::span<const uint8_t> bytes_;
  uint32_t position_;
  uint32_t end_;
};

}  // namespace chiwawa
