// What is inserted for monitors.
#include <bit>

#include "interp/compiler.hpp"

namespace chiwawa {

void Compiler::begin_probes() {
  if (store_.instrumentation == nullptr) return;
  wishes_ = store_.instrumentation->wishes(function_);
  enter_pending_ = wishes_.calls || wishes_.call_tree;
  // A frame that stands before its first step has not been entered. Where that step is in a loop, frames stand there
  // after it, too; then it is entered at once, and there is nowhere to stand before.
  Instr instr;
  Error error;
  InstrReader ahead(module_.bytes, body_.code);
  while (ahead.read(instr, error) && !is_step(instr.opcode)) {
    if (instr.opcode != Opcode::loop) continue;
    stops_at_entry = !enter_pending_;
    if (enter_pending_) enter();
    return;
  }
  probes.entry_position = instr.offset;
}

void Compiler::enter() {
  enter_pending_ = false;
  // Where every step is counted before it is executed, the function's first one is counted here.
  emit_call_event(CallOut::Enter, SlotOp::enter_call, !options_.counting && has_step ? -1 : 0);
}

void Compiler::leave() {
  if (enter_pending_) enter();
  if (!wishes_.calls && !wishes_.call_tree) return;
  emit_call_event(CallOut::Leave, SlotOp::leave_call, options_.counting ? static_cast<int32_t>(steps_) : 0);
}

void Compiler::emit_call_event(CallOut event, SlotOp fast, int32_t steps) {
  Cell cell{.op = static_cast<uint32_t>(SlotOp::call_out),
            .a = static_cast<uint16_t>(event),
            .imm = static_cast<uint32_t>(steps)};
  cell.set_bc(raw(function_.code.function));
  if (options_.accumulators && wishes_.call_tree && !wishes_.calls) cell.op = static_cast<uint32_t>(fast);
  emit(cell);
}

void Compiler::emit_probes(const Instr& instr, uint32_t watchers) {
  if (wishes_.counts) {
    if (std::exchange(block_begins_, false)) {
      count_cells_.push_back(emit(SlotOp::count_block));
      blocks.push_back({instr.offset, instr.end});
    }
    blocks.back().end = instr.end;
  }
  if (enter_pending_) enter();
  if (watchers != 0) {
    emit(SlotOp::call_out, 0, static_cast<uint16_t>(CallOut::Look), 0, 0, static_cast<uint32_t>(probes.sites.size()));
    bind();
    add_site(instr, watchers);
  }
}

void Compiler::add_site(const Instr& instr, uint32_t watchers) {
  // Nearly always the operands begin as the last site's do.
  const uint32_t before = probes.sites.empty() ? 0 : probes.sites.back().first_type;
  const auto begins = [&] {
    for (uint32_t i = 0; i < height(); ++i) {
      if (before + i >= probes.types.size()) return false;
      if (probes.types[before + i] != stack_[i].type) return false;
    }
    return true;
  };
  ProbeSite site{instr, watchers, before, height()};
  if (!begins()) {
    site.first_type = static_cast<uint32_t>(probes.types.size());
    for (const StackEntry& entry : stack_) probes.types.push_back(entry.type);
  }
  probes.sites.push_back(site);
}

void Compiler::finish_probes(Code& code) {
  if (store_.instrumentation == nullptr) return;
  if (wishes_.counts) {
    uint64_t* const counters = store_.instrumentation->counters(code.function, blocks);
    for (size_t i = 0; i < count_cells_.size(); ++i) {
      cells[count_cells_[i]].set_wide(std::bit_cast<uintptr_t>(counters + i));
    }
  }
  probes.locals = local_types_;
  probes.cell_offsets = cell_offsets;
  code.probes = std::make_shared<const Probes>(std::move(probes));
  code.stops_at_entry = stops_at_entry;
}

}  // namespace chiwawa
