// SlotOp: the operations of slot_ops.def, and how they relate to instructions.
#pragma once

#include <cstdint>
#include <optional>

#include "interp/opcode.hpp"
#include "interp/types.hpp"

namespace chiwawa {

enum class SlotOp : uint32_t {
#define SLOT_OP(id) id,
#include "interp/slot_ops.def"
  kCount,
};

/// How a field of an object is read into a slot and written from one.
enum class FieldAccess : uint16_t { S8, U8, S16, U16, Word, Slot, Pair };

/// How an instruction that computes one value from operands looks in slot code.
struct SlotForms {
  enum class Shape : uint8_t {
    None,
    Unary,
    Binary,
    Ternary,
    Load,
    Store,
    LoadLane,
    StoreLane,
    Wide2,  ///< two results
    Wide4,  ///< of four operands
    AtomicLoad,
    AtomicStore,
    AtomicRmw,      ///< an address and a value in, a value out
    AtomicCmpxchg,  ///< an address and two values in, a value out
  } shape = Shape::None;
  ValType result{};
  SlotOp slots{};                  ///< all operands in slots
  std::optional<SlotOp> constant;  ///< right operand is a constant (32 bits, sign-extended)
  std::optional<Opcode> swapped;   ///< the instruction that gives the same with exchanged operands
  bool has_lane = false;           ///< the immediate is a lane
  SlotOp far{};                    ///< loads and stores: in another memory, or with 64-bit addresses
};

/// Requires a known opcode. Instructions that are not of these shapes have Shape::None.
const SlotForms& slot_forms(Opcode opcode);

/// How a comparison becomes a branch.
struct BranchForms {
  SlotOp when_true, when_true_poll, when_false, when_false_poll;
};

/// The branches for a comparison's value operation (id or id_c); nothing for other operations.
const BranchForms* branch_forms(SlotOp comparison);

}  // namespace chiwawa
