#include "interp/machine.hpp"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <limits>
#include <utility>

#include "interp/compile.hpp"
#include "interp/instrumentation.hpp"
#include "interp/machine_impl.hpp"

namespace chiwawa {

bool has_dispatch(Dispatch dispatch) {
  switch (dispatch) {
    case Dispatch::Loop: return CHIWAWA_DISPATCH_LOOP != 0;
    case Dispatch::Tail: return CHIWAWA_DISPATCH_TAIL != 0;
  }
  return false;
}

Dispatch default_dispatch() { return has_dispatch(Dispatch::Tail) ? Dispatch::Tail : Dispatch::Loop; }

namespace {

Exit dispatch_run(Dispatch dispatch, Context& ctx) {
#if CHIWAWA_DISPATCH_TAIL
  if (dispatch == Dispatch::Tail) return run_tail(ctx);
#endif
#if CHIWAWA_DISPATCH_LOOP
  if (dispatch == Dispatch::Loop) return run_loop(ctx);
#endif
  (void)dispatch, (void)ctx;
  __builtin_unreachable();
}

}  // namespace

Machine::Machine(Store& store, MachineLimits limits, Dispatch dispatch) : impl_(std::make_unique<Impl>(*this)) {
  impl_->ctx.store = &store;
  impl_->ctx.limits = limits;
  impl_->ctx.polls = store.compile_options.polls && !store.compile_options.exact;
  impl_->dispatch = dispatch;
}

Machine::~Machine() = default;

void Machine::Impl::reset() {
  ctx.pending.reset();
  ctx.wait_since.reset();
  ctx.trap = TrapKind::None;
  ctx.trap_detail.clear();
  ctx.instance = nullptr;
  ctx.load_memory();
  restored_codes.clear();
  restored_at.reset();
  ctx.pc = kEntryCode.cells;
  ctx.frame = ctx.frames.data.get();
  ctx.fp = ctx.slots.data.get();
}

bool Machine::Impl::reserve(uint64_t slots, uint32_t frames) {
  CompileOptions& options = ctx.store->compile_options;
  if (options.accumulators != (dispatch == Dispatch::Tail)) {
    options.accumulators = !options.accumulators;
    ctx.store->forget_code();
  }
  ctx.counting = options.counting;
  ctx.tree = ctx.store->instrumentation != nullptr ? ctx.store->instrumentation->tree() : nullptr;
  if (ctx.slots.size == 0 && !ctx.slots.resize(256)) return false;
  if (ctx.frames.size == 0 && !ctx.frames.resize(64)) return false;
  // What is there may already be more than the limits allow.
  const size_t max_frames = size_t{ctx.limits.max_call_depth} + 1;
  ctx.frames_end = ctx.frames.data.get() + std::min(ctx.frames.size, max_frames);
  ctx.slots_end = ctx.slots.data.get() + std::min<size_t>(ctx.slots.size, ctx.limits.max_stack_slots);
  reset();
  ctx.frame->code = &kEntryCode;
  return grow_stacks(ctx, slots, frames);
}

Result<void> Machine::invoke(FuncAddr function, std::span<const Value> args) {
  const Store& store = *impl_->ctx.store;
  const FuncType& type = store[function].type;
  RefChecker refs(store);
  const bool fits = args.size() == type.params.size() &&
                    std::equal(args.begin(), args.end(), type.params.begin(), [&](const Value& value, ValType param) {
                      return store.types.top(value.type) == store.types.top(param) &&
                             (!is_ref(param) || refs.is_valid(value.bits, param));
                    });
  if (!fits) return Error{Phase::Invoke, "arguments do not fit the function's type " + name(type)};
  if (!impl_->reserve(std::max(slots_of(type.params), slots_of(type.results)), 0)) {
    return Error{Phase::Invoke, "no memory for the stack"};
  }
  Context& ctx = impl_->ctx;
  store_values(ctx.fp, args);
  ctx.entry = function;
  return {};
}

uint64_t Machine::steps() const { return impl_->steps; }

Exit Machine::Impl::run() {
  restored_at.reset();
  Exit exit = ctx.pending ? resume_host_call(ctx) : Exit::Go;
  while (exit == Exit::Go || exit == Exit::Budget) {
    if (exit == Exit::Budget) {
      if (ctx.pc == &kCompileStub) {
        exit = enter_uncompiled(ctx);
        if (exit != Exit::Go) continue;
      }
      // A function without a step is left before it can be seen, and so are frames that are no function's; the next
      // poll will do.
      // Code that counts goes on from where it has no position; before the next step it looks at the budget again.
      const Code& code = *ctx.frame->code;
      const bool at_step = code.has_step && (code.stops_at_entry || ctx.pc != code.cells);
      if (ctx.counting ? sync_here() != nullptr && sync_here()->stops : at_step) return Exit::Budget;
      if (!ctx.counting) ctx.fuel = 1;
    }
    exit = dispatch_run(dispatch, ctx);
  }
  return exit;
}

Outcome Machine::run(uint64_t budget) {
  Context& ctx = impl_->ctx;
  const auto fuel = static_cast<int64_t>(std::min<uint64_t>(budget, std::numeric_limits<int64_t>::max()));
  impl_->set_counting(false);
  ctx.fuel = fuel;
  ctx.steps_base = impl_->steps + static_cast<uint64_t>(fuel);
  const Exit exit = impl_->run();
  if (ctx.store->compile_options.exact) impl_->steps += static_cast<uint64_t>(fuel - ctx.fuel);
  return impl_->outcome(exit);
}

Outcome Machine::run_up_to(uint64_t budget) {
  Context& ctx = impl_->ctx;
  if (!ctx.store->compile_options.exact) return run(budget);
  // While it runs, the steps executed are those of `granted` without what is left and with those that are before the
  // place in its function. The last are at most `early`, so that the budget is never exceeded when nothing is left.
  const auto early = static_cast<int64_t>(reach());
  const auto granted =
      static_cast<int64_t>(std::min<uint64_t>(budget, std::numeric_limits<int64_t>::max() / 2)) - early;
  if (granted <= 0) return impl_->outcome(Exit::Budget);
  impl_->set_counting(true);
  const auto before = static_cast<int64_t>(impl_->steps_before(Exit::Budget));
  ctx.fuel = granted + before;
  ctx.steps_base = impl_->steps + static_cast<uint64_t>(granted);
  const Exit exit = impl_->run();
  const auto now = static_cast<int64_t>(impl_->steps_before(exit));
  impl_->steps += static_cast<uint64_t>(granted + before - ctx.fuel + now - before);
  return impl_->outcome(exit);
}

uint64_t Machine::reach() const {
  uint64_t most = 0;
  for (const auto& instance : impl_->ctx.store->instances) {
    for (const FunctionBody& body : instance->module->bodies) most = std::max<uint64_t>(most, body.code.size());
  }
  return most + 1;  // no instruction is shorter than a byte
}

void Machine::Impl::set_counting(bool on) {
  bool& counting = ctx.store->compile_options.counting;
  if (counting == on) return;
  const bool begun = ctx.pending || ctx.pc != kEntryCode.cells;
  MachineImage image;
  if (begun) image = owner.capture();
  counting = on;
  ctx.store->forget_code();
  ctx.counting = on;
  if (!begun) return;
  // It is this computation's own image, and the frames have the same size. To begin anew would be worse than to end.
  if (!owner.restore(image)) std::abort();
}

namespace {

/// The module offsets of all steps.
class StepLister : public CompileObserver {
 public:
  void instruction(uint32_t offset, uint32_t /*cell*/, std::span<const StackEntry> /*stack*/) override {
    offsets.push_back(offset);
  }
  std::vector<uint32_t> offsets;
};

}  // namespace

const SyncSteps* Machine::Impl::sync_here() const {
  const Code& code = *ctx.frame->code;
  if (code.instance == nullptr) return nullptr;
  const auto cell = static_cast<uint32_t>(ctx.pc - code.cells);
  const auto at = std::ranges::lower_bound(code.sync_steps, cell, {}, &SyncSteps::cell);
  return at != code.sync_steps.end() && at->cell == cell ? &*at : nullptr;
}

uint64_t Machine::Impl::steps_before(Exit exit) const {
  const Code& code = *ctx.frame->code;
  if (code.instance == nullptr || ctx.pc == &kCompileStub) return 0;
  const auto cell = static_cast<uint32_t>(ctx.pc - code.cells);
  if (!restored_at && (exit == Exit::Budget || exit == Exit::Waiting)) {
    const SyncSteps* const sync = sync_here();
    assert(sync != nullptr);
    return sync->steps;
  }
  StepLister lister;
  const std::vector<uint32_t> offsets = observe(*ctx.store, code, lister);
  // What stopped it has been executed, or at least begun.
  const uint32_t end = restored_at ? *restored_at : offsets[cell] + 1;
  return static_cast<uint64_t>(std::ranges::lower_bound(lister.offsets, end) - lister.offsets.begin());
}

Outcome Machine::Impl::outcome(Exit exit) {
  Outcome outcome;
  switch (exit) {
    case Exit::Go: break;
    case Exit::Finished: {
      outcome.kind = Outcome::Kind::Finished;
      const std::vector<ValType> types = ctx.store->types.top((*ctx.store)[ctx.entry].type.results);
      outcome.values = load_values(types, ctx.slots.data.get());
      break;
    }
    case Exit::Budget:
      outcome.kind = Outcome::Kind::Paused;
      outcome.pause = PauseReason::Budget;
      break;
    case Exit::Waiting:
      outcome.kind = Outcome::Kind::Paused;
      outcome.pause = PauseReason::HostWait;
      break;
    case Exit::Trapped:
      outcome.kind = Outcome::Kind::Trapped;
      outcome.trap = {ctx.trap, std::move(ctx.trap_detail), call_chain(Trap::kMaxReportedFrames)};
      break;
    case Exit::Exited:
      outcome.kind = Outcome::Kind::Exited;
      outcome.exit_code = ctx.exit_code;
      break;
  }
  return outcome;
}

std::vector<CodePosition> Machine::call_chain(size_t max) { return impl_->call_chain(max); }

std::vector<CodePosition> Machine::Impl::call_chain(size_t max) const {
  std::vector<CodePosition> chain;
  CompileObserver nobody;
  const Code* observed = nullptr;
  std::vector<uint32_t> made;
  std::span<const uint32_t> offsets;  // by cell
  // Behind a call there is the cell that it returns to; the innermost frame stands at its cell itself.
  const Cell* at = ctx.pending ? ctx.pc - 1 : ctx.pc;
  for (const Frame* frame = ctx.frame; frame != ctx.frames.data.get() && chain.size() < max; --frame) {
    const Code& code = *frame->code;
    if (code.instance != nullptr) {
      uint32_t offset = code.instance->module->body((*ctx.store)[code.function].function_index).code.begin;
      if (!code.storage.empty() && at != &kCompileStub) {
        if (observed != &code) {
          if (code.probes == nullptr) made = observe(*ctx.store, code, nobody);
          offsets = code.probes != nullptr ? std::span(code.probes->cell_offsets) : std::span<const uint32_t>(made);
          observed = &code;
        }
        offset = offsets[static_cast<size_t>(at - code.cells)];
      }
      chain.push_back({code.function, offset});
    }
    at = frame[-1].pc - 1;
  }
  return chain;
}

}  // namespace chiwawa
