// Validation of function bodies; a part of validate(), which see.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "interp/instr_reader.hpp"
#include "interp/local_types.hpp"
#include "interp/module.hpp"
#include "interp/result.hpp"

namespace chiwawa {

/// The algorithm of the specification's appendix: one pass, a stack of operand types and a stack of open blocks.
/// https://webassembly.github.io/spec/core/appendix/algorithm.html
/// One object checks all functions of a module in turn and keeps the memory of its stacks.
class FunctionValidator {
 public:
  /// Requires a module whose index spaces, types and tables are valid. `declared[i]` says whether ref.func may name
  /// function i. Both must outlive the object.
  FunctionValidator(const Module& module, const std::vector<bool>& declared);

  /// Requires a function that is not imported.
  Result<void> check(uint32_t function_index);

 private:
  /// A list of types that lives in the module or in static storage.
  struct Types {
    const ValType* data = nullptr;
    uint32_t size = 0;
  };

  /// An open block. Small, because two bytes of code can open one.
  struct Control {
    BlockType type;
    uint32_t checked = 0;      ///< offset of the last br_table that compared this block's label
    uint16_t height = 0;       ///< of the operand stack at its begin, below its parameters
    bool is_loop = false;      ///< branches go to its begin
    bool lacks_else = false;   ///< an `if` before its `else`
    bool unreachable = false;  ///< the end of it, as far as it was read
  };
  static_assert(kMaxFrameSlots <= UINT16_MAX);

  bool body(BlockType type);
  bool instruction();
  bool block();
  bool else_or_end();
  bool br(uint32_t label);
  bool br_if(uint32_t label);
  bool br_table();
  bool call(const FuncType& type);
  bool tail_call(const FuncType& type);
  /// The immediates and the operand that choose the callee of an indirect call.
  bool indirect_callee();
  bool select();
  bool memory_access(ValType type, uint32_t natural_align, bool is_store);
  /// A memory access with that alignment and no other. Pops `values`, last first, and the address.
  bool atomic_access(uint32_t natural_align, std::initializer_list<ValType> values);
  bool table_init();
  bool table_copy();

  // Whether the index exists; otherwise an error.
  bool lane(uint8_t count);
  bool label(uint32_t index);
  bool local(uint32_t index);
  bool function(uint32_t index);
  bool table(uint32_t index);
  bool memory(uint32_t index);
  bool global(uint32_t index);
  bool elem(uint32_t index);
  bool data_count();
  bool data(uint32_t index);
  bool type(uint32_t index);

  void push(ValType type) { stack_[height_++] = type; }
  void push(Types types);
  /// Any type; kUnknown in unreachable code below the block's own operands.
  bool pop_any(ValType& actual);
  bool pop(ValType expected);
  bool pop(Types expected);
  /// Compares without popping.
  bool top_is(Types expected);
  void enter(Opcode opcode, BlockType type);
  void set_unreachable();
  /// Requires label(index).
  Control& target(uint32_t index) { return controls_[controls_.size() - 1 - index]; }
  /// The operands that a branch to the block takes along.
  Types label_types(const Control& control) const;
  Types params(BlockType type) const;
  Types results(BlockType type) const;
  static Types of(const std::vector<ValType>& types);
  static bool same(Types a, Types b);

  bool refuse(std::string cause);
  bool mismatch(ValType expected, ValType actual);
  bool underflow(ValType expected);

  const Module& module_;
  const std::vector<bool>& declared_;

  InstrReader reader_;
  Instr instr_;
  Error error_;

  // Neither stack is allocated anew for a function. `stack_` has room for what one instruction can push beyond the
  // limit, which is compared once after each.
  std::vector<ValType> stack_;
  uint32_t height_ = 0;
  uint32_t max_height_ = 0;
  uint32_t base_ = 0;         ///< height of the innermost block
  bool unreachable_ = false;  ///< of the innermost block
  std::vector<Control> controls_;

  LocalTypes locals_;
  const FunctionBody* body_ = nullptr;
  const FuncType* type_ = nullptr;
};

}  // namespace chiwawa
