#include "interp/fusion.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "interp/slot_op.hpp"

namespace chiwawa {

namespace {

/// Which members of the two cells become which of the one. f is the first, s the second.
enum class Merge : uint8_t {
  SlotSlot,          ///< a, b = f.a, f.b; c = s's other operand
  ConstantSlot,      ///< a = f.a; imm = f's constant; b = s's other operand
  SlotConstant,      ///< a, b = f.a, f.b; imm = s's constant
  ConstantConstant,  ///< a = f.a; c = f's constant, of 16 bits; imm = s's constant
  Sum,               ///< address f.a + f.b: loads: a, b; stores: a, d
  Plus,              ///< address f.a + f's constant, which becomes the offset
  Shifted,           ///< address f.a << f.imm: a, c
  Index,             ///< address f.b + (f.a << f.imm): the same, and c = f.imm
  StoredConstant,    ///< b and c = f's constant
  Branch,            ///< a, b = f.a, f.b
  BranchConstant,    ///< a = f.a; b and c = f's constant
  Step,              ///< a = f.a; c = f's constant, of 16 bits; b = s.b
  StepConstant,      ///< the same; b = s's constant, of 16 bits
  StepZero,          ///< the same; b = 0
  Copies,            ///< d, a = f.d, f.a; c, b = s.d, s.a
  Additions,         ///< a = f.a; c = f's constant, of 16 bits; b = s.a; imm = s's constant
  CopyJump,          ///< b, a = f.d, f.a
};

struct Pattern {
  SlotOp first, second, fused;
  Merge merge;
  bool wide = false;   ///< the constants have 64 bits
  bool left = true;    ///< first's value may be operand a of the second
  bool right = false;  ///< operand b
};

constexpr bool is_wide(ValType type) { return type == ValType::I64 || type == ValType::F64; }

#define CHIWAWA_OP_s(id) SlotOp::id
#define CHIWAWA_OP_c(id) SlotOp::id##_c
#define CHIWAWA_MERGE_ss Merge::SlotSlot
#define CHIWAWA_MERGE_cs Merge::ConstantSlot
#define CHIWAWA_MERGE_sc Merge::SlotConstant
#define CHIWAWA_MERGE_cc Merge::ConstantConstant
#define CHIWAWA_COMMUTES_s(second) swapped(Opcode::second) == Opcode::second
#define CHIWAWA_COMMUTES_c(second) false
#define CHIWAWA_OP(id) SlotOp::id

// clang-format off
constexpr auto kUnsorted = std::to_array<Pattern>({
#define FUSED(type, first, F, second, S)                                                                       \
  {CHIWAWA_OP_##F(first), CHIWAWA_OP_##S(second), CHIWAWA_OP(CHIWAWA_FUSED_NAME(first, F, second, S)),         \
   CHIWAWA_MERGE_##F##S, is_wide(ValType::type), true, CHIWAWA_COMMUTES_##S(second)},
#define FUSED_RIGHT(type, first, F, second, S)                                                                 \
  {CHIWAWA_OP_##F(first), CHIWAWA_OP_##S(second), CHIWAWA_OP(CHIWAWA_FUSED_RIGHT_NAME(first, F, second, S)),   \
   CHIWAWA_MERGE_##F##S, is_wide(ValType::type), false, true},
#define FUSED_LOAD(load)                                                                  \
  {SlotOp::i32_add, SlotOp::load, SlotOp::load##_sum, Merge::Sum},                        \
  {SlotOp::i32_add_c, SlotOp::load, SlotOp::load##_plus, Merge::Plus},                    \
  {SlotOp::i32_shl_c, SlotOp::load, SlotOp::load##_shifted, Merge::Shifted},              \
  {SlotOp::i32_shl_c_i32_add_s, SlotOp::load, SlotOp::load##_index, Merge::Index},
#define FUSED_STORE(store) FUSED_LOAD(store)
#define FUSED_STORE_CONSTANT(store)                                                       \
  {SlotOp::constant, SlotOp::store, SlotOp::store##_c,                                    \
   Merge::StoredConstant, is_wide(stored_type(Opcode::store)), false, true},              \
  {SlotOp::i32_add_c, SlotOp::store##_c, SlotOp::store##_c_plus, Merge::Plus},
#define CHIWAWA_BRANCH(op, branch, merge, wide)                                           \
  {op, SlotOp::br_nonzero, SlotOp::br_if_##branch, merge, wide},                          \
  {op, SlotOp::br_nonzero_p, SlotOp::br_if_##branch##_p, merge, wide},                    \
  {op, SlotOp::br_zero, SlotOp::br_unless_##branch, merge, wide},                         \
  {op, SlotOp::br_zero_p, SlotOp::br_unless_##branch##_p, merge, wide},
#define CHIWAWA_BRANCH_s(first, type) CHIWAWA_BRANCH(SlotOp::first, first, Merge::Branch, false)
#define CHIWAWA_BRANCH_c(first, type) \
  CHIWAWA_BRANCH(SlotOp::first##_c, first##_c, Merge::BranchConstant, is_wide(ValType::type))
#define FUSED_BRANCH(type, first, F) CHIWAWA_BRANCH_##F(first, type)
#define FUSED_STEP(compare)                                                                         \
  {SlotOp::i32_add_c, SlotOp::br_##compare, SlotOp::step_##compare, Merge::Step},                   \
  {SlotOp::i32_add_c, SlotOp::br_##compare##_p, SlotOp::step_##compare##_p, Merge::Step},           \
  {SlotOp::i32_add_c, SlotOp::br_##compare##_c, SlotOp::step_##compare##_c, Merge::StepConstant},   \
  {SlotOp::i32_add_c, SlotOp::br_##compare##_c_p, SlotOp::step_##compare##_c_p, Merge::StepConstant},
#define FUSED_MOVES                                                                                 \
  {SlotOp::i32_add_c, SlotOp::br_nonzero, SlotOp::step_i32_ne_c, Merge::StepZero},                  \
  {SlotOp::i32_add_c, SlotOp::br_nonzero_p, SlotOp::step_i32_ne_c_p, Merge::StepZero},              \
  {SlotOp::copy, SlotOp::copy, SlotOp::copy_copy, Merge::Copies},                                   \
  {SlotOp::i32_add_c, SlotOp::i32_add_c, SlotOp::add_c_add_c, Merge::Additions},                    \
  {SlotOp::copy, SlotOp::br_always, SlotOp::copy_br, Merge::CopyJump},                              \
  {SlotOp::copy, SlotOp::br_always_p, SlotOp::copy_br_p, Merge::CopyJump},
#include "interp/fusions.def"
});
// clang-format on

/// By their first operation.
constexpr auto kPatterns = [] {
  auto patterns = kUnsorted;
  std::ranges::sort(patterns, {}, [](const Pattern& p) { return std::pair(p.first, p.second); });
  return patterns;
}();

/// Where the patterns of each operation begin.
constexpr auto kFirst = [] {
  std::array<uint16_t, kSlotOpsHere + 1> first{};
  size_t at = 0;
  for (size_t op = 0; op < first.size(); ++op) {
    while (at < kPatterns.size() && static_cast<size_t>(kPatterns[at].first) < op) ++at;
    first[op] = static_cast<uint16_t>(at);
  }
  return first;
}();

bool fits_16(int64_t number) {
  return number >= std::numeric_limits<int16_t>::min() && number <= std::numeric_limits<int16_t>::max();
}
bool fits_32(int64_t number) {
  return number >= std::numeric_limits<int32_t>::min() && number <= std::numeric_limits<int32_t>::max();
}

/// The f64 as f32, if that is the same number.
std::optional<uint32_t> as_f32(uint64_t bits) {
  const auto number = std::bit_cast<double>(bits);
  const auto small = static_cast<float>(number);
  if (std::bit_cast<uint64_t>(double{small}) != bits) return std::nullopt;
  return std::bit_cast<uint32_t>(small);
}

/// The constant operand of an operation on integers of that width.
int64_t constant_of(const Cell& cell, bool wide) {
  return wide ? static_cast<int64_t>(cell.wide()) : static_cast<int32_t>(cell.imm);
}

std::optional<Cell> merge(const Pattern& pattern, const Cell& f, const Cell& s, bool is_left) {
  const bool is_store = accumulator_forms(pattern.second).kind == AccumulatorForms::Kind::Effect;
  const uint16_t other = is_left ? s.b : s.a;
  Cell cell{.op = static_cast<uint32_t>(pattern.fused), .d = s.d, .a = f.a, .b = f.b, .c = f.c, .imm = s.imm};
  const int64_t first = constant_of(f, pattern.wide);
  const int64_t second = constant_of(s, pattern.wide);
  switch (pattern.merge) {
    case Merge::SlotSlot: cell.c = other; return cell;
    case Merge::ConstantSlot:
      if (!fits_32(first)) return std::nullopt;
      cell.b = other;
      cell.imm = static_cast<uint32_t>(first);
      return cell;
    case Merge::SlotConstant:
      if (!fits_32(second)) return std::nullopt;
      cell.imm = static_cast<uint32_t>(second);
      return cell;
    case Merge::ConstantConstant:
      if (!fits_16(first) || !fits_32(second)) return std::nullopt;
      cell.c = static_cast<uint16_t>(first);
      cell.imm = static_cast<uint32_t>(second);
      return cell;
    case Merge::Index: cell.c = static_cast<uint16_t>(f.imm % 32); [[fallthrough]];
    case Merge::Sum:
      if (is_store) {
        cell.d = f.b;
        cell.b = s.b;
      }
      return cell;
    case Merge::Plus:
      if (s.imm != 0) return std::nullopt;
      cell.b = s.b;
      cell.c = s.c;
      cell.imm = f.imm;
      return cell;
    case Merge::Shifted:
      cell.b = s.b;
      cell.c = static_cast<uint16_t>(f.imm % 32);
      return cell;
    case Merge::StoredConstant: {
      const auto bits = static_cast<int64_t>(f.wide());
      if (pattern.wide && !fits_32(bits)) return std::nullopt;
      cell.a = s.a;
      cell.set_bc(static_cast<uint32_t>(bits));
      return cell;
    }
    case Merge::Branch: return cell;
    case Merge::BranchConstant: {
      std::optional<uint32_t> constant = f.imm;
      if (pattern.wide) constant = as_f32(f.wide());
      if (!constant) return std::nullopt;
      cell.set_bc(*constant);
      return cell;
    }
    case Merge::Copies:
      cell.d = f.d;
      cell.b = s.a;
      cell.c = s.d;
      return cell;
    case Merge::Additions:
      if (!fits_16(first) || f.d != f.a || s.d != s.a) return std::nullopt;
      cell.b = s.a;
      cell.c = static_cast<uint16_t>(first);
      return cell;
    case Merge::CopyJump: cell.b = f.d; return cell;
    case Merge::StepConstant:
      if (!fits_16(static_cast<int32_t>(s.bc()))) return std::nullopt;
      [[fallthrough]];
    case Merge::Step:
    case Merge::StepZero:
      if (!fits_16(first) || f.d != f.a) return std::nullopt;
      cell.b = pattern.merge == Merge::StepConstant ? static_cast<uint16_t>(s.bc()) : s.b;
      cell.c = static_cast<uint16_t>(first);
      return cell;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Cell> fuse(const Cell& first, const Cell& second, bool only_use) {
  const SlotOp op = accumulator_forms(static_cast<SlotOp>(first.op)).in_slots;
  for (uint16_t at = kFirst[static_cast<size_t>(op)]; at < kFirst[static_cast<size_t>(op) + 1]; ++at) {
    const Pattern& pattern = kPatterns[at];
    if (static_cast<uint32_t>(pattern.second) != second.op) continue;
    bool is_left = pattern.left && second.a == first.d;
    switch (pattern.merge) {
      case Merge::Copies:
      case Merge::Additions:
      case Merge::CopyJump: is_left = true; break;
      case Merge::Step:
      case Merge::StepConstant:
      case Merge::StepZero:
        if (!is_left) continue;
        break;
      default:
        if (!only_use || (!is_left && !(pattern.right && second.b == first.d))) continue;
    }
    if (std::optional<Cell> cell = merge(pattern, first, second, is_left)) return cell;
  }
  return std::nullopt;
}

}  // namespace chiwawa
