// Blocks, branches, calls, and where exceptions are caught.
#include <cstring>

#include "interp/compiler.hpp"

namespace chiwawa {

void Compiler::sync_point() {
  if (sync_cell_ == here() && step_since_sync_) emit(SlotOp::nop_cell);
  bind();
  sync_cell_ = here();
  step_since_sync_ = false;
  if (options_.counting) sync_steps.push_back({.cell = here(), .steps = steps_});
  if (observer_ != nullptr) observer_->sync_point(here());
}

std::pair<std::span<const ValType>, std::span<const ValType>> Compiler::types_of(const BlockType& type) {
  switch (type.kind) {
    case BlockType::Kind::Empty: return {};
    case BlockType::Kind::Value: return {{}, singles_.of(type.value)};
    case BlockType::Kind::TypeIndex: break;
  }
  const FuncType& function_type = module_.types.func(type.type_index);
  return {function_type.params, function_type.results};
}

std::span<const ValType> Compiler::label_types(const Label& label) {
  return label.kind == Opcode::loop ? label.params : label.results;
}

uint32_t Compiler::target_of(uint32_t fixup) const {
  if ((fixup & 1) == 0) return cells[fixup >> 1].imm;
  uint32_t target;
  std::memcpy(&target, reinterpret_cast<const char*>(cells.data()) + (fixup >> 1) * sizeof target, sizeof target);
  return target;
}

void Compiler::set_target(uint32_t fixup, uint32_t target) {
  if ((fixup & 1) == 0) {
    cells[fixup >> 1].imm = target;
  } else {
    std::memcpy(reinterpret_cast<char*>(cells.data()) + (fixup >> 1) * sizeof target, &target, sizeof target);
  }
}

void Compiler::fix(uint32_t fixup) {
  while (fixup != kNone) {
    const uint32_t next = target_of(fixup);
    set_target(fixup, (fixup & 1) != 0 ? here() : distance(fixup >> 1, here()));
    if (options_.counting && (fixup & 1) == 0) count_branch(fixup >> 1, steps_before_[fixup >> 1], steps_);
    fixup = next;
  }
}

void Compiler::emit_jump(Label& to, SlotOp forward, SlotOp backward, SlotOp backward_poll, uint16_t a, uint16_t b,
                         uint16_t c) {
  if (to.kind == Opcode::loop) {
    const uint32_t cell = emit(counts() ? backward_poll : backward, 1, a, b, c);
    cells[cell].imm = distance(cell, to.loop_cell);
    if (options_.counting) count_branch(cell, steps_, to.loop_steps);
  } else {
    const uint32_t cell = emit(options_.counting ? backward_poll : forward, 0, a, b, c);
    add_fixup(to, cell_fixup(cell));
  }
}

bool Compiler::needs_moves(const Label& to) const {
  const size_t arity = label_types(to).size();
  const uint32_t first = height() - static_cast<uint32_t>(arity);
  if (arity == 0) return false;
  if (stack_[first].home != to.slot) return true;
  for (uint32_t at = first; at < height(); ++at) {
    if (stack_[at].place != StackEntry::Place::Home) return true;
  }
  return false;
}

void Compiler::settle_branch_values(const Label& to) {
  const size_t arity = label_types(to).size();
  if (arity > 1) settle_top(arity);
}

void Compiler::emit_branch_moves(uint16_t target, size_t arity) {
  const uint32_t first = height() - static_cast<uint32_t>(arity);
  if (arity == 1) {
    emit_move(target, stack_[first]);
  } else if (arity > 1 && stack_[first].home != target) {
    emit(SlotOp::copy_range, target, home(stack_[first]), 0, 0, next_home() - stack_[first].home);
  }
}

void Compiler::emit_branch(uint32_t depth) {
  if (is_function_label(depth)) {
    emit_return();
    return;
  }
  Label& to = label(depth);
  emit_branch_moves(to.slot, label_types(to).size());
  emit_jump(to, SlotOp::br_always, SlotOp::br_always, SlotOp::br_always_p, 0, 0, 0);
}

void Compiler::emit_return() {
  leave();
  const size_t arity = type_.results.size();
  if (arity == 1 && !is_vec(stack_.back().type)) {
    const uint16_t a = slot_of(stack_.back());
    emit(options_.counting ? SlotOp::ret_slot_n : SlotOp::ret_slot, 0, a, 0, 0, steps_);
  } else {
    emit_branch_moves(0, arity);
    emit(options_.counting ? SlotOp::ret_n : SlotOp::ret, 0, 0, 0, 0, steps_);
  }
}

namespace {

/// The comparison's operands as in a branch; nothing if its constant has too many bits for that.
std::optional<Cell> branch_operands(SlotOp comparison, Cell cell) {
  switch (comparison) {
#define CHIWAWA_CONSTANT_I32(cell) (cell).set_bc((cell).imm)
#define CHIWAWA_CONSTANT_I64(cell)                                 \
  const auto number = static_cast<int64_t>((cell).wide());         \
  if (number != static_cast<int32_t>(number)) return std::nullopt; \
  (cell).set_bc(static_cast<uint32_t>(number))
#define COMPARE(code, id, text, operand, result) \
  case SlotOp::id##_c: {                         \
    CHIWAWA_CONSTANT_##operand(cell);            \
    return cell;                                 \
  }
#include "interp/opcodes.def"
#undef CHIWAWA_CONSTANT_I32
#undef CHIWAWA_CONSTANT_I64
    default: return cell;
  }
}

}  // namespace

