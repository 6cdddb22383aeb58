#include "interp/slot_op.hpp"

#include <array>

namespace chiwawa {

namespace {

using Shape = SlotForms::Shape;

constexpr std::array<SlotForms, kOpcodeRows> make_forms() {
  std::array<SlotForms, kOpcodeRows> forms{};
  const auto set = [&forms](Opcode opcode, Shape shape, ValType result, SlotOp slots, std::optional<SlotOp> constant) {
    forms[row_of(opcode)] = {shape, false, slots, result, constant, {}};
  };
#define NUMERIC1(code, id, text, operand, result) \
  set(Opcode::id, Shape::Unary, ValType::result, SlotOp::id, std::nullopt);
#define NUMERIC1_TRAPS(code, id, text, operand, result) NUMERIC1(code, id, text, operand, result)
#define NUMERIC2(code, id, text, operand, result) \
  set(Opcode::id, Shape::Binary, ValType::result, SlotOp::id, SlotOp::id##_c);
#define NUMERIC2_TRAPS(code, id, text, operand, result) NUMERIC2(code, id, text, operand, result)
#define WIDE2(code, id, text) set(Opcode::id, Shape::Wide2, ValType::I64, SlotOp::id, std::nullopt);
#define WIDE4(code, id, text) set(Opcode::id, Shape::Wide4, ValType::I64, SlotOp::id, std::nullopt);
#define CHIWAWA_ATOMIC(id, shape, type) set(Opcode::id, Shape::shape, ValType::type, SlotOp::id, std::nullopt);
#define ATOMIC_LOAD(code, id, text, type, storage) CHIWAWA_ATOMIC(id, AtomicLoad, type)
#define ATOMIC_STORE(code, id, text, type, storage) CHIWAWA_ATOMIC(id, AtomicStore, type)
#define ATOMIC_RMW(code, id, text, type, storage, operation) CHIWAWA_ATOMIC(id, AtomicRmw, type)
#define ATOMIC_CMPXCHG(code, id, text, type, storage) CHIWAWA_ATOMIC(id, AtomicCmpxchg, type)
#define CHIWAWA_MEMORY(id, shape, type)                                   \
  set(Opcode::id, Shape::shape, ValType::type, SlotOp::id, std::nullopt); \
  forms[row_of(Opcode::id)].far = SlotOp::id##_far;
#define LOAD(code, id, text, type, storage) CHIWAWA_MEMORY(id, Load, type)
#define STORE(code, id, text, type, storage) CHIWAWA_MEMORY(id, Store, type)
#define CHIWAWA_VECTOR(id, shape, result) set(Opcode::id, Shape::shape, ValType::result, SlotOp::id, std::nullopt);
#define SIMD1(code, id, text) CHIWAWA_VECTOR(id, Unary, V128)
#define SIMD2(code, id, text) CHIWAWA_VECTOR(id, Binary, V128)
#define SIMD3(code, id, text) CHIWAWA_VECTOR(id, Ternary, V128)
#define SIMD_SHIFT(code, id, text) CHIWAWA_VECTOR(id, Binary, V128)
#define SIMD_TEST(code, id, text) CHIWAWA_VECTOR(id, Unary, I32)
#define SIMD_SPLAT(code, id, text, type) CHIWAWA_VECTOR(id, Unary, V128)
#define SIMD_EXTRACT(code, id, text, type, lanes) \
  CHIWAWA_VECTOR(id, Unary, type)                 \
  forms[row_of(Opcode::id)].has_lane = true;
#define SIMD_REPLACE(code, id, text, type, lanes) \
  CHIWAWA_VECTOR(id, Binary, V128)                \
  forms[row_of(Opcode::id)].has_lane = true;
#define SIMD_LOAD(code, id, text, bytes) CHIWAWA_MEMORY(id, Load, V128)
#define SIMD_STORE(code, id, text, bytes) CHIWAWA_MEMORY(id, Store, V128)
#define SIMD_LOAD_LANE(code, id, text, bytes, lanes) CHIWAWA_MEMORY(id, LoadLane, V128)
#define SIMD_STORE_LANE(code, id, text, bytes, lanes) CHIWAWA_MEMORY(id, StoreLane, V128)
#include "interp/opcodes.def"
#undef CHIWAWA_MEMORY
#undef CHIWAWA_ATOMIC
#undef CHIWAWA_VECTOR
  return forms;
}

constexpr std::array<SlotForms, kOpcodeRows> kForms = make_forms();

constexpr Accumulator accumulator_of(ValType type) {
  switch (type) {
    case ValType::I32:
    case ValType::I64: return Accumulator::Integer;
    case ValType::F32: return Accumulator::F32;
    case ValType::F64: return Accumulator::F64;
    default: return Accumulator::None;
  }
}

using AccumulatorTable = std::array<AccumulatorForms, static_cast<size_t>(SlotOp::kCount)>;

constexpr AccumulatorTable make_accumulator_forms() {
  AccumulatorTable forms{};
  const auto at = [&forms](SlotOp op) -> AccumulatorForms& { return forms[static_cast<size_t>(op)]; };
  for (uint32_t op = 0; op < static_cast<uint32_t>(SlotOp::kCount); ++op) {
    const auto self = static_cast<SlotOp>(op);
    forms[op].to_accumulator = forms[op].a_in_accumulator = forms[op].b_in_accumulator = self;
    forms[op].in_slots = forms[op].with_slot = self;
  }
  using Kind = AccumulatorForms::Kind;
  // `form` is another form of `op`, `only` the same without writing the slot.
  const auto value = [&](SlotOp op, SlotOp form, SlotOp only, ValType r) {
    at(form).kind = at(only).kind = Kind::Value;
    at(form).result = at(only).result = accumulator_of(r);
    at(form).to_accumulator = only;
    at(only).with_slot = form;
    at(form).in_slots = at(only).in_slots = op;
  };
  const auto effect = [&](SlotOp op, SlotOp form) {
    at(form).kind = Kind::Effect;
    at(form).in_slots = op;
  };
  const auto operand_a = [&](SlotOp op, SlotOp form, ValType type) {
    at(op).a = accumulator_of(type);
    at(op).a_in_accumulator = form;
  };
  const auto operand_b = [&](SlotOp op, SlotOp form, ValType type) {
    at(op).b = accumulator_of(type);
    at(op).b_in_accumulator = form;
  };
#define SLOT_OP(id)
#define VALUE0(id, r) value(SlotOp::id, SlotOp::id, SlotOp::id##_r, r);
#define VALUE1(id, a, r)                                  \
  VALUE0(id, r)                                           \
  value(SlotOp::id, SlotOp::id##_a, SlotOp::id##_a_r, r); \
  operand_a(SlotOp::id, SlotOp::id##_a, a);
#define VALUE2(id, a, b, r)                               \
  VALUE1(id, a, r)                                        \
  value(SlotOp::id, SlotOp::id##_b, SlotOp::id##_b_r, r); \
  operand_b(SlotOp::id, SlotOp::id##_b, b);
#define EFFECT1(id, a)                \
  effect(SlotOp::id, SlotOp::id);     \
  effect(SlotOp::id, SlotOp::id##_a); \
  operand_a(SlotOp::id, SlotOp::id##_a, a);
#define EFFECT2(id, a, b)             \
  EFFECT1(id, a)                      \
  effect(SlotOp::id, SlotOp::id##_b); \
  operand_b(SlotOp::id, SlotOp::id##_b, b);
#include "interp/slot_ops.def"
  at(SlotOp::nop_cell).kind = at(SlotOp::charge).kind = at(SlotOp::count_block).kind = Kind::Effect;
  at(SlotOp::leave_call).kind = Kind::Effect;
  return forms;
}

#if CHIWAWA_DISPATCH_TAIL
constexpr AccumulatorTable kAccumulatorForms = make_accumulator_forms();
#else
// No operation has other forms here: the kind is all there is to say of one, in a tenth of the space.
constexpr auto kKinds = [] {
  const AccumulatorTable forms = make_accumulator_forms();
  std::array<AccumulatorForms::Kind, kSlotOpsHere> kinds;
  for (size_t op = 0; op < kinds.size(); ++op) kinds[op] = forms[op].kind;
  return kinds;
}();
#endif

}  // namespace

AccumulatorForms accumulator_forms(SlotOp op) {
#if CHIWAWA_DISPATCH_TAIL
  return kAccumulatorForms[static_cast<size_t>(op)];
#else
  return {.kind = kKinds[static_cast<size_t>(op)],
          .to_accumulator = op,
          .a_in_accumulator = op,
          .b_in_accumulator = op,
          .in_slots = op,
          .with_slot = op};
#endif
}

const SlotForms& slot_forms(Opcode opcode) { return kForms[row_of(opcode)]; }

const BranchForms* branch_forms(SlotOp comparison) {
#define CHIWAWA_BRANCH(id, form, inverse)                                                                \
  case SlotOp::id##form: {                                                                               \
    static constexpr BranchForms kBranch = {SlotOp::br_##id##form, SlotOp::br_##id##form##_p,            \
                                            SlotOp::br_##inverse##form, SlotOp::br_##inverse##form##_p}; \
    return &kBranch;                                                                                     \
  }
#define CHIWAWA_BRANCHES(id, inverse)       \
  CHIWAWA_BRANCH(i32_##id, , i32_##inverse) \
  CHIWAWA_BRANCH(i64_##id, , i64_##inverse) \
  CHIWAWA_BRANCH(i32_##id, _c, i32_##inverse) CHIWAWA_BRANCH(i64_##id, _c, i64_##inverse)
  switch (comparison) {
    CHIWAWA_BRANCHES(eq, ne)
    CHIWAWA_BRANCHES(ne, eq)
    CHIWAWA_BRANCHES(lt_s, ge_s)
    CHIWAWA_BRANCHES(lt_u, ge_u)
    CHIWAWA_BRANCHES(gt_s, le_s)
    CHIWAWA_BRANCHES(gt_u, le_u)
    CHIWAWA_BRANCHES(le_s, gt_s)
    CHIWAWA_BRANCHES(le_u, gt_u)
    CHIWAWA_BRANCHES(ge_s, lt_s)
    CHIWAWA_BRANCHES(ge_u, lt_u)
    default: return nullptr;
  }
#undef CHIWAWA_BRANCHES
#undef CHIWAWA_BRANCH
}

}  // namespace chiwawa
