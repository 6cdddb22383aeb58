// The operations that the loop keeps out of its switch.
#include "interp/atomic.hpp"
#include "interp/object_access.hpp"
#include "interp/simd.hpp"

// Of what the loop has, too, only the rare operations, which neither branch nor leave.
#define INSTR(op) case case_if(is_cold(SlotOp::op), SlotOp::op):
#define DISPATCH() __builtin_unreachable()
#define RETURN(exit) __builtin_unreachable()
#include "interp/dispatch.hpp"
#undef NEXT
#undef TRAP
#undef JUMP
#undef JUMP_POLL
#define NEXT() return TrapKind::None
#define TRAP(kind) return kind
#define JUMP() __builtin_unreachable()
#define JUMP_POLL() __builtin_unreachable()

namespace chiwawa {

namespace {

constexpr bool is_cold(SlotOp op) {
  switch (op) {
#define SLOT_OP(id)
#define VALUE0(id, r)
#define VALUE1(id, a, r)
#define VALUE2(id, a, b, r)
#define EFFECT1(id, a)
#define EFFECT2(id, a, b)
#define SLOT_OP_COLD(id) case SlotOp::id:
#include "interp/slot_ops.def"
    return true;
    default: return is_rare(op);
  }
}

}  // namespace

TrapKind run_cold(Context& context, const Cell* pc, uint64_t* fp) {
  Context* const ctx = &context;
  uint8_t* const mem = ctx->mem;
  if (pc->op >= static_cast<uint32_t>(SlotOp::kCount)) __builtin_unreachable();
  switch (pc->op) {
#include "interp/instr_aggregate.inc"
#include "interp/instr_atomic.inc"
#include "interp/instr_far.inc"
#include "interp/instr_numeric.inc"
#include "interp/instr_probes.inc"
#include "interp/instr_simd.inc"
#include "interp/instr_wide.inc"
    default: break;
  }
  __builtin_unreachable();
}

}  // namespace chiwawa