Compiler::Condition Compiler::pop_condition() {
  const StackEntry entry = pop();
  if (const Cell* producer = producer_of(entry)) {
    const Cell cell = *producer;
    const SlotOp op = accumulator_forms(static_cast<SlotOp>(cell.op)).in_slots;
    const BranchForms* forms = branch_forms(op);
    // A branch needs imm for its target: a constant moves to where the right operand's slot would be.
    const std::optional<Cell> operands = forms != nullptr ? branch_operands(op, cell) : std::nullopt;
    if (operands) {
      remove_last_cell();
      return {forms->when_true, forms->when_true_poll, forms->when_false, forms->when_false_poll,
              operands->a,      operands->b,           operands->c};
    }
    if (op == SlotOp::i32_eqz) {
      remove_last_cell();
      return {SlotOp::br_zero, SlotOp::br_zero_p, SlotOp::br_nonzero, SlotOp::br_nonzero_p, cell.a};
    }
    if (op == SlotOp::i64_eqz) {
      const BranchForms* zero = branch_forms(SlotOp::i64_eq_c);
      remove_last_cell();
      return {zero->when_true, zero->when_true_poll, zero->when_false, zero->when_false_poll, cell.a};
    }
  }
  return {SlotOp::br_nonzero, SlotOp::br_nonzero_p, SlotOp::br_zero, SlotOp::br_zero_p, slot_of(entry)};
}

void Compiler::compile_br_if(uint32_t depth, const Condition& condition) {
  Label& to = label(depth);
  settle_branch_values(to);
  if (!is_function_label(depth) && !needs_moves(to)) {
    emit_jump(to, condition.when_true, condition.when_true, condition.when_true_poll, condition.a, condition.b,
              condition.c);
  } else {
    const uint32_t skip = emit(condition.when_false, 0, condition.a, condition.b, condition.c);
    emit_branch(depth);
    cells[skip].imm = distance(skip, here());
    bind();
  }
  block_begins_ = true;
}

