#include "interp/instrumentation.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

#include "interp/compile.hpp"
#include "interp/executor.hpp"

namespace chiwawa {

namespace {

// Names of what monitors share.
constexpr const char* kCounts = "counts";
constexpr const char* kCalls = "calls";

/// Where the frame stands: the module offset of the cell's instruction.
uint32_t offset_of(const Frame& frame, const Cell* at) {
  const Code& code = *frame.code;
  return code.probes->cell_offsets[static_cast<size_t>(at - code.cells)];
}

/// The function's code, made for what the compiler learns while making it.
Code compile_anew(const Store& store, const FuncInst& function) {
  Code code;
  code.param_slots = function.code.param_slots;
  code.function = function.code.function;
  code.instance = function.instance;
  compile(store, code);
  return code;
}

}  // namespace

std::span<const uint8_t> HostCallEvent::memory() const {
  if (caller == nullptr || caller->cache.memories.empty()) return {};
  const LinearMemory& memory = caller->cache.memories[0]->memory;
  return {memory.data(), static_cast<size_t>(memory.size_bytes())};
}

Instrumentation::Instrumentation(std::vector<Monitor*> monitors) : monitors_(std::move(monitors)) {
  assert(monitors_.size() <= kMostMonitors);
  for (const Monitor* monitor : monitors_) {
    wants_counts_ |= monitor->wants_counts();
    wants_tree_ |= monitor->wants_call_tree();
  }
}

Instrumentation::Wishes Instrumentation::wishes(const FuncInst& function) const {
  Wishes wishes{.counts = wants_counts_, .call_tree = wants_tree_};
  for (const Monitor* monitor : monitors_) {
    wishes.instructions |= monitor->wants_instructions(function);
    wishes.calls |= monitor->wants_calls(function);
  }
  return wishes;
}

uint32_t Instrumentation::watchers(const FuncInst& function, const Instr& instr) const {
  uint32_t watchers = 0;
  for (size_t i = 0; i < monitors_.size(); ++i) {
    const bool wants = monitors_[i]->wants_instructions(function) && monitors_[i]->wants(function, instr);
    watchers |= uint32_t{wants} << i;
  }
  return watchers;
}

void Instrumentation::count_uncalled(const Store& store) {
  for (const auto& function : store.funcs) {
    if (!function->is_host() && !counts_.has(function->code.function)) compile_anew(store, *function);
  }
}

void Instrumentation::sample(Machine& machine, const Store& store, uint64_t nanoseconds) {
  const std::vector<CodePosition> chain = machine.call_chain();
  for (Monitor* monitor : monitors_) monitor->sampled(store, chain, nanoseconds);
}

void Instrumentation::end(Machine& machine, const Store& store, const Outcome& outcome) {
  for (const auto& function : store.funcs) {
    if (counts_.waits(function->code.function)) compile_anew(store, *function);
  }
  if (wants_counts_ && outcome.kind == Outcome::Kind::Paused) {
    for (const FrameImage& frame : machine.capture().frames) counts_.abandon(frame.function, frame.position);
  } else if (wants_counts_ && outcome.kind != Outcome::Kind::Finished) {
    // They stand at instructions that have been begun.
    for (const CodePosition& at : machine.call_chain(~size_t{0})) counts_.abandon(at.function, at.offset + 1);
  }
  if (wants_tree_) tree_.pass(machine.steps());
  for (Monitor* monitor : monitors_) monitor->ended({store, outcome.kind}, *this);
}

std::vector<MonitorState> Instrumentation::save(const Machine& machine) {
  std::vector<MonitorState> states;
  if (wants_counts_) states.push_back({kCounts, counts_.save()});
  if (wants_tree_) tree_.pass(machine.steps());
  if (wants_tree_) states.push_back({kCalls, tree_.save()});
  for (const Monitor* monitor : monitors_) {
    std::vector<uint8_t> bytes = monitor->save();
    if (!bytes.empty()) states.push_back({std::string(monitor->name()), std::move(bytes)});
  }
  return states;
}

Result<void> Instrumentation::load(const std::vector<MonitorState>& states, const Store& store,
                                   std::vector<std::string>& unknown) {
  for (const MonitorState& state : states) {
    const auto monitor = std::ranges::find_if(monitors_, [&](const Monitor* m) { return m->name() == state.name; });
    if (wants_counts_ && state.name == kCounts) {
      CHIWAWA_TRY(counts_.load(state.bytes, store));
    } else if (wants_tree_ && state.name == kCalls) {
      CHIWAWA_TRY(tree_.load(state.bytes, store));
    } else if (monitor != monitors_.end()) {
      CHIWAWA_TRY((*monitor)->load(state.bytes, store));
    } else {
      unknown.push_back(state.name);
    }
  }
  return {};
}

void Instrumentation::stand(const Store& store, const MachineImage& image) {
  std::vector<FuncAddr> functions;
  functions.reserve(image.frames.size());
  for (const FrameImage& frame : image.frames) functions.push_back(frame.function);
  if (!functions.empty() && !image.pending) {
    // One that stands before its first step has not been entered: the code there says that it is.
    const Code code = compile_anew(store, store[functions.back()]);
    if (code.probes->entry_position == image.frames.back().position) functions.pop_back();
  }
  if (wants_tree_) tree_.stand(functions, image.steps.value_or(0));
}

void Instrumentation::look(const Context& ctx) {
  // A wait that goes on has been looked at when it began.
  if (ctx.wait_since) return;
  const Code& code = *ctx.frame->code;
  const ProbeSite& site = code.probes->sites[ctx.pc->imm];
  const View view(ctx, code, site, ctx.fp);
  for (uint32_t watchers = site.watchers; watchers != 0; watchers &= watchers - 1) {
    monitors_[static_cast<size_t>(std::countr_zero(watchers))]->before(view);
  }
}

void Instrumentation::enter(const Context& ctx, uint64_t steps) {
  const FuncAddr function = ctx.frame->code->function;
  if (wants_tree_) tree_.enter(function, steps);
  const FuncInst& inst = (*ctx.store)[function];
  for (Monitor* monitor : monitors_) {
    if (monitor->wants_calls(inst)) monitor->entered(*ctx.store, function);
  }
}

void Instrumentation::leave(const Context& ctx, uint64_t steps) {
  const FuncAddr function = ctx.frame->code->function;
  if (wants_tree_) tree_.leave(steps);
  const FuncInst& inst = (*ctx.store)[function];
  for (Monitor* monitor : monitors_) {
    if (monitor->wants_calls(inst)) monitor->left(*ctx.store, function);
  }
}

void Instrumentation::abandon(const Frame& frame, const Cell* at) {
  if (wants_counts_) counts_.abandon(frame.code->function, offset_of(frame, at) + 1);
}

void Instrumentation::unwind(const Context& ctx, const Frame& frame, const Cell* at) {
  abandon(frame, at);
  if (wants_tree_) tree_.leave(ctx.steps(ctx.counting ? static_cast<int32_t>(ctx.pc->bc()) : 0));
  const FuncInst& inst = (*ctx.store)[frame.code->function];
  for (Monitor* monitor : monitors_) {
    if (monitor->wants_calls(inst)) monitor->left(*ctx.store, frame.code->function);
  }
}

void Instrumentation::host_call(const HostCallEvent& event) {
  for (Monitor* monitor : monitors_) monitor->host_call(event);
}

void Instrumentation::memory_grown(const MemoryGrownEvent& event) {
  for (Monitor* monitor : monitors_) monitor->memory_grown(event);
}

WatchedHostCall::WatchedHostCall(const Context& ctx, const FuncInst& function, const uint64_t* slots, const Cell* call)
    : ctx_(ctx),
      function_(function),
      args_(load_values(function.type.params, slots)),
      begin_(std::chrono::steady_clock::now()) {
  if (ctx.frame->code->probes != nullptr) position_ = {ctx.frame->code->function, offset_of(*ctx.frame, call)};
}

void WatchedHostCall::ended(const HostResult& result, const uint64_t* slots) {
  if (result.kind == HostResult::Kind::Wait) return;
  std::vector<Value> results;
  if (result.kind == HostResult::Kind::Return) results = load_values(function_.type.results, slots);
  const Instance* const caller = ctx_.frame->code->probes != nullptr ? ctx_.instance : nullptr;
  ctx_.store->instrumentation->host_call(
      {*ctx_.store, function_, caller, position_, args_, results, result.kind, result.exit_code,
       static_cast<uint64_t>(std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin_).count())});
}

Exit call_out(Context& ctx) {
  const auto purpose = static_cast<CallOut>(ctx.pc->a);
  if (purpose == CallOut::Compile) return enter_uncompiled(ctx);
  Instrumentation& instrumentation = *ctx.store->instrumentation;
  const uint64_t steps = ctx.steps(static_cast<int32_t>(ctx.pc->imm));
  switch (purpose) {
    case CallOut::Compile: break;
    case CallOut::Look: instrumentation.look(ctx); break;
    case CallOut::Enter: instrumentation.enter(ctx, steps); break;
    case CallOut::Leave: instrumentation.leave(ctx, steps); break;
  }
  ++ctx.pc;
  return Exit::Go;
}

}  // namespace chiwawa
