// The fast dispatcher where the compiler guarantees tail calls: every operation is a function that ends by calling the
// next one, and the machine's registers stay in the processor's.
#define CHIWAWA_ACCUMULATORS 1
#include "interp/atomic.hpp"
#include "interp/call_tree.hpp"
#include "interp/dispatch.hpp"
#include "interp/object_access.hpp"
#include "interp/simd.hpp"

#if CHIWAWA_DISPATCH_TAIL

#if defined(__has_attribute) && !defined(__wasm__)
#if __has_attribute(preserve_none)
#define CHIWAWA_CC __attribute__((preserve_none))
#endif
#endif
#ifndef CHIWAWA_CC
#define CHIWAWA_CC
#endif

// Modules know the place of a table by themselves.
#ifdef __wasm__
#define CHIWAWA_TABLE_REGISTER
#define CHIWAWA_TABLE_ARGUMENT(table)
#define CHIWAWA_TABLE Handlers::kTable
#else
#define CHIWAWA_TABLE_REGISTER , [[maybe_unused]] const void* handlers
#define CHIWAWA_TABLE_ARGUMENT(table) , table
#define CHIWAWA_TABLE static_cast<Handler* const*>(handlers)
#endif

#define CHIWAWA_REGISTERS                                                                               \
  [[maybe_unused]] const Cell *pc, [[maybe_unused]] uint64_t *fp, [[maybe_unused]] uint8_t *mem,        \
      [[maybe_unused]] uint64_t mem_safe, [[maybe_unused]] Context *ctx, [[maybe_unused]] int64_t fuel, \
      [[maybe_unused]] uint64_t integer, [[maybe_unused]] float single_float,                           \
      [[maybe_unused]] double double_float CHIWAWA_TABLE_REGISTER

#define INSTR(op) CHIWAWA_CC static Exit do_##op(CHIWAWA_REGISTERS)
#define INSTR_DOOR(op) INSTR(op)
#define GO(op)                                                                                \
  [[clang::musttail]] return do_##op(pc, fp, mem, mem_safe, ctx, fuel, integer, single_float, \
                                     double_float CHIWAWA_TABLE_ARGUMENT(handlers))
#define DISPATCH()                                                                                          \
  [[clang::musttail]] return CHIWAWA_TABLE[pc->op](pc, fp, mem, mem_safe, ctx, fuel, integer, single_float, \
                                                   double_float CHIWAWA_TABLE_ARGUMENT(handlers))
#define RETURN(exit) return exit

namespace chiwawa {

namespace {

using Handler = CHIWAWA_CC Exit(CHIWAWA_REGISTERS);

struct Handlers {
  static Handler* const kTable[static_cast<size_t>(SlotOp::kCount)];
};

#include "interp/instr_aggregate.inc"
#include "interp/instr_atomic.inc"
#include "interp/instr_calls.inc"
#include "interp/instr_control.inc"
#include "interp/instr_far.inc"
#include "interp/instr_fused.inc"
#include "interp/instr_memory.inc"
#include "interp/instr_numeric.inc"
#include "interp/instr_probes.inc"
#include "interp/instr_simd.inc"
#include "interp/instr_variable.inc"
#include "interp/instr_wide.inc"

constinit Handler* const Handlers::kTable[] = {
#define EACH_SLOT_OP(id) do_##id,
#include "interp/slot_op_list.def"
};

}  // namespace

Exit run_tail(Context& context) {
  return Handlers::kTable[context.pc->op](context.pc, context.fp, context.mem, context.mem_safe, &context, context.fuel,
                                          0, 0.0F,
                                          0.0 CHIWAWA_TABLE_ARGUMENT(static_cast<const void*>(Handlers::kTable)));
}

}  // namespace chiwawa

#endif