void Compiler::compile_br_table(const Instr& instr) {
  const uint16_t index = pop_slot();
  bool settled = false;  // the labels of one br_table have the same number of values
  reader_.for_each_label(instr, [&](uint32_t depth) {
    if (!std::exchange(settled, true)) settle_branch_values(label(depth));
  });
  const uint32_t count = instr.index + 1;
  const uint32_t cell = emit(SlotOp::br_switch, 0, index, 0, 0, count);
  constexpr uint32_t kPerCell = sizeof(Cell) / sizeof(uint32_t);
  const uint32_t first = here() * kPerCell;
  for (uint32_t entries = 0; entries < count; entries += kPerCell) append({});
  bind();
  tables_.push_back({cell, first, count});
  // What is done for a label, shared by all entries that name it.
  constexpr uint32_t kInTable = kNone - 1;
  if (pieces_.size() < labels_.size()) pieces_.resize(labels_.size(), kNone);
  uint32_t entry = first;
  reader_.for_each_label(instr, [&](uint32_t depth) {
    Label& to = label(depth);
    uint32_t& piece = pieces_[depth];
    if (piece == kNone) {
      const bool direct = !is_function_label(depth) && !needs_moves(to);
      if (direct && to.kind != Opcode::loop && !options_.counting) {
        piece = kInTable;
      } else if (direct && !counts()) {
        piece = to.loop_cell;
      } else {
        bind();
        piece = here();
        emit_branch(depth);
      }
    }
    if (piece == kInTable) {
      add_fixup(to, table_fixup(entry));
    } else {
      set_target(table_fixup(entry), piece);
    }
    ++entry;
  });
  reader_.for_each_label(instr, [&](uint32_t depth) { pieces_[depth] = kNone; });
}

void Compiler::leave_reachable() {
  reachable_ = false;
  block_begins_ = true;
  nesting_ = 0;
  open_syncs_ = sync_steps.size();
}

void Compiler::skip_unreachable(const Instr& instr) {
  switch (instr.opcode) {
    case Opcode::else_:
      if (nesting_ == 0) compile_else();
      return;
    case Opcode::catch_:
    case Opcode::catch_all:
      if (nesting_ == 0) compile_catch(instr);
      return;
    default: break;
  }
  if (opens_block(instr.opcode)) ++nesting_;
  if (!closes_block(instr.opcode)) return;
  if (nesting_ != 0) {
    --nesting_;
  } else {
    compile_end(instr);
  }
}

void Compiler::begin_block(const Instr& instr) {
  const auto [params, results] = types_of(instr.block);
  Label next{.kind = instr.opcode, .params = params, .results = results};
  if (instr.opcode == Opcode::if_) {
    // The condition stays fusable when nothing below needs settling.
    const Condition condition = pop_condition();
    settle_all();
    const uint32_t cell = emit(options_.counting ? condition.when_false_poll : condition.when_false, 0, condition.a,
                               condition.b, condition.c);
    next.else_fixup = cell_fixup(cell);
    cells[cell].imm = kNone;
    block_begins_ = true;
  } else {
    settle_all();
  }
  next.height = height() - static_cast<uint32_t>(params.size());
  next.slot = params.empty() ? next_home() : home(stack_[next.height]);
  next.region = labels_.back().region;
  if (instr.opcode == Opcode::try_ || instr.opcode == Opcode::try_table) {
    next.own_region = static_cast<uint32_t>(regions.size());
    regions.push_back({.outer = next.region, .clauses = {}});
    if (instr.opcode == Opcode::try_table) compile_catch_clauses(instr, next);
    next.region = next.own_region;
    enter_region(next.region);
  }
  if (instr.opcode == Opcode::loop) {
    sync_point();
    next.loop_cell = here();
    next.loop_steps = steps_;
    block_begins_ = true;
  }
  labels_.push_back(next);
}

void Compiler::reset_stack(uint32_t to_height, std::span<const ValType> types) {
  pop_to(to_height);
  for (const ValType type : types) push_home(type);
  settled_ = height();
  reachable_ = true;
}

void Compiler::compile_else() {
  Label& current = labels_.back();
  open_syncs_ = sync_steps.size();
  block_begins_ = true;
  if (reachable_) {
    settle_all();
    add_fixup(current, cell_fixup(emit(options_.counting ? SlotOp::br_always_p : SlotOp::br_always)));
  }
  bind();
  fix(std::exchange(current.else_fixup, kNone));
  current.kind = Opcode::else_;
  reset_stack(current.height, current.params);
}

void Compiler::enter_region(uint32_t region) {
  const uint32_t current = region_starts.empty() ? kNone : region_starts.back().region;
  if (region == current) return;
  bind();
  region_starts.push_back({here(), region});
}

