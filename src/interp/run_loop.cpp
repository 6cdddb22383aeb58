// The portable dispatcher: one loop around one switch.
#include "interp/dispatch.hpp"

#define INSTR(op) case case_if(!is_rare(SlotOp::op), SlotOp::op):
#define INSTR_DOOR(op) INSTR(op) door_##op:
#define GO(op) goto door_##op
#define DISPATCH() goto dispatch
#define RETURN(exit) return exit

namespace chiwawa {

// Every operation goes through the one jump at its head: measured natively, all takes half as long again if that lies
// across two lines of the processor's decoder, as chance may have it.
[[gnu::aligned(64)]] Exit run_loop(Context& context) {
  Context* const ctx = &context;
  const Cell* pc = ctx->pc;
  uint64_t* fp = ctx->fp;
  uint8_t* mem = ctx->mem;
  uint64_t mem_safe = ctx->mem_safe;
  int64_t fuel = ctx->fuel;

dispatch:
  if (pc->op >= static_cast<uint32_t>(SlotOp::kCount)) __builtin_unreachable();
  switch (pc->op) {
#include "interp/instr_control.inc"
#include "interp/instr_fused.inc"
#include "interp/instr_memory.inc"
#include "interp/instr_numeric.inc"
#include "interp/instr_variable.inc"
    default:
      if (const TrapKind trap = run_cold(*ctx, pc, fp); trap != TrapKind::None) [[unlikely]]
        TRAP(trap);
      NEXT();
  }
  __builtin_unreachable();
}

}  // namespace chiwawa
