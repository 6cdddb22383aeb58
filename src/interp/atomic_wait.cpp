// memory.atomic.wait32 and wait64 in a machine of one thread: nobody can wake it, so only time can end a wait.
#include "interp/atomic.hpp"

namespace chiwawa {

namespace {

Exit trapped(Context& ctx, TrapKind kind) {
  ctx.trap = kind;
  return Exit::Trapped;
}

Exit done(Context& ctx, uint32_t result) {
  ctx.fp[ctx.pc->d] = to_slot(result);
  ctx.wait_since.reset();
  ctx.pc += 2;  // with the cell that says where
  return Exit::Go;
}

}  // namespace

uint64_t GuestClock::time() const { return now == nullptr ? 0 : now(context); }

Exit atomic_wait(Context& ctx) {
  constexpr uint32_t kNotEqual = 1, kTimedOut = 2;
  const Cell& cell = *ctx.pc;
  const bool is_64 = cell.c == 8;
  uint8_t* at = nullptr;
  if (const TrapKind trap = atomic_address(ctx, ctx.pc, ctx.fp, cell.c, at); trap != TrapKind::None) {
    return trapped(ctx, trap);
  }
  if (!ctx.instance->cache.memories[ctx.pc[1].b]->type.is_shared) return trapped(ctx, TrapKind::ExpectedSharedMemory);
  const uint64_t expected = ctx.fp[cell.b];
  const auto timeout = static_cast<int64_t>(ctx.fp[cell.b + 1]);
  const GuestClock& clock = ctx.store->clock;
  if (!ctx.wait_since) {
    const bool equal =
        is_64 ? load_as<uint64_t>(at) == expected : load_as<uint32_t>(at) == static_cast<uint32_t>(expected);
    if (!equal) return done(ctx, kNotEqual);
    ctx.wait_since = clock.time();
  }
  if (timeout < 0) {
    ctx.trap_detail = "the wait has no timeout, and no other thread can end it";
    return trapped(ctx, TrapKind::Deadlock);
  }
  if (clock.now == nullptr) return done(ctx, kTimedOut);
  const auto remaining = [&] {
    const uint64_t elapsed = clock.time() - *ctx.wait_since;
    return elapsed < static_cast<uint64_t>(timeout) ? static_cast<uint64_t>(timeout) - elapsed : 0;
  };
  if (const uint64_t left = remaining(); left != 0) clock.sleep(left, clock.context);
  if (remaining() == 0) return done(ctx, kTimedOut);
  // The instruction has not been executed: it stands where it stood, and what has been counted before does not count.
  for (uint32_t back = cell.imm; back != 0; --back) {
    --ctx.pc;
    if (ctx.pc->op == static_cast<uint32_t>(SlotOp::step)) ++ctx.fuel;
    if (ctx.pc->op == static_cast<uint32_t>(SlotOp::count_block)) {
      --*std::bit_cast<uint64_t*>(static_cast<uintptr_t>(ctx.pc->wide()));
    }
  }
  return Exit::Waiting;
}

}  // namespace chiwawa