void Compiler::compile_catch_clauses(const Instr& instr, const Label& label) {
  if (instr.index == 0) return;
  const std::vector<StackEntry> params(stack_.begin() + static_cast<ptrdiff_t>(label.height), stack_.end());
  pop_to(label.height);
  const uint32_t over = emit(SlotOp::br_always);
  reader_.for_each_catch(instr, [&](const CatchClause& clause) {
    bind();
    CatchTarget target{.any_tag = clause.any_tag,
                       .with_ref = clause.with_ref,
                       .slot = next_home(),
                       .tag_index = clause.tag_index,
                       .cell = here(),
                       .steps = steps_};
    if (!clause.any_tag) {
      for (const ValType type : module_.tag_type(clause.tag_index).params) push_home(type);
    }
    if (clause.with_ref) push_home(non_null(ValType::ExnRef));
    this->label(clause.label).catches = true;
    emit_branch(clause.label);
    pop_to(label.height);
    regions[label.own_region].clauses.push_back(target);
  });
  bind();
  cells[over].imm = distance(over, here());
  for (const StackEntry& param : params) push_home(param.type);
  settled_ = height();
}

void Compiler::compile_catch(const Instr& instr) {
  block_begins_ = true;
  open_syncs_ = sync_steps.size();
  if (reachable_) {
    settle_branch_values(labels_.back());
    emit_branch(0);
  }
  bind();
  Label& current = labels_.back();
  current.kind = Opcode::catch_;
  current.region = regions[current.own_region].outer;
  enter_region(current.region);
  if (options_.counting) sync_point();
  const bool any = instr.opcode == Opcode::catch_all;
  regions[current.own_region].clauses.push_back({.any_tag = any,
                                                 .with_ref = true,
                                                 .ref_first = true,
                                                 .slot = current.slot,
                                                 .tag_index = any ? 0 : instr.index,
                                                 .cell = here(),
                                                 .steps = steps_});
  reset_stack(current.height, {});
  push_home(non_null(ValType::ExnRef));
  if (!any) {
    for (const ValType type : module_.tag_type(instr.index).params) push_home(type);
  }
  settled_ = height();
}

void Compiler::compile_throw(const Instr& instr) {
  const size_t count = module_.tag_type(instr.index).params.size();
  emit_counted({.op = static_cast<uint32_t>(SlotOp::throw_exception), .a = pop_contiguous(count), .imm = instr.index});
  leave_reachable();
}

uint16_t Compiler::pop_contiguous(size_t count) {
  settle_top(count);
  pop_to(height() - static_cast<uint32_t>(count));
  return next_home();
}

void Compiler::compile_end(const Instr& instr) {
  const Label done = labels_.back();
  if (labels_.size() == 1) {
    if (reachable_) {
      settle_branch_values(labels_.back());
      emit_return();
    }
    labels_.pop_back();
    finish_counts();
    finish_tables();
    return;
  }
  if (reachable_ && done.kind == Opcode::catch_) {
    settle_branch_values(done);
    emit_branch_moves(done.slot, done.results.size());
  } else if (reachable_) {
    settle_all();
  }
  labels_.pop_back();
  enter_region(labels_.back().region);
  if (instr.opcode == Opcode::delegate) regions[done.own_region].outer = label(instr.index).region;
  const bool branched = done.fixups != kNone || done.else_fixup != kNone;
  if (branched) {
    bind();
    block_begins_ = true;
    // Where exceptions are thrown to the budget is not looked at, and behind a call before an else or a catch the
    // machine cannot stop: it does here.
    const bool late = done.catches || done.kind == Opcode::else_ || done.kind == Opcode::catch_;
    if (options_.counting && late) sync_point();
    fix(done.fixups);
    fix(done.else_fixup);
  }
  if (reachable_ || branched) {
    reset_stack(done.height, done.results);
  } else {
    pop_to(done.height);
    leave_reachable();
  }
}

void Compiler::count_branch(uint32_t cell, uint32_t from, uint32_t to) {
  const auto count = static_cast<int32_t>(from - to);
  if (count == static_cast<int16_t>(count)) {
    cells[cell].d = static_cast<uint16_t>(count);
  } else {
    long_counts_.push_back({cell, static_cast<uint32_t>(count)});
  }
}

