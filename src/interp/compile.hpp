// Validated body -> Code: the operand stack becomes slots, blocks disappear, branches are resolved.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "interp/code.hpp"
#include "interp/store.hpp"

namespace chiwawa {

/// Where the value of an entry of the operand stack is at some moment.
struct StackEntry {
  enum class Place : uint8_t {
    Home,      ///< in the slot that belongs to this height of the stack
    Local,     ///< the same as this local now has
    Constant,  ///< known while compiling
  };
  ValType type = ValType::I32;
  Place place = Place::Home;
  uint32_t home = 0;   ///< the slot that belongs to this height
  uint32_t local = 0;  ///< index
  uint64_t bits = 0;
};

/// Is told, while a function is compiled, which machine states its cells stand for. Cells are numbered from 0.
/// Unreachable instructions are not reported.
class CompileObserver {
 public:
  virtual ~CompileObserver() = default;
  /// A place where the machine may stop when polls are on: the function's entry or a loop's head. Its position is that
  /// of the instruction reported next.
  virtual void sync_point(uint32_t /*cell*/) {}
  /// Execution of the step at module offset `offset` begins at `cell`, with these operands on the stack.
  virtual void instruction(uint32_t /*offset*/, uint32_t /*cell*/, std::span<const StackEntry> /*stack*/) {}
  /// A call of a function of type `callee` returns to `cell`, and the next byte is at module offset `offset`. `stack`
  /// is without arguments; their slots begin at `first_slot`, and so do those of the results.
  virtual void return_point(uint32_t /*offset*/, uint32_t /*cell*/, std::span<const StackEntry> /*stack*/,
                            const FuncType& /*callee*/, uint32_t /*first_slot*/) {}
};

/// Compiles the function of `code` (code.function, code.instance) with the store's options and code.barriers into
/// `code`. The same input always gives the same cells. Requires a validated module.
void compile(const Store& store, Code& code);

/// Repeats the compilation of `code` and reports to `observer`; nothing changes. Returns for every cell the module
/// offset of its instruction.
std::vector<uint32_t> observe(const Store& store, const Code& code, CompileObserver& observer);

}  // namespace chiwawa
