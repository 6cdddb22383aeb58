// Instructions one by one, but for control and for what is made of references.
#include "interp/compiler.hpp"

namespace chiwawa {

uint32_t Compiler::emit(Cell cell) {
  const bool produces = producer_ == here();
  while (here() > bound_) {
    const Cell last = cells.back();
    const std::optional<Cell> fused = fuse(last, cell, is_last_use(last.d, cell, produces));
    if (!fused) break;
    // What has been pushed must be in slot d, or it could not be redirected to a local.
    if (produces && accumulator_forms(static_cast<SlotOp>(fused->op)).kind != AccumulatorForms::Kind::Value) break;
    remove_last_cell();
    cell = *fused;
  }
  if (options_.accumulators) use_accumulators(cell, produces);
  if (produces) producer_ = here();
  append(cell);
  if (options_.accumulators) note_accumulators(cell);
  return here() - 1;
}

bool Compiler::is_last_use(uint16_t slot, const Cell& cell, bool produces) const {
  if (slot < local_slots) return false;
  if (slot >= next_home()) return true;
  // The result has been pushed already.
  return produces && slot == cell.d && stack_.back().home == slot;
}

void Compiler::use_accumulators(Cell& cell, bool produces) {
  const AccumulatorForms forms = accumulator_forms(static_cast<SlotOp>(cell.op));
  const auto holds = [this](Accumulator accumulator, uint16_t slot) {
    return accumulator != Accumulator::None && held_[static_cast<size_t>(accumulator)] == slot;
  };
  uint16_t slot = 0;
  if (holds(forms.a, cell.a)) {
    cell.op = static_cast<uint32_t>(forms.a_in_accumulator);
    slot = cell.a;
  } else if (holds(forms.b, cell.b)) {
    cell.op = static_cast<uint32_t>(forms.b_in_accumulator);
    slot = cell.b;
  } else {
    return;
  }
  if (here() == bound_ || !is_last_use(slot, cell, produces)) return;
  Cell& last = cells.back();
  const AccumulatorForms producer = accumulator_forms(static_cast<SlotOp>(last.op));
  if (producer.kind != AccumulatorForms::Kind::Value || last.d != slot) return;
  last.op = static_cast<uint32_t>(producer.to_accumulator);
}

void Compiler::note_accumulators(const Cell& cell) {
  const AccumulatorForms forms = accumulator_forms(static_cast<SlotOp>(cell.op));
  switch (forms.kind) {
    case AccumulatorForms::Kind::Unknown: held_ = kNothingHeld; return;
    case AccumulatorForms::Kind::Effect: return;
    case AccumulatorForms::Kind::Value: break;
  }
  std::ranges::replace(held_, uint32_t{cell.d}, kNone);
  held_[static_cast<size_t>(forms.result)] = cell.d;
}

void Compiler::remove_last_cell() {
  cells.pop_back();
  cell_offsets.pop_back();
  producer_ = kNone;
  held_ = held_before_.back();
  held_before_.pop_back();
  if (options_.counting) steps_before_.pop_back();
  if (here() == bound_) return;
  // Only the removed cell can have taken the value from the accumulator.
  Cell& last = cells.back();
  last.op = static_cast<uint32_t>(accumulator_forms(static_cast<SlotOp>(last.op)).with_slot);
}

bool Compiler::at_barrier(uint32_t offset) const {
  return !barriers_.empty() && std::binary_search(barriers_.begin(), barriers_.end(), offset);
}

void Compiler::report_step(uint32_t watchers) {
  has_step = true;
  ++steps_;
  for (; open_syncs_ < sync_steps.size(); ++open_syncs_) sync_steps[open_syncs_].stops = true;
  step_since_sync_ = true;
  if (at_barrier(offset_) || options_.no_fusion || watchers != 0) {
    settle_all();
    bind();
  }
  if (observer_ != nullptr) observer_->instruction(offset_, here(), stack_);
}

void Compiler::compile_local_set(uint32_t local, bool keep) {
  const StackEntry value = pop();
  const bool same = value.place == StackEntry::Place::Local && value.local == local;
  if (!same) {
    Cell* producer = aliases_[local] == 0 ? producer_of(value) : nullptr;
    if (producer != nullptr) {
      // Emitted again, because it may now be one with the cell before; what traps in it stays where it was.
      Cell cell = *producer;
      cell.op = static_cast<uint32_t>(accumulator_forms(static_cast<SlotOp>(cell.op)).in_slots);
      cell.d = local_slots_[local];
      const uint32_t offset = cell_offsets.back();
      remove_last_cell();
      emit(cell);
      cell_offsets.back() = offset;
    } else {
      settle_aliases(local);
      emit_move(local_slots_[local], value);
    }
  }
  if (keep) push({.type = value.type, .place = StackEntry::Place::Local, .local = local});
}

void Compiler::compile_binary(const Instr& instr) {
  const SlotForms* forms = &slot_forms(instr.opcode);
  const std::optional<Opcode> exchanged = swapped(instr.opcode);
  StackEntry right = pop();
  StackEntry left = pop();
  const auto is_constant = [](const StackEntry& entry) { return entry.place == StackEntry::Place::Constant; };
  if (forms->constant && exchanged && is_constant(left) && !is_constant(right)) {
    std::swap(left, right);
    forms = &slot_forms(*exchanged);
  }
  const uint16_t a = slot_of(left);
  if (forms->constant && is_constant(right)) {
    Cell cell{.op = static_cast<uint32_t>(*forms->constant), .a = a};
    if (right.type == ValType::I32 || right.type == ValType::F32) {
      cell.imm = static_cast<uint32_t>(right.bits);
    } else {
      cell.set_wide(right.bits);
    }
    cell.d = push_result(forms->result);
    emit(cell);
  } else {
    const uint16_t b = slot_of(right);
    const uint16_t d = push_result(forms->result);
    emit(forms->slots, d, a, b, forms->has_lane ? instr.lane : 0);
  }
}

void Compiler::compile_wide(const SlotForms& forms, bool four) {
  const uint16_t last = pop_slot(), third = pop_slot();
  const uint16_t b = four ? pop_slot() : last, a = four ? pop_slot() : third;
  push_home(forms.result);
  const uint16_t d = home(stack_.back());
  push_home(forms.result);
  emit(forms.slots, d, a, b, four ? third : 0, four ? last : 0);
}

void Compiler::compile_atomic(const SlotForms& forms, const Instr& instr, int operands) {
  const uint16_t c = operands == 3 ? pop_slot() : 0;
  const uint16_t b = operands >= 2 ? pop_slot() : 0;
  const uint16_t a = pop_slot();
  const bool is_store = forms.shape == SlotForms::Shape::AtomicStore;
  const uint16_t d = is_store ? 0 : push_result(forms.result);
  emit(forms.slots, d, a, b, c);
  emit_far(SlotOp::nop_cell, instr, 0, 0, static_cast<uint16_t>(instr.index));
}

void Compiler::compile_wait(const Instr& instr) {
  // begin_wait() has put all into their homes: the timeout is behind the expected value.
  assert(settled_ == height());
  const uint16_t expected = home(stack_[height() - 2]), a = home(stack_[height() - 3]);
  pop_to(height() - 3);
  push_home(ValType::I32);
  emit(SlotOp::atomic_wait, home(stack_.back()), a, expected, instr.opcode == Opcode::memory_atomic_wait64 ? 8 : 4,
       here() - sync_cell_);
  emit_far(SlotOp::nop_cell, instr, 0, 0, static_cast<uint16_t>(instr.index));
}

void Compiler::begin_wait() {
  settle_all();
  sync_point();
}

void Compiler::compile_bulk(SlotOp op, uint32_t imm, uint32_t c, uint32_t bytes_per_unit) {
  const bool count_is_64 = stack_.back().type == ValType::I64;
  const uint16_t b = pop_slot(), a = pop_slot(), d = pop_slot();
  emit(op, d, a, b, static_cast<uint16_t>(c), imm);
  if (options_.polls) emit(SlotOp::charge, 0, b, count_is_64, 0, bytes_per_unit);
}

void Compiler::emit_far(SlotOp op, const Instr& instr, uint16_t d, uint16_t a, uint16_t b) {
  const uint64_t offset = std::min(instr.mem_offset, (uint64_t{1} << 48) - 1);  // out of bounds everywhere
  emit(op, d, a, b, static_cast<uint16_t>(offset >> 32), static_cast<uint32_t>(offset));
}

void Compiler::emit_lane_access(const SlotForms& forms, const Instr& instr, uint16_t d, uint16_t a, uint16_t b) {
  emit(is_near(instr) ? forms.slots : forms.far, d, a, b, instr.lane, static_cast<uint32_t>(instr.mem_offset));
  if (!is_near(instr)) emit_far(SlotOp::nop_cell, instr, 0, 0, static_cast<uint16_t>(instr.index));
}

void Compiler::emit_with_vector(SlotOp op, uint16_t d, uint16_t a, uint16_t b, V128 vector) {
  emit(op, d, a, b, 0, static_cast<uint32_t>(vector.low));
  emit(SlotOp::nop_cell, static_cast<uint16_t>(vector.high), static_cast<uint16_t>(vector.high >> 16),
       static_cast<uint16_t>(vector.high >> 32), static_cast<uint16_t>(vector.high >> 48),
       static_cast<uint32_t>(vector.low >> 32));
}

void Compiler::compile_select(const Instr& instr) {
  const uint16_t condition = pop_slot();
  const uint16_t second = pop_slot();
  const ValType type = instr.opcode == Opcode::select_t ? instr.ref_type : stack_.back().type;
  const uint16_t first = pop_slot();
  const uint16_t d = push_result(type);
  if (is_vec(type)) {
    emit(SlotOp::select_pair, d, first, second, condition);
  } else {
    emit(SlotOp::select_slot, d, condition, first, second);
  }
}

std::optional<SlotOp> Compiler::canonical_form(Opcode opcode) {
  switch (opcode) {
#define CHIWAWA_ROUNDING(type) \
  case Opcode::type##_ceil:    \
  case Opcode::type##_floor:   \
  case Opcode::type##_trunc:   \
  case Opcode::type##_nearest: \
  case Opcode::type##_sqrt:    \
  case Opcode::type##_add:     \
  case Opcode::type##_sub:     \
  case Opcode::type##_mul:     \
  case Opcode::type##_div:     \
  case Opcode::type##_min:     \
  case Opcode::type##_max:
    CHIWAWA_ROUNDING(f32)
    case Opcode::f32_demote_f64: return SlotOp::canonical_f32; CHIWAWA_ROUNDING(f64)
    case Opcode::f64_promote_f32: return SlotOp::canonical_f64; CHIWAWA_ROUNDING(f32x4)
    case Opcode::f32x4_demote_f64x2_zero:
    case Opcode::f32x4_relaxed_madd:
    case Opcode::f32x4_relaxed_nmadd:
    case Opcode::f32x4_relaxed_min:
    case Opcode::f32x4_relaxed_max: return SlotOp::canonical_f32x4; CHIWAWA_ROUNDING(f64x2)
    case Opcode::f64x2_promote_low_f32x4:
    case Opcode::f64x2_relaxed_madd:
    case Opcode::f64x2_relaxed_nmadd:
    case Opcode::f64x2_relaxed_min:
    case Opcode::f64x2_relaxed_max: return SlotOp::canonical_f64x2;
#undef CHIWAWA_ROUNDING
    default: return std::nullopt;
  }
}

void Compiler::canonicalize(Opcode opcode) {
  const std::optional<SlotOp> form = canonical_form(opcode);
  if (!form) return;
  const uint16_t d = home(stack_.back());
  producer_ = here();
  emit(*form, d, d);
}

void Compiler::compile_reachable(const Instr& instr) {
  if (is_atomic_wait(instr.opcode)) begin_wait();
  if (is_step(instr.opcode)) {
    const uint32_t watchers = wishes_.instructions ? store_.instrumentation->watchers(function_, instr) : 0;
    report_step(watchers);
    if (options_.exact) emit(SlotOp::step);
    if (store_.instrumentation != nullptr) emit_probes(instr, watchers);
  }
  const SlotForms& forms = slot_forms(instr.opcode);
  switch (forms.shape) {
    case SlotForms::Shape::Unary: {
      const uint16_t a = pop_slot();
      const uint16_t d = push_result(forms.result);
      emit(forms.slots, d, a, 0, forms.has_lane ? instr.lane : 0);
      if (options_.canonical_nans) canonicalize(instr.opcode);
      return;
    }
    case SlotForms::Shape::Binary:
      compile_binary(instr);
      if (options_.canonical_nans) canonicalize(instr.opcode);
      return;
    case SlotForms::Shape::Ternary: {
      const uint16_t c = pop_slot(), b = pop_slot(), a = pop_slot();
      const uint16_t d = push_result(forms.result);
      emit(forms.slots, d, a, b, c);
      if (options_.canonical_nans) canonicalize(instr.opcode);
      return;
    }
    case SlotForms::Shape::Wide2: compile_wide(forms, false); return;
    case SlotForms::Shape::Wide4: compile_wide(forms, true); return;
    case SlotForms::Shape::AtomicLoad: compile_atomic(forms, instr, 1); return;
    case SlotForms::Shape::AtomicStore:
    case SlotForms::Shape::AtomicRmw: compile_atomic(forms, instr, 2); return;
    case SlotForms::Shape::AtomicCmpxchg: compile_atomic(forms, instr, 3); return;
    case SlotForms::Shape::LoadLane: {
      const uint16_t b = pop_slot(), a = pop_slot();
      const uint16_t d = push_result(forms.result);
      emit_lane_access(forms, instr, d, a, b);
      return;
    }
    case SlotForms::Shape::StoreLane: {
      const uint16_t b = pop_slot(), a = pop_slot();
      emit_lane_access(forms, instr, 0, a, b);
      return;
    }
    case SlotForms::Shape::Load: {
      const uint16_t a = pop_slot();
      const uint16_t d = push_result(forms.result);
      if (is_near(instr)) {
        emit(forms.slots, d, a, 0, 0, static_cast<uint32_t>(instr.mem_offset));
      } else {
        emit_far(forms.far, instr, d, a, static_cast<uint16_t>(instr.index));
      }
      return;
    }
    case SlotForms::Shape::Store: {
      const uint16_t b = pop_slot(), a = pop_slot();
      if (is_near(instr)) {
        emit(forms.slots, 0, a, b, 0, static_cast<uint32_t>(instr.mem_offset));
      } else {
        emit_far(forms.far, instr, static_cast<uint16_t>(instr.index), a, b);
      }
      return;
    }
    case SlotForms::Shape::None: compile_other(instr); return;
  }
}

void Compiler::push_constant(ValType type, uint64_t bits) {
  push({.type = type, .place = StackEntry::Place::Constant, .bits = bits});
}

void Compiler::compile_other(const Instr& instr) {
  switch (instr.opcode) {
    case Opcode::unreachable:
      emit(SlotOp::unreachable_cell);
      leave_reachable();
      return;
    case Opcode::nop:
    case Opcode::atomic_fence: return;
    case Opcode::block:
    case Opcode::loop:
    case Opcode::try_:
    case Opcode::try_table:
    case Opcode::if_: begin_block(instr); return;
    case Opcode::else_: compile_else(); return;
    case Opcode::catch_:
    case Opcode::catch_all: compile_catch(instr); return;
    case Opcode::end:
    case Opcode::delegate: compile_end(instr); return;
    case Opcode::throw_: compile_throw(instr); return;
    case Opcode::throw_ref:
      emit_counted({.op = static_cast<uint32_t>(SlotOp::throw_reference), .a = pop_slot()});
      leave_reachable();
      return;
    case Opcode::rethrow:
      emit_counted({.op = static_cast<uint32_t>(SlotOp::throw_reference), .a = label(instr.index).slot});
      leave_reachable();
      return;
    case Opcode::br:
      settle_branch_values(label(instr.index));
      emit_branch(instr.index);
      leave_reachable();
      return;
    case Opcode::br_if: compile_br_if(instr.index, pop_condition()); return;
    case Opcode::br_on_null: compile_br_on_null(instr); return;
    case Opcode::br_on_non_null: compile_br_on_non_null(instr); return;
    case Opcode::br_on_cast:
    case Opcode::br_on_cast_fail: compile_br_on_cast(instr); return;
    case Opcode::br_table:
      compile_br_table(instr);
      leave_reachable();
      return;
    case Opcode::return_:
      settle_branch_values(labels_.front());
      emit_return();
      leave_reachable();
      return;
    case Opcode::call:
    case Opcode::call_ref:
    case Opcode::call_indirect: compile_call(instr); return;
    case Opcode::return_call:
    case Opcode::return_call_ref:
    case Opcode::return_call_indirect: compile_tail_call(instr); return;

    case Opcode::ref_null: push_constant(instr.ref_type, kNullRef); return;
    case Opcode::ref_func:
      push_constant(defined_ref(module_.functions[instr.index], false), ref_of(instance_.funcs[instr.index]));
      return;
    case Opcode::ref_is_null: {
      const uint16_t a = pop_slot();
      const uint16_t d = push_result(ValType::I32);
      emit(SlotOp::is_null, d, a);
      return;
    }

    case Opcode::drop: pop(); return;
    case Opcode::select:
    case Opcode::select_t: compile_select(instr); return;

    case Opcode::local_get:
      push({.type = local_types_[instr.index], .place = StackEntry::Place::Local, .local = instr.index});
      return;
    case Opcode::local_set: compile_local_set(instr.index, false); return;
    case Opcode::local_tee: compile_local_set(instr.index, true); return;
    case Opcode::global_get: {
      const ValType type = module_.globals[instr.index].type.type;
      const uint16_t d = push_result(type);
      emit(is_vec(type) ? SlotOp::global_load_pair : SlotOp::global_load, d, 0, 0, 0, instr.index);
      return;
    }
    case Opcode::global_set: {
      const bool pair = is_vec(stack_.back().type);
      const uint16_t a = pop_slot();
      emit(pair ? SlotOp::global_store_pair : SlotOp::global_store, 0, a, 0, 0, instr.index);
      return;
    }

    case Opcode::table_get: {
      const uint16_t a = pop_slot();
      const uint16_t d = push_result(module_.tables[instr.index].type.element);
      emit(SlotOp::table_load, d, a, 0, 0, instr.index);
      return;
    }
    case Opcode::table_set: {
      const uint16_t b = pop_slot(), a = pop_slot();
      emit(SlotOp::table_store, 0, a, b, 0, instr.index);
      return;
    }
    case Opcode::table_size: {
      const uint16_t d = push_result(module_.tables[instr.index].type.address);
      emit(SlotOp::table_length, d, 0, 0, 0, instr.index);
      return;
    }
    case Opcode::table_grow: {
      const uint16_t b = pop_slot(), a = pop_slot();
      const uint16_t d = push_result(module_.tables[instr.index].type.address);
      emit(SlotOp::table_grow_by, d, a, b, 0, instr.index);
      return;
    }
    case Opcode::table_init: compile_bulk(SlotOp::table_init_from, instr.index, instr.index2, 8); return;
    case Opcode::table_copy: compile_bulk(SlotOp::table_copy_range, instr.index, instr.index2, 8); return;
    case Opcode::table_fill: compile_bulk(SlotOp::table_fill_range, instr.index, 0, 8); return;
    case Opcode::elem_drop: emit(SlotOp::elem_drop_segment, 0, 0, 0, 0, instr.index); return;

    case Opcode::memory_size: {
      const uint16_t d = push_result(module_.memories[instr.index].address);
      emit(SlotOp::memory_pages, d, 0, 0, 0, instr.index);
      return;
    }
    case Opcode::memory_grow: {
      const uint16_t a = pop_slot();
      const uint16_t d = push_result(module_.memories[instr.index].address);
      emit(SlotOp::memory_grow_by, d, a, 0, 0, instr.index);
      return;
    }
    case Opcode::memory_init: compile_bulk(SlotOp::memory_init_from, instr.index, instr.index2, 1); return;
    case Opcode::memory_copy: compile_bulk(SlotOp::memory_copy_range, instr.index, instr.index2, 1); return;
    case Opcode::memory_fill: compile_bulk(SlotOp::memory_fill_range, instr.index, 0, 1); return;
    case Opcode::data_drop: emit(SlotOp::data_drop_segment, 0, 0, 0, 0, instr.index); return;

    case Opcode::memory_atomic_wait32:
    case Opcode::memory_atomic_wait64: compile_wait(instr); return;
    case Opcode::memory_atomic_notify: {
      static constexpr SlotForms kForms{
          .shape = SlotForms::Shape::AtomicRmw, .slots = SlotOp::atomic_notify, .result = ValType::I32, .constant = {}};
      compile_atomic(kForms, instr, 2);
      return;
    }

    case Opcode::i32_const: push_constant(ValType::I32, instr.bits); return;
    case Opcode::i64_const: push_constant(ValType::I64, instr.bits); return;
    case Opcode::f32_const: push_constant(ValType::F32, instr.bits); return;
    case Opcode::f64_const: push_constant(ValType::F64, instr.bits); return;
    case Opcode::v128_const: {
      const uint16_t d = push_result(ValType::V128);
      emit_with_vector(SlotOp::constant_pair, d, 0, 0, instr.vector);
      return;
    }
    case Opcode::i8x16_shuffle: {
      const uint16_t b = pop_slot(), a = pop_slot();
      const uint16_t d = push_result(ValType::V128);
      emit_with_vector(SlotOp::i8x16_shuffle, d, a, b, instr.vector);
      return;
    }

    default: compile_aggregate(instr); return;
  }
}

void compile(const Store& store, Code& code) {
  Compiler compiler(store, code, nullptr);
  compiler.run();
  compiler.finish_probes(code);
  code.storage.assign(compiler.cells.begin(), compiler.cells.end());
  code.regions = std::move(compiler.regions);
  code.region_starts = std::move(compiler.region_starts);
  code.sync_steps = std::move(compiler.sync_steps);
  code.local_slots = compiler.local_slots;
  code.frame_slots = compiler.frame_slots;
  code.has_step = compiler.has_step;
  code.cells = code.storage.data();
}

std::vector<uint32_t> observe(const Store& store, const Code& code, CompileObserver& observer) {
  Compiler compiler(store, code, &observer);
  compiler.run();
  assert(compiler.cells.size() == code.storage.size());
  return std::move(compiler.cell_offsets);
}

}  // namespace chiwawa
