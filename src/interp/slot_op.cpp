#include "interp/slot_op.hpp"

#include <array>

namespace chiwawa {

namespace {

using Shape = SlotForms::Shape;

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

constexpr std::array<SlotForms, kOpcodeRows> make_forms() {
  std::array<SlotForms, kOpcodeRows> forms{};
  const auto set = [&forms](Opcode opcode, Shape shape, ValType result, SlotOp slots, std::optional<SlotOp> constant) {
    forms[row_of(opcode)] = {shape, result, slots, constant, swapped(opcode), false, {}};
  };
#define CHIWAWA_CONSTANT_I32(id) SlotOp::id##_c
#define CHIWAWA_CONSTANT_I64(id) SlotOp::id##_c
#define CHIWAWA_CONSTANT_F32(id) std::nullopt
#define CHIWAWA_CONSTANT_F64(id) std::nullopt
#define NUMERIC1(code, id, text, operand, result) \
  set(Opcode::id, Shape::Unary, ValType::result, SlotOp::id, std::nullopt);
#define NUMERIC1_TRAPS(code, id, text, operand, result) NUMERIC1(code, id, text, operand, result)
#define NUMERIC2(code, id, text, operand, result) \
  set(Opcode::id, Shape::Binary, ValType::result, SlotOp::id, CHIWAWA_CONSTANT_##operand(id));
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
#undef CHIWAWA_CONSTANT_I32
#undef CHIWAWA_CONSTANT_I64
#undef CHIWAWA_CONSTANT_F32
#undef CHIWAWA_CONSTANT_F64
#undef CHIWAWA_MEMORY
#undef CHIWAWA_ATOMIC
#undef CHIWAWA_VECTOR
  return forms;
}

constexpr std::array<SlotForms, kOpcodeRows> kForms = make_forms();

}  // namespace

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
