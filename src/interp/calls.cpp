// Calls that do not stay within one instance, and the growth of the stacks.
#include <algorithm>

#include "interp/compile.hpp"
#include "interp/executor.hpp"
#include "interp/instrumentation.hpp"

namespace chiwawa {

namespace {

constexpr uint32_t op(SlotOp id) { return static_cast<uint32_t>(id); }

// The first cell of each pair is the "call", whose d = 0 says that the callee's frame begins where this one does.
constexpr Cell kEntryCells[] = {{.op = op(SlotOp::call_entry)}, {.op = op(SlotOp::finish)}};
constexpr Cell kBoundaryCells[] = {{.op = op(SlotOp::nop_cell)}, {.op = op(SlotOp::boundary_return)}};

/// The next size of a stack that must hold `needed`: doubled, so that growing is amortised.
size_t next_size(size_t current, size_t needed, size_t limit) {
  return std::min(limit, std::max({needed, current * 2, size_t{1024}}));
}

/// `cell` is the call.
Exit finish_host_call(Context& ctx, FuncInst& function, uint64_t* slots, const Cell* cell) {
  HostCall call{.store = *ctx.store, .caller = ctx.instance, .slots = slots};
  std::optional<WatchedHostCall> watched;
  if (ctx.store->instrumentation != nullptr) watched.emplace(ctx, function, slots, cell);
  HostResult result = function.host.call(call, function.host.context);
  if (watched) watched->ended(result, slots);
  ctx.load_memory();
  if (ctx.polls) ctx.fuel -= kHostCallPolls;
  switch (result.kind) {
    case HostResult::Kind::Return: return Exit::Go;
    case HostResult::Kind::Trap:
      ctx.trap = TrapKind::HostFunction;
      ctx.trap_detail = std::move(result.detail);
      return Exit::Trapped;
    case HostResult::Kind::Exit: ctx.exit_code = result.exit_code; return Exit::Exited;
    case HostResult::Kind::Wait: break;
  }
  ctx.pending = {function.code.function, static_cast<uint32_t>(slots - ctx.slots.data.get())};
  return Exit::Waiting;
}

/// What the call at ctx.pc counts as, whose callee has been entered.
Exit count_call(Context& ctx, const Cell& call) {
  if (ctx.polls) --ctx.fuel;
  if (ctx.counting) ctx.fuel -= static_cast<int64_t>(uint64_t{call.bc()});
  return (ctx.polls || ctx.counting) && ctx.fuel <= 0 ? Exit::Budget : Exit::Go;
}

/// Makes the innermost frame one of `callee`, whose arguments are at ctx.fp.
void enter(Context& ctx, const Code& callee) {
  ctx.frame->code = &callee;
  std::fill(ctx.fp + callee.param_slots, ctx.fp + std::max(callee.param_slots, callee.local_slots), uint64_t{0});
  ctx.pc = callee.cells;
}

}  // namespace

const Code kEntryCode = {.cells = kEntryCells};
const Code kBoundaryCode = {.cells = kBoundaryCells};
const Cell kCompileStub = {.op = op(SlotOp::call_out)};

void Context::set_instance(Instance* next) {
  instance = next;
  codes = next->cache.codes.data();
  globals = next->cache.globals.data();
  load_memory();
}

void Context::load_memory() {
  if (instance == nullptr || instance->cache.memories.empty()) {
    mem = nullptr;
    mem_size = 0;
    mem_safe = 0;
    return;
  }
  LinearMemory& memory = instance->cache.memories[0]->memory;
  mem = memory.data();
  mem_size = memory.size_bytes();
  constexpr uint64_t kLargestAccess = 8;
  mem_safe = mem_size < kLargestAccess ? 0 : mem_size - kLargestAccess + 1;
}

bool grow_stacks(Context& ctx, uint64_t slots_needed, uint32_t frames_needed) {
  const auto fp = static_cast<size_t>(ctx.fp - ctx.slots.data.get());
  const uint64_t slot_top = fp + slots_needed;
  const auto frame = static_cast<size_t>(ctx.frame - ctx.frames.data.get());
  const size_t frame_top = frame + 1 + frames_needed;
  const size_t max_frames = size_t{ctx.limits.max_call_depth} + 1;  // the embedder's does not count
  if (slot_top > ctx.limits.max_stack_slots || frame_top > max_frames) return false;
  if (slot_top > ctx.slots.size) {
    const size_t size = next_size(ctx.slots.size, static_cast<size_t>(slot_top), ctx.limits.max_stack_slots);
    if (!ctx.slots.resize(size)) return false;
    ctx.fp = ctx.slots.data.get() + fp;
    ctx.slots_end = ctx.slots.data.get() + size;
  }
  if (frame_top > ctx.frames.size) {
    const size_t size = next_size(ctx.frames.size, frame_top, max_frames);
    if (!ctx.frames.resize(size)) return false;
    ctx.frame = ctx.frames.data.get() + frame;
    ctx.frames_end = ctx.frames.data.get() + size;
  }
  return true;
}

Exit begin_call(Context& ctx, FuncInst& function) {
  const uint32_t first_slot = ctx.pc->d;
  if (function.is_host()) {
    const Exit exit = finish_host_call(ctx, function, ctx.fp + first_slot, ctx.pc);
    if (exit == Exit::Go || exit == Exit::Waiting) ++ctx.pc;
    return exit;
  }
  const Code& callee = function.code;
  const bool crosses = function.instance != ctx.instance;
  const bool needs_boundary = crosses && ctx.frame->code != &kEntryCode;
  if (!grow_stacks(ctx, uint64_t{first_slot} + callee.frame_slots, needs_boundary ? 2 : 1)) {
    ctx.trap = TrapKind::CallStackExhausted;
    return Exit::Trapped;
  }
  const Cell& call = *ctx.pc;
  ctx.frame->pc = ctx.pc + 1;
  if (needs_boundary) {
    ++ctx.frame;
    *ctx.frame = {.code = &kBoundaryCode, .pc = kBoundaryCells + 1};
  }
  if (crosses) ctx.set_instance(function.instance);
  ++ctx.frame;
  ctx.fp += first_slot;
  enter(ctx, callee);
  return count_call(ctx, call);
}

Exit tail_call(Context& ctx, FuncInst& function) {
  if (function.is_host()) return begin_call(ctx, function);
  const Code& callee = function.code;
  const bool crosses = function.instance != ctx.instance;
  // A boundary that is there already also leads back to the caller's instance.
  const Code* const caller = ctx.frame[-1].code;
  const bool needs_boundary = crosses && caller != &kEntryCode && caller != &kBoundaryCode;
  if (!grow_stacks(ctx, std::max<uint64_t>(callee.frame_slots, ctx.pc->d + callee.param_slots),
                   needs_boundary ? 1 : 0)) {
    ctx.trap = TrapKind::CallStackExhausted;
    return Exit::Trapped;
  }
  const Cell& call = *ctx.pc;
  if (ctx.frame->code->probes != nullptr) {
    ctx.store->instrumentation->leave(ctx, ctx.steps(ctx.counting ? static_cast<int32_t>(call.bc()) : 0));
  }
  std::copy_n(ctx.fp + call.d, callee.param_slots, ctx.fp);
  if (needs_boundary) *ctx.frame++ = {.code = &kBoundaryCode, .pc = kBoundaryCells + 1};
  if (crosses) ctx.set_instance(function.instance);
  enter(ctx, callee);
  return count_call(ctx, call);
}

Exit resume_host_call(Context& ctx) {
  const PendingHostCall call = *ctx.pending;
  ctx.pending.reset();
  FuncInst& function = (*ctx.store)[call.function];
  const Exit exit = finish_host_call(ctx, function, ctx.slots.data.get() + call.first_slot, ctx.pc - 1);
  if (exit == Exit::Trapped || exit == Exit::Exited) --ctx.pc;  // it ends at the call
  return exit;
}

FuncInst* indirect_callee(Context& ctx) {
  const Cell& cell = *ctx.pc;
  const TableInst& table = *ctx.instance->cache.tables[cell.bc()];
  const uint64_t index = address_in(table.type.address, ctx.fp[cell.a]);
  if (index >= table.elements.size()) {
    ctx.trap = TrapKind::UndefinedElement;
    return nullptr;
  }
  const uint64_t ref = table.elements[static_cast<size_t>(index)];
  if (ref == kNullRef) {
    ctx.trap = TrapKind::UninitializedElement;
    return nullptr;
  }
  FuncInst* const function = ctx.store->funcs[static_cast<size_t>(ref - 1)].get();
  if (function->type_id != cell.imm && !ctx.store->types.matches(function->type_id, cell.imm)) {
    ctx.trap = TrapKind::IndirectCallTypeMismatch;
    return nullptr;
  }
  return function;
}

FuncInst* referenced_callee(Context& ctx) {
  const uint64_t ref = ctx.fp[ctx.pc->a];
  if (ref != kNullRef) return ctx.store->funcs[static_cast<size_t>(ref - 1)].get();
  ctx.trap = TrapKind::NullFunctionReference;
  return nullptr;
}

Exit enter_uncompiled(Context& ctx) {
  Code& code = (*ctx.store)[ctx.frame->code->function].code;
  if (code.storage.empty()) compile(*ctx.store, code);
  if (!grow_stacks(ctx, code.frame_slots, 0)) {
    // The call does not happen: the trap is the caller's, at the call.
    ctx.pc = (--ctx.frame)->pc - 1;
    ctx.fp -= ctx.pc->d;
    if (ctx.counting) ctx.fuel += static_cast<int64_t>(uint64_t{ctx.pc->bc()});
    ctx.trap = TrapKind::CallStackExhausted;
    return Exit::Trapped;
  }
  std::fill(ctx.fp + code.param_slots, ctx.fp + code.local_slots, uint64_t{0});
  ctx.pc = code.cells;
  return Exit::Go;
}

bool return_across(Context& ctx) {
  ctx.pc = (--ctx.frame)->pc;
  const Cell& call = ctx.pc[-1];
  ctx.fp -= call.d;
  ctx.set_instance(ctx.frame->code->instance);
  if (!ctx.counting) return true;
  ctx.fuel += static_cast<int64_t>(uint64_t{call.bc()});
  return ctx.fuel > 0;
}

}  // namespace chiwawa
