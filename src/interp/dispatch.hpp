// The macros in which the bodies of instr_*.inc are written. A dispatcher defines
//
//   INSTR(op)     begins the body of a slot operation
//   DISPATCH()    executes the cell at pc; does not return to the body
//   RETURN(exit)  leaves the dispatcher; the context has the registers
//   INSTR_DOOR(op), GO(op)   a body that others go to, with the cell that they are at: what is rare and calls functions
//   must
//                 be outside of the bodies that are executed often, where it would cost them a stack frame
//
// and the rest follows. A body may use the registers pc, fp, mem, mem_safe, fuel and the context ctx.
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
    mem_safe = ctx->mem_safe; \
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

#define JUMP()                     \
  do {                             \
    pc = at_distance(pc, pc->imm); \
    DISPATCH();                    \
  } while (false)

/// Counts a poll. pc must stand at a sync point, with nothing half done.
#define POLL()                  \
  if (--fuel <= 0) [[unlikely]] \
  LEAVE(Exit::Budget)

/// d = what it counts as.
#define JUMP_POLL()                      \
  do {                                   \
    fuel -= static_cast<int16_t>(pc->d); \
    pc = at_distance(pc, pc->imm);       \
    if (fuel <= 0) [[unlikely]]          \
      LEAVE(Exit::Budget);               \
    DISPATCH();                          \
  } while (false)

// --- Operands and results, for operations of the families of slot_ops.def. ---

#define A_SLOT(type) from_slot<type>(fp[pc->a])
#define B_SLOT(type) from_slot<type>(fp[pc->b])
#define C_SLOT(type) from_slot<type>(fp[pc->c])

#if CHIWAWA_ACCUMULATORS
// A dispatcher with accumulators has them as integer, single_float and double_float.
#define A_ACC(type) accumulator<type>(integer, single_float, double_float)
#define B_ACC(type) A_ACC(type)
#define OUT_ACC(value) set_accumulator(value, integer, single_float, double_float)
#define OUT(value)                                             \
  do {                                                         \
    const auto out = (value);                                  \
    fp[pc->d] = to_slot(out);                                  \
    set_accumulator(out, integer, single_float, double_float); \
  } while (false)

// Each makes the forms of one operation: body(op, source of a, …, destination, …) defines one.
#define VALUE0_FORMS(body, op, ...) body(op, OUT, __VA_ARGS__) body(op##_r, OUT_ACC, __VA_ARGS__)
#define VALUE1_FORMS(body, op, ...)                                                                                   \
  body(op, A_SLOT, OUT, __VA_ARGS__) body(op##_r, A_SLOT, OUT_ACC, __VA_ARGS__) body(op##_a, A_ACC, OUT, __VA_ARGS__) \
      body(op##_a_r, A_ACC, OUT_ACC, __VA_ARGS__)
#define VALUE2_FORMS(body, op, ...)                                                                     \
  body(op, A_SLOT, B_SLOT, OUT, __VA_ARGS__) body(op##_r, A_SLOT, B_SLOT, OUT_ACC, __VA_ARGS__)         \
      body(op##_a, A_ACC, B_SLOT, OUT, __VA_ARGS__) body(op##_a_r, A_ACC, B_SLOT, OUT_ACC, __VA_ARGS__) \
          body(op##_b, A_SLOT, B_ACC, OUT, __VA_ARGS__) body(op##_b_r, A_SLOT, B_ACC, OUT_ACC, __VA_ARGS__)
#define EFFECT1_FORMS(body, op, ...) body(op, A_SLOT, __VA_ARGS__) body(op##_a, A_ACC, __VA_ARGS__)
#define EFFECT2_FORMS(body, op, ...)                                             \
  body(op, A_SLOT, B_SLOT, __VA_ARGS__) body(op##_a, A_ACC, B_SLOT, __VA_ARGS__) \
      body(op##_b, A_SLOT, B_ACC, __VA_ARGS__)
#else
#define OUT(value) fp[pc->d] = to_slot(value)
#define VALUE0_FORMS(body, op, ...) body(op, OUT, __VA_ARGS__)
#define VALUE1_FORMS(body, op, ...) body(op, A_SLOT, OUT, __VA_ARGS__)
#define VALUE2_FORMS(body, op, ...) body(op, A_SLOT, B_SLOT, OUT, __VA_ARGS__)
#define EFFECT1_FORMS(body, op, ...) body(op, A_SLOT, __VA_ARGS__)
#define EFFECT2_FORMS(body, op, ...) body(op, A_SLOT, B_SLOT, __VA_ARGS__)
#endif

/// Traps if the access is out of bounds. Nearly always one comparison is enough: below mem_safe every access is in
/// bounds. The effective address has at most 34 bits, so adding the access's size cannot overflow 64.
#define CHECK_BOUNDS(address, size)                                                    \
  do {                                                                                 \
    if ((address) >= mem_safe) [[unlikely]] {                                          \
      if ((address) + (size) > ctx->mem_size) TRAP(TrapKind::OutOfBoundsMemoryAccess); \
    }                                                                                  \
  } while (false)

/// Loads from memory 0.
#define LOAD_AT(address, OUT, storage, type)              \
  do {                                                    \
    CHECK_BOUNDS(address, sizeof(storage));               \
    storage loaded;                                       \
    std::memcpy(&loaded, mem + (address), sizeof loaded); \
    OUT(static_cast<type>(loaded));                       \
    NEXT();                                               \
  } while (false)
#define STORE_AT(address, value, storage)                 \
  do {                                                    \
    CHECK_BOUNDS(address, sizeof(storage));               \
    const storage stored = static_cast<storage>(value);   \
    std::memcpy(mem + (address), &stored, sizeof stored); \
    NEXT();                                               \
  } while (false)

/// Pushes the frame of a function of the current instance and goes to its first cell.
#define PUSH_FRAME(callee)                                                           \
  do {                                                                               \
    uint64_t* const callee_fp = fp + pc->d;                                          \
    if (static_cast<uint64_t>(ctx->slots_end - callee_fp) < (callee)->frame_slots || \
        ctx->frame + 1 == ctx->frames_end) [[unlikely]] {                            \
      ctx->slots_wanted = (callee)->frame_slots;                                     \
      GO(grow_and_repeat);                                                           \
    }                                                                                \
    ctx->frame->pc = pc + 1;                                                         \
    ++ctx->frame;                                                                    \
    ctx->frame->code = (callee);                                                     \
    fp = callee_fp;                                                                  \
    zero_slots(fp + (callee)->param_slots, fp + (callee)->local_slots);              \
    pc = (callee)->cells;                                                            \
  } while (false)

/// Calls any function, also another instance's or the host's, by begin_call or tail_call.
#define CALL_WITH(begin, function)                                               \
  do {                                                                           \
    SAVE();                                                                      \
    if (const Exit exit = begin(*ctx, function); exit != Exit::Go) RETURN(exit); \
    RESUME();                                                                    \
  } while (false)
#define CALL(function) CALL_WITH(begin_call, function)
