// The operations that the loop keeps out of its switch.
#include "interp/atomic.hpp"
#include "interp/executor.hpp"
#include "interp/numeric.hpp"
#include "interp/object_access.hpp"
#include "interp/simd.hpp"

#define INSTR(op) case SlotOp::op:
#define NEXT() return TrapKind::None
#define TRAP(kind) return kind

namespace chiwawa {

TrapKind run_cold(Context& context, const Cell* pc, uint64_t* fp) {
  Context* const ctx = &context;
  uint8_t* const mem = ctx->mem;
  switch (static_cast<SlotOp>(pc->op)) {
#include "interp/instr_aggregate.inc"
#include "interp/instr_atomic.inc"
#include "interp/instr_far.inc"
#include "interp/instr_simd.inc"
#include "interp/instr_wide.inc"
    default: break;
  }
  __builtin_unreachable();
}

}  // namespace chiwawa
