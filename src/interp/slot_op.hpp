// SlotOp: the operations of slot_ops.def, and how they relate to instructions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "interp/opcode.hpp"
#include "interp/types.hpp"

namespace chiwawa {

/// The types of an instruction that computes or moves one value; see opcodes.def.
constexpr ValType operand_type(Opcode opcode);
constexpr ValType result_type(Opcode opcode);
constexpr ValType stored_type(Opcode opcode);

#define CHIWAWA_FUSED_NAME(first, F, second, S) first##_##F##_##second##_##S
#define CHIWAWA_FUSED_RIGHT_NAME(first, F, second, S) second##_##S##_of_##first##_##F

enum class SlotOp : uint16_t {
#define EACH_SLOT_OP(id) id,
#include "interp/slot_op_list.def"
  kCount,
};

/// How many of them this build has, from the first: forms with accumulators are for tail calls only.
inline constexpr size_t kSlotOpsHere =
    CHIWAWA_DISPATCH_TAIL ? static_cast<size_t>(SlotOp::kCount) : static_cast<size_t>(SlotOp::leave_call) + 1;

/// Whether it belongs to an instruction of rare.def.
constexpr bool is_rare(SlotOp op) {
  switch (op) {
#define RARE(id) case SlotOp::id:
#include "interp/rare.def"
    // Comparisons of floats with constants.
#define CHIWAWA_COMPARE(type) \
  case SlotOp::type##_eq_c:   \
  case SlotOp::type##_ne_c:   \
  case SlotOp::type##_lt_c:   \
  case SlotOp::type##_gt_c:   \
  case SlotOp::type##_le_c:   \
  case SlotOp::type##_ge_c:   \
  case SlotOp::type##_min_c:  \
  case SlotOp::type##_max_c:  \
  case SlotOp::type##_copysign_c:
    CHIWAWA_COMPARE(f32)
    CHIWAWA_COMPARE(f64)
#undef CHIWAWA_COMPARE
    return true;
    default: return false;
  }
}
/// For the cases of two switches that share the operations between them: the operation where it belongs, and no
/// operation at all in the other, which the compiler drops.
constexpr uint32_t case_if(bool belongs, SlotOp op) { return static_cast<uint32_t>(op) | (belongs ? 0 : 1u << 20); }

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
  bool has_lane = false;  ///< the immediate is a lane
  SlotOp slots{};         ///< all operands in slots
  ValType result{};
  std::optional<SlotOp> constant;  ///< right operand is a constant (32 bits, sign-extended)
  SlotOp far{};                    ///< loads and stores: in another memory, or with 64-bit addresses
};

/// Requires a known opcode. Instructions that are not of these shapes have Shape::None.
const SlotForms& slot_forms(Opcode opcode);

/// How a comparison becomes a branch.
struct BranchForms {
  SlotOp when_true, when_true_poll, when_false, when_false_poll;
};

/// Registers of a dispatcher that hold a number between two operations, one for each kind.
enum class Accumulator : uint8_t { None, Integer, F32, F64 };
constexpr size_t kAccumulators = 4;  ///< with None

/// What an operation has to do with accumulators (slot_ops.def: VALUE1 and so on).
struct AccumulatorForms {
  enum class Kind : uint8_t {
    Unknown,  ///< all accumulators hold anything behind it
    Effect,   ///< leaves accumulators and slots as they are
    Value,    ///< writes slot d, and the same into `result`
  } kind = Kind::Unknown;
  Accumulator result = Accumulator::None;
  Accumulator a = Accumulator::None;
  Accumulator b = Accumulator::None;
  SlotOp to_accumulator{};    ///< the same without writing slot d
  SlotOp a_in_accumulator{};  ///< the same with operand a in its accumulator
  SlotOp b_in_accumulator{};
  SlotOp in_slots{};   ///< the same with everything in slots: itself, if it is no form of another
  SlotOp with_slot{};  ///< the same, writing slot d
};
AccumulatorForms accumulator_forms(SlotOp op);

/// The branches for a comparison's value operation (id or id_c); nothing for other operations.
const BranchForms* branch_forms(SlotOp comparison);

/// The instruction that gives the same with exchanged operands.
// clang-format off
constexpr std::optional<Opcode> swapped(Opcode opcode) {
  switch (opcode) {
#define CHIWAWA_SAME(id)                          \
    case Opcode::i32_##id: return Opcode::i32_##id; \
    case Opcode::i64_##id: return Opcode::i64_##id;
    CHIWAWA_SAME(add) CHIWAWA_SAME(mul) CHIWAWA_SAME(and) CHIWAWA_SAME(or) CHIWAWA_SAME(xor)
    CHIWAWA_SAME(eq) CHIWAWA_SAME(ne)
#undef CHIWAWA_SAME
#define CHIWAWA_PAIR(a, b)                        \
    case Opcode::i32_##a: return Opcode::i32_##b; \
    case Opcode::i64_##a: return Opcode::i64_##b; \
    case Opcode::i32_##b: return Opcode::i32_##a; \
    case Opcode::i64_##b: return Opcode::i64_##a;
    CHIWAWA_PAIR(lt_s, gt_s) CHIWAWA_PAIR(lt_u, gt_u) CHIWAWA_PAIR(le_s, ge_s) CHIWAWA_PAIR(le_u, ge_u)
#undef CHIWAWA_PAIR
    default: return std::nullopt;
  }
}
// clang-format on

constexpr ValType operand_type(Opcode opcode) {
  switch (opcode) {
#define NUMERIC1(code, id, text, operand, result) \
  case Opcode::id: return ValType::operand;
#define NUMERIC2(code, id, text, operand, result) \
  case Opcode::id: return ValType::operand;
#include "interp/opcodes.def"
    default: return {};
  }
}
constexpr ValType result_type(Opcode opcode) {
  switch (opcode) {
#define NUMERIC1(code, id, text, operand, result) \
  case Opcode::id: return ValType::result;
#define NUMERIC2(code, id, text, operand, result) \
  case Opcode::id: return ValType::result;
#define LOAD(code, id, text, type, storage) \
  case Opcode::id: return ValType::type;
#include "interp/opcodes.def"
    default: return {};
  }
}
constexpr ValType stored_type(Opcode opcode) {
  switch (opcode) {
#define STORE(code, id, text, type, storage) \
  case Opcode::id: return ValType::type;
#include "interp/opcodes.def"
    default: return {};
  }
}

}  // namespace chiwawa
