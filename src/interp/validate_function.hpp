// Validation of function bodies; a part of validate(), which see.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "interp/instr_reader.hpp"
#include "interp/local_types.hpp"
#include "interp/module.hpp"
#include "interp/result.hpp"
#include "interp/single_types.hpp"

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
  /// Whether the expression gives one value of the type. That its instructions are constant is for the caller to see.
  Result<void> check_constant(ConstExpr expr, ValType type);

 private:
  /// A list of types that lives in the module or in `singles_`.
  using Types = std::span<const ValType>;

  enum class Part : uint8_t {
    Block,     ///< also the function, an `else` and a try_table
    Loop,      ///< branches go to its begin
    If,        ///< before its `else`
    Try,       ///< before the first `catch`
    Catch,     ///< behind a `catch`
    CatchAll,  ///< behind the `catch_all`
  };

  /// An open block. Small, because two bytes of code can open one.
  struct Control {
    BlockType type;
    uint32_t checked = 0;  ///< offset of the last br_table that compared this block's label
    uint16_t height = 0;   ///< of the operand stack at its begin, below its parameters
    Part part = Part::Block;
    bool unreachable = false;  ///< the end of it, as far as it was read
    uint32_t initialized = 0;  ///< how many locals of `initialized_order_` had a value at its begin
  };
  static_assert(kMaxFrameSlots <= UINT16_MAX);

  /// A value popped in unreachable code, of which nothing is known: it fits everywhere.
  static constexpr ValType kUnknown{};

  /// Checks `code` with the locals of `type` and `body`.
  bool expression(const FuncType& type, const FunctionBody& body, BlockType block_type);
  bool instruction();
  bool block();
  /// Ends a block, or a part of it that another follows.
  bool end_part(Control& done);
  bool else_();
  bool end();
  bool catch_clause(Types operands);
  bool delegate();
  bool try_table();
  bool br(uint32_t label);
  bool br_if(uint32_t label);
  bool br_table();
  bool call(const FuncType& type);
  bool tail_call(const FuncType& type);
  /// The immediates and the operand that choose the callee of an indirect call.
  bool indirect_callee();
  bool select();
  /// Branches with the topmost operand as `taken`, goes on with it as `passed`, where it was `operand`.
  bool branch_with_ref(ValType operand, ValType taken, ValType passed);
  bool br_on_null();
  bool br_on_non_null();
  bool cast_branch();
  bool local_get();
  bool local_set();
  bool convert(ValType from, ValType to);
  bool aggregate();
  bool struct_field(bool is_set);
  /// Requires array_type(). What the instruction needs besides.
  bool array_data();
  bool array_elem();
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
  bool tag(uint32_t index);
  bool type(uint32_t index, TypeDef::Kind kind);
  /// Whether the type that it refers to exists.
  bool value_type(ValType type);

  void push(ValType type) { stack_[height_++] = type; }
  void push(Types types);
  /// Any type; kUnknown in unreachable code below the block's own operands.
  bool pop_any(ValType& actual);
  bool pop(ValType expected);
  /// Any reference.
  bool pop_ref(ValType& actual);
  bool pop(Types expected);
  /// Compares without popping.
  bool top_is(Types expected);
  void enter(Part part, BlockType type, Types operands);
  void set_unreachable();
  /// Requires label(index).
  Control& target(uint32_t index) { return controls_[controls_.size() - 1 - index]; }
  /// The operands that a branch to the block takes along.
  Types label_types(const Control& control);
  Types params(BlockType type) const;
  Types results(BlockType type);

  bool refuse(std::string cause);
  bool too_large();
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
  /// Locals of types without a default that have a value by now, also in the order in which they got it.
  std::unordered_set<uint32_t> initialized_;
  std::vector<uint32_t> initialized_order_;
  SingleTypes singles_;
  const FuncType* type_ = nullptr;  ///< of the function
};

}  // namespace chiwawa
