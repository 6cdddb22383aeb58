// The operations that the loop keeps out of its switch.
#include "interp/executor.hpp"

#define INSTR(op) case SlotOp::op:
#define NEXT() return TrapKind::None
#define TRAP(kind) return kind

namespace chiwawa {

TrapKind run_cold(Context& context, const Cell* pc, uint64_t* fp) {
  Context* const ctx = &context;
  switch (static_cast<SlotOp>(pc->op)) {
#include "interp/instr_far.inc"
    default: break;
  }
  __builtin_unreachable();
}

}  // namespace chiwawa
