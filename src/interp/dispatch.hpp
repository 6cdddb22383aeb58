// The macros in which the bodies of instr_*.inc are written. A dispatcher defines
//
//   INSTR(op)     begins the body of a slot operation
//   DISPATCH()    executes the cell at pc; does not return to the body
//   RETURN(exit)  leaves the dispatcher; the context has the registers
//
// and the rest follows. A body may use the registers pc, fp, mem, mem_size, fuel and the context ctx.
#pragma once

#include "interp/executor.hpp"
#include "interp/numeric.hpp"

#define NEXT()  \
  do {          \
    ++pc;       \
    DISPATCH(); \
  } while (false)

/// Copies the registers into the context, for functions that need them and when leaving.
#define SAVE()        \
  do {                \
    ctx->pc = pc;     \
    ctx->fp = fp;     \
    ctx->fuel = fuel; \
  } while (false)

#define RELOAD_MEMORY()       \
  do {                        \
    mem = ctx->mem;           \
    mem_size = ctx->mem_size; \
  } while (false)

/// Goes on with the context's registers.
#define RESUME()      \
  do {                \
    pc = ctx->pc;     \
    fp = ctx->fp;     \
    fuel = ctx->fuel; \
    RELOAD_MEMORY();  \
    DISPATCH();       \
  } while (false)

#define LEAVE(exit) \
  do {              \
    SAVE();         \
    RETURN(exit);   \
  } while (false)

#define TRAP(kind)        \
  do {                    \
    ctx->trap = (kind);   \
    LEAVE(Exit::Trapped); \
  } while (false)

#define JUMP()                           \
  do {                                   \
    pc += static_cast<int32_t>(pc->imm); \
    DISPATCH();                          \
  } while (false)

/// Counts a poll. pc must stand at a sync point, with nothing half done.
#define POLL()                  \
  if (--fuel <= 0) [[unlikely]] \
  LEAVE(Exit::Budget)

#define JUMP_POLL()                      \
  do {                                   \
    pc += static_cast<int32_t>(pc->imm); \
    POLL();                              \
    DISPATCH();                          \
  } while (false)

/// Pushes the frame of a function of the current instance and goes to its first cell.
#define PUSH_FRAME(callee)                                                                                 \
  do {                                                                                                     \
    uint64_t* callee_fp = fp + pc->d;                                                                      \
    if (static_cast<uint64_t>(ctx->slots_end - callee_fp) < (callee)->frame_slots ||                       \
        ctx->frame + 1 == ctx->frames_end) [[unlikely]] {                                                  \
      SAVE();                                                                                              \
      if (!grow_stacks(*ctx, uint64_t{pc->d} + (callee)->frame_slots)) TRAP(TrapKind::CallStackExhausted); \
      fp = ctx->fp;                                                                                        \
      callee_fp = fp + pc->d;                                                                              \
    }                                                                                                      \
    ctx->frame->pc = pc + 1;                                                                               \
    ++ctx->frame;                                                                                          \
    ctx->frame->code = (callee);                                                                           \
    fp = callee_fp;                                                                                        \
    for (uint32_t local = (callee)->param_slots; local < (callee)->local_slots; ++local) fp[local] = 0;    \
    pc = (callee)->cells;                                                                                  \
  } while (false)

/// Calls any function, also another instance's or the host's, by begin_call or tail_call.
#define CALL_WITH(begin, function)                                               \
  do {                                                                           \
    SAVE();                                                                      \
    if (const Exit exit = begin(*ctx, function); exit != Exit::Go) RETURN(exit); \
    RESUME();                                                                    \
  } while (false)
#define CALL(function) CALL_WITH(begin_call, function)