void Compiler::finish_counts() {
  for (const LongCount& branch : long_counts_) {
    bind();
    const uint32_t target = branch.cell + cells[branch.cell].imm / static_cast<uint32_t>(sizeof(Cell));
    Cell cell{.op = static_cast<uint32_t>(SlotOp::br_always_n), .imm = distance(here(), target)};
    cell.set_bc(branch.count);
    cells[branch.cell].d = 0;
    cells[branch.cell].imm = distance(branch.cell, here());
    append(cell);
  }
}

void Compiler::finish_tables() {
  for (const Table& table : tables_) {
    for (uint32_t i = 0; i < table.count; ++i) {
      const uint32_t entry = table_fixup(table.first + i);
      set_target(entry, distance(table.cell, target_of(entry)));
    }
  }
}

Compiler::CallSite Compiler::pop_call(const Instr& instr) {
  using Kind = CallSite::Kind;
  Kind kind = Kind::Function;
  if (instr.opcode == Opcode::call_indirect || instr.opcode == Opcode::return_call_indirect) kind = Kind::Table;
  if (instr.opcode == Opcode::call_ref || instr.opcode == Opcode::return_call_ref) kind = Kind::Reference;
  CallSite site{kind == Kind::Function ? module_.function_type(instr.index) : module_.types.func(instr.index), kind};
  if (kind != Kind::Function) site.callee_slot = pop_slot();
  if (at_barrier(instr.end)) settle_all();
  settle_top(site.callee.params.size());
  pop_to(height() - static_cast<uint32_t>(site.callee.params.size()));
  site.first_slot = next_home();
  return site;
}

void Compiler::emit_call(const Instr& instr, const CallSite& site, SlotOp function, SlotOp table, SlotOp reference) {
  switch (site.kind) {
    case CallSite::Kind::Function:
      emit_counted({.op = static_cast<uint32_t>(function), .d = site.first_slot, .imm = instr.index});
      break;
    case CallSite::Kind::Table: {
      Cell cell{.op = static_cast<uint32_t>(table),
                .d = site.first_slot,
                .a = site.callee_slot,
                .imm = instance_.type_ids[instr.index]};
      cell.set_bc(instr.index2);
      emit(cell);
      if (options_.counting) emit_counted({.op = static_cast<uint32_t>(SlotOp::nop_cell), .d = site.first_slot});
      break;
    }
    case CallSite::Kind::Reference:
      emit_counted({.op = static_cast<uint32_t>(reference), .d = site.first_slot, .a = site.callee_slot});
      break;
  }
}

void Compiler::finish_call(const Instr& instr, const CallSite& site) {
  if (observer_ != nullptr) observer_->return_point(instr.end, here(), stack_, site.callee, site.first_slot);
  for (const ValType type : site.callee.results) push_home(type);
  if (options_.counting) sync_point();
}

void Compiler::compile_call(const Instr& instr) {
  const CallSite site = pop_call(instr);
  const bool imported = site.kind == CallSite::Kind::Function && module_.is_imported_function(instr.index);
  const auto counted = [this](SlotOp plain, SlotOp polls, SlotOp counting) {
    return options_.counting ? counting : options_.polls ? polls : plain;
  };
  const SlotOp internal = counted(SlotOp::call_internal, SlotOp::call_internal_p, SlotOp::call_internal_n);
  emit_call(instr, site, imported ? SlotOp::call_external : internal,
            counted(SlotOp::call_table, SlotOp::call_table_p, SlotOp::call_table_n), SlotOp::call_reference);
  finish_call(instr, site);
}

void Compiler::compile_tail_call(const Instr& instr) {
  const CallSite site = pop_call(instr);
  emit_call(instr, site, SlotOp::tail_call_function,
            options_.counting ? SlotOp::tail_call_table_n : SlotOp::tail_call_table, SlotOp::tail_call_reference);
  if (site.kind != CallSite::Kind::Function || module_.is_imported_function(instr.index)) {
    finish_call(instr, site);
    emit_return();
  }
  leave_reachable();
}

}  // namespace chiwawa
