#include "interp/compile.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "interp/instr_reader.hpp"
#include "interp/slot_op.hpp"

namespace chiwawa {

namespace {

constexpr uint32_t kNone = ~uint32_t{0};

/// The types of a block type that is a single value type.
std::span<const ValType> single(ValType type) {
  static constexpr ValType kTypes[] = {ValType::I32,  ValType::I64,     ValType::F32,      ValType::F64,
                                       ValType::V128, ValType::FuncRef, ValType::ExternRef};
  for (const ValType& candidate : kTypes) {
    if (candidate == type) return {&candidate, 1};
  }
  return {};
}

class Compiler {
 public:
  Compiler(const Store& store, const Code& code, CompileObserver* observer)
      : instance_(*code.instance),
        module_(*instance_.module),
        options_{.polls = store.compile_options.polls && !store.compile_options.exact,
                 .exact = store.compile_options.exact,
                 .canonical_nans = store.compile_options.canonical_nans},
        barriers_(code.barriers),
        observer_(observer),
        function_(store[code.function]),
        body_(module_.body(function_.function_index)),
        reader_(module_.bytes, body_.code) {}

  void run() {
    declare_locals();
    labels_.push_back({.kind = Opcode::block, .params = {}, .results = function_.type.results});
    sync_point();
    Instr instr;
    Error error;
    while (!labels_.empty()) {
      [[maybe_unused]] const bool read = reader_.read(instr, error);
      assert(read);  // validated
      offset_ = instr.offset;
      if (reachable_) {
        compile_reachable(instr);
      } else {
        skip_unreachable(instr);
      }
    }
  }

  std::vector<Cell> cells;
  std::vector<uint32_t> branch_targets;
  std::vector<uint32_t> cell_offsets;
  uint32_t local_count = 0;
  uint32_t frame_slots = 0;
  bool has_step = false;

 private:
  struct Label {
    Opcode kind = Opcode::block;  // block (also the function), loop, if_, else_
    std::span<const ValType> params;
    std::span<const ValType> results;
    uint32_t height = 0;          // of the stack, without params
    uint32_t loop_cell = 0;       // loop: where branches go
    uint32_t fixups = kNone;      // branches that go to the end: a chain through their targets, see fix()
    uint32_t else_fixup = kNone;  // if_: the branch that skips the first part
  };

  // --- locals and the abstract stack -------------------------------------------------------------------------------

  void declare_locals() {
    local_types_ = function_.type.params;
    for (const LocalRun& run : body_.locals) local_types_.insert(local_types_.end(), run.count, run.type);
    local_count = static_cast<uint32_t>(local_types_.size());
    frame_slots = std::max<uint32_t>(local_count, static_cast<uint32_t>(function_.type.results.size()));
    aliases_.assign(local_count, 0);
  }

  uint32_t height() const { return static_cast<uint32_t>(stack_.size()); }
  uint16_t home(uint32_t entry) const { return static_cast<uint16_t>(local_count + entry); }

  void push(StackEntry entry) {
    if (entry.place == StackEntry::Place::Local) ++aliases_[entry.local];
    stack_.push_back(entry);
    frame_slots = std::max(frame_slots, local_count + height());
  }

  void push_home(ValType type) { push({.type = type}); }

  StackEntry pop() {
    const StackEntry entry = stack_.back();
    stack_.pop_back();
    if (entry.place == StackEntry::Place::Local) --aliases_[entry.local];
    settled_ = std::min(settled_, height());
    return entry;
  }

  void pop_to(uint32_t new_height) {
    while (height() > new_height) pop();
  }

  /// The slot that holds `entry`, which is or was at height `at`. Emits code for a constant.
  uint16_t slot_of(const StackEntry& entry, uint32_t at) {
    if (entry.place == StackEntry::Place::Local) return static_cast<uint16_t>(entry.local);
    if (entry.place == StackEntry::Place::Constant) emit_constant(home(at), entry.bits);
    return home(at);
  }

  uint16_t pop_slot() {
    const StackEntry entry = pop();
    return slot_of(entry, height());
  }

  /// Emits code that puts `entry` into slot `to`.
  void emit_move(uint16_t to, const StackEntry& entry, uint32_t at) {
    switch (entry.place) {
      case StackEntry::Place::Home:
        if (home(at) != to) emit(SlotOp::copy, to, home(at));
        break;
      case StackEntry::Place::Local:
        if (entry.local != to) emit(SlotOp::copy, to, static_cast<uint16_t>(entry.local));
        break;
      case StackEntry::Place::Constant: emit_constant(to, entry.bits); break;
    }
  }

  void settle(uint32_t at) {
    StackEntry& entry = stack_[at];
    if (entry.place == StackEntry::Place::Home) return;
    emit_move(home(at), entry, at);
    if (entry.place == StackEntry::Place::Local) --aliases_[entry.local];
    entry.place = StackEntry::Place::Home;
  }

  /// Puts every entry into its home. All below settled_ are there already, so the work is linear in the code.
  void settle_all() {
    for (uint32_t at = settled_; at < height(); ++at) settle(at);
    settled_ = height();
  }

  void settle_top(size_t count) {
    for (uint32_t at = height() - static_cast<uint32_t>(count); at < height(); ++at) settle(at);
  }

  /// Before `local` changes: entries that stand for it get their value.
  void settle_aliases(uint32_t local) {
    for (uint32_t at = height(); aliases_[local] != 0; --at) {
      const StackEntry& entry = stack_[at - 1];
      if (entry.place == StackEntry::Place::Local && entry.local == local) settle(at - 1);
    }
  }

  // --- emitting ----------------------------------------------------------------------------------------------------

  uint32_t here() const { return static_cast<uint32_t>(cells.size()); }

  uint32_t emit(SlotOp op, uint16_t d = 0, uint16_t a = 0, uint16_t b = 0, uint16_t c = 0, uint32_t imm = 0) {
    cells.push_back({static_cast<uint32_t>(op), d, a, b, c, imm});
    cell_offsets.push_back(offset_);
    return here() - 1;
  }

  void emit_constant(uint16_t d, uint64_t bits) {
    emit(SlotOp::constant, d, static_cast<uint16_t>(bits >> 32), static_cast<uint16_t>(bits >> 48), 0,
         static_cast<uint32_t>(bits));
  }

  /// Pushes the result of the cell that is emitted next, which must write it to slot `d` and nothing else.
  uint16_t push_result(ValType type) {
    push_home(type);
    producer_ = here();
    return home(height() - 1);
  }

  /// The last cell, if it produced the entry that was at height `at` and nothing was emitted or jumps in between.
  Cell* producer_of(const StackEntry& entry, uint32_t at) {
    if (entry.place != StackEntry::Place::Home || producer_ == kNone || producer_ + 1 != here()) return nullptr;
    Cell& cell = cells.back();
    return cell.d == home(at) ? &cell : nullptr;
  }

  void remove_last_cell() {
    cells.pop_back();
    cell_offsets.pop_back();
    producer_ = kNone;
  }

  // --- control -----------------------------------------------------------------------------------------------------

  /// Cells before and after may not be fused from here on.
  void bind() { producer_ = kNone; }

  /// Marks the current cell as one where a polling machine stops. Two such places with steps between them must not
  /// share a cell, or the position could not be told from the cell.
  void sync_point() {
    if (sync_cell_ == here() && step_since_sync_) emit(SlotOp::nop_cell);
    bind();
    sync_cell_ = here();
    step_since_sync_ = false;
    if (observer_ != nullptr) observer_->sync_point(here());
  }

  std::pair<std::span<const ValType>, std::span<const ValType>> types_of(const BlockType& type) const {
    switch (type.kind) {
      case BlockType::Kind::Empty: return {};
      case BlockType::Kind::Value: return {{}, single(type.value)};
      case BlockType::Kind::TypeIndex: break;
    }
    const FuncType& function_type = module_.types[type.type_index];
    return {function_type.params, function_type.results};
  }

  Label& label(uint32_t depth) { return labels_[labels_.size() - 1 - depth]; }
  bool is_function_label(uint32_t depth) const { return depth + 1 == labels_.size(); }
  static std::span<const ValType> label_types(const Label& label) {
    return label.kind == Opcode::loop ? label.params : label.results;
  }

  /// Sets the target of a forward branch: kinds are told apart by the lowest bit of a fixup.
  static uint32_t cell_fixup(uint32_t cell) { return cell << 1; }
  static uint32_t table_fixup(uint32_t entry) { return entry << 1 | 1; }
  uint32_t& target_of(uint32_t fixup) { return (fixup & 1) != 0 ? branch_targets[fixup >> 1] : cells[fixup >> 1].imm; }

  void add_fixup(Label& to, uint32_t fixup) { target_of(fixup) = std::exchange(to.fixups, fixup); }

  /// Lets every branch of the chain go to the current cell. Targets are relative to the branching cell; those of a
  /// br_switch are made so when its table is complete (finish_tables), because here its cell is not known.
  void fix(uint32_t fixup) {
    while (fixup != kNone) {
      uint32_t& target = target_of(fixup);
      const uint32_t next = target;
      target = (fixup & 1) != 0 ? here() : here() - (fixup >> 1);
      fixup = next;
    }
  }

  /// Emits a branch with a target that is relative to itself, chosen by the label.
  void emit_jump(Label& to, SlotOp forward, SlotOp backward, SlotOp backward_poll, uint16_t a, uint16_t b, uint16_t c) {
    if (to.kind == Opcode::loop) {
      const uint32_t cell = emit(options_.polls ? backward_poll : backward, 0, a, b, c);
      cells[cell].imm = to.loop_cell - cell;
    } else {
      const uint32_t cell = emit(forward, 0, a, b, c);
      add_fixup(to, cell_fixup(cell));
    }
  }

  /// Whether a branch to this label has values to move.
  bool needs_moves(const Label& to) const {
    const size_t arity = label_types(to).size();
    const uint32_t first = height() - static_cast<uint32_t>(arity);
    if (arity == 0) return false;
    if (first != to.height) return true;
    for (uint32_t at = first; at < height(); ++at) {
      if (stack_[at].place != StackEntry::Place::Home) return true;
    }
    return false;
  }

  /// The values that a branch carries, if they are several, go to their homes before the branch, where it is not
  /// conditional: then they move as one range, and many branches with many values stay small.
  void settle_branch_values(const Label& to) {
    const size_t arity = label_types(to).size();
    if (arity > 1) settle_top(arity);
  }

  /// Emits what moves the top `arity` entries to the slots from `target` on. Requires settle_branch_values(). The
  /// abstract stack does not change: in a conditional branch the moves are only on the way taken.
  void emit_branch_moves(uint16_t target, size_t arity) {
    const uint32_t first = height() - static_cast<uint32_t>(arity);
    if (arity == 1) {
      emit_move(target, stack_[first], first);
    } else if (arity > 1 && home(first) != target) {
      emit(SlotOp::copy_range, target, home(first), 0, 0, static_cast<uint32_t>(arity));
    }
  }

  void emit_branch(uint32_t depth) {
    if (is_function_label(depth)) {
      emit_return();
      return;
    }
    Label& to = label(depth);
    emit_branch_moves(home(to.height), label_types(to).size());
    emit_jump(to, SlotOp::br_always, SlotOp::br_always, SlotOp::br_always_p, 0, 0, 0);
  }

  /// Results go to the frame's first slots. Requires settle_branch_values().
  void emit_return() {
    const size_t arity = function_.type.results.size();
    if (arity == 1) {
      emit(SlotOp::ret_slot, 0, slot_of(stack_.back(), height() - 1));
    } else {
      emit_branch_moves(0, arity);
      emit(SlotOp::ret);
    }
  }

  /// A condition, popped from the stack, ready to become a branch.
  struct Condition {
    SlotOp when_true, when_true_poll, when_false, when_false_poll;
    uint16_t a = 0, b = 0, c = 0;
  };

  Condition pop_condition() {
    const StackEntry entry = pop();
    if (const Cell* producer = producer_of(entry, height())) {
      const Cell cell = *producer;
      const auto op = static_cast<SlotOp>(cell.op);
      if (const BranchForms* forms = branch_forms(op)) {
        remove_last_cell();
        Condition condition{forms->when_true, forms->when_true_poll, forms->when_false, forms->when_false_poll, cell.a};
        // A branch needs imm for its target: the constant moves to where the right operand's slot would be.
        condition.b = is_constant_form(op) ? static_cast<uint16_t>(cell.imm) : cell.b;
        condition.c = is_constant_form(op) ? static_cast<uint16_t>(cell.imm >> 16) : cell.c;
        return condition;
      }
      if (op == SlotOp::i32_eqz) {
        remove_last_cell();
        return {SlotOp::br_zero, SlotOp::br_zero_p, SlotOp::br_nonzero, SlotOp::br_nonzero_p, cell.a};
      }
      if (op == SlotOp::i64_eqz) {
        const BranchForms* forms = branch_forms(SlotOp::i64_eq_c);
        remove_last_cell();
        return {forms->when_true, forms->when_true_poll, forms->when_false, forms->when_false_poll, cell.a};
      }
    }
    return {SlotOp::br_nonzero, SlotOp::br_nonzero_p, SlotOp::br_zero, SlotOp::br_zero_p, slot_of(entry, height())};
  }

  static bool is_constant_form(SlotOp comparison) {
    switch (comparison) {
#define COMPARE(code, id, text, operand, result) case SlotOp::id##_c:
#include "interp/opcodes.def"
      return true;
      default: return false;
    }
  }

  void compile_br_if(uint32_t depth) {
    const Condition condition = pop_condition();
    Label& to = label(depth);
    settle_branch_values(to);
    if (!is_function_label(depth) && !needs_moves(to)) {
      emit_jump(to, condition.when_true, condition.when_true, condition.when_true_poll, condition.a, condition.b,
                condition.c);
    } else {
      const uint32_t skip = emit(condition.when_false, 0, condition.a, condition.b, condition.c);
      emit_branch(depth);
      cells[skip].imm = here() - skip;
    }
    bind();
  }

  /// Targets without moves go into the table; the others, and loop heads when polling, get a piece of code each.
  void compile_br_table(const Instr& instr) {
    const uint16_t index = pop_slot();
    bool settled = false;  // the labels of one br_table have the same number of values
    reader_.for_each_label(instr, [&](uint32_t depth) {
      if (!std::exchange(settled, true)) settle_branch_values(label(depth));
    });
    const uint32_t first = static_cast<uint32_t>(branch_targets.size());
    const uint32_t count = instr.index + 1;
    branch_targets.resize(first + count, kNone);
    const uint32_t cell =
        emit(SlotOp::br_switch, 0, index, static_cast<uint16_t>(count), static_cast<uint16_t>(count >> 16), first);
    tables_.push_back({cell, first, count});
    // What is done for a label, shared by all entries that name it.
    constexpr uint32_t kInTable = kNone - 1;
    std::vector<uint32_t> pieces(labels_.size(), kNone);
    uint32_t entry = first;
    reader_.for_each_label(instr, [&](uint32_t depth) {
      Label& to = label(depth);
      uint32_t& piece = pieces[depth];
      if (piece == kNone) {
        const bool direct = !is_function_label(depth) && !needs_moves(to);
        if (direct && to.kind != Opcode::loop) {
          piece = kInTable;
        } else if (direct && !options_.polls) {
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
        branch_targets[entry] = piece;
      }
      ++entry;
    });
  }

  void leave_reachable() {
    reachable_ = false;
    nesting_ = 0;
  }

  void skip_unreachable(const Instr& instr) {
    switch (instr.opcode) {
      case Opcode::block:
      case Opcode::loop:
      case Opcode::if_: ++nesting_; break;
      case Opcode::else_:
        if (nesting_ == 0) compile_else();
        break;
      case Opcode::end:
        if (nesting_ == 0) {
          compile_end();
        } else {
          --nesting_;
        }
        break;
      default: break;
    }
  }

  void begin_block(const Instr& instr) {
    const auto [params, results] = types_of(instr.block);
    Label next{.kind = instr.opcode, .params = params, .results = results};
    if (instr.opcode == Opcode::if_) {
      // The condition stays fusable when nothing below needs settling.
      const Condition condition = pop_condition();
      settle_all();
      const uint32_t cell = emit(condition.when_false, 0, condition.a, condition.b, condition.c);
      next.else_fixup = cell_fixup(cell);
      cells[cell].imm = kNone;
      bind();
    } else {
      settle_all();
    }
    next.height = height() - static_cast<uint32_t>(params.size());
    if (instr.opcode == Opcode::loop) {
      sync_point();
      next.loop_cell = here();
    }
    labels_.push_back(next);
  }

  void reset_stack(uint32_t to_height, std::span<const ValType> types) {
    pop_to(to_height);
    for (const ValType type : types) push_home(type);
    settled_ = height();
    reachable_ = true;
  }

  void compile_else() {
    Label& current = labels_.back();
    if (reachable_) {
      settle_all();
      add_fixup(current, cell_fixup(emit(SlotOp::br_always)));
    }
    bind();
    fix(std::exchange(current.else_fixup, kNone));
    current.kind = Opcode::else_;
    reset_stack(current.height, current.params);
  }

  void compile_end() {
    const Label done = labels_.back();
    if (labels_.size() == 1) {
      if (reachable_) {
        settle_branch_values(labels_.back());
        emit_return();
      }
      labels_.pop_back();
      finish_tables();
      return;
    }
    if (reachable_) settle_all();
    labels_.pop_back();
    const bool branched = done.fixups != kNone || done.else_fixup != kNone;
    if (branched) {
      bind();
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

  void finish_tables() {
    for (const Table& table : tables_) {
      for (uint32_t i = 0; i < table.count; ++i) branch_targets[table.first + i] -= table.cell;
    }
  }

  // --- calls -------------------------------------------------------------------------------------------------------

  void compile_call(const Instr& instr) {
    const bool indirect = instr.opcode == Opcode::call_indirect;
    const FuncType& callee = indirect ? module_.types[instr.index] : module_.function_type(instr.index);
    const uint16_t table_slot = indirect ? pop_slot() : uint16_t{0};
    if (at_barrier(instr.end)) settle_all();
    settle_top(callee.params.size());
    pop_to(height() - static_cast<uint32_t>(callee.params.size()));
    const uint16_t first_slot = home(height());
    if (indirect) {
      emit(options_.polls ? SlotOp::call_table_p : SlotOp::call_table, first_slot, table_slot,
           static_cast<uint16_t>(instr.index2), static_cast<uint16_t>(instr.index2 >> 16), instr.index);
    } else if (module_.is_imported_function(instr.index)) {
      emit(SlotOp::call_external, first_slot, 0, 0, 0, instr.index);
    } else {
      emit(options_.polls ? SlotOp::call_internal_p : SlotOp::call_internal, first_slot, 0, 0, 0, instr.index);
    }
    if (observer_ != nullptr) observer_->return_point(instr.end, here(), stack_, callee, first_slot);
    for (const ValType type : callee.results) push_home(type);
  }

  // --- the other instructions --------------------------------------------------------------------------------------

  bool at_barrier(uint32_t offset) const {
    return !barriers_.empty() && std::binary_search(barriers_.begin(), barriers_.end(), offset);
  }

  void report_step() {
    has_step = true;
    step_since_sync_ = true;
    if (at_barrier(offset_)) {
      settle_all();
      bind();
    }
    if (observer_ != nullptr) observer_->instruction(offset_, here(), stack_);
  }

  void compile_local_set(uint32_t local, bool keep) {
    const StackEntry value = pop();
    const uint32_t at = height();
    const bool same = value.place == StackEntry::Place::Local && value.local == local;
    if (!same) {
      Cell* producer = aliases_[local] == 0 ? producer_of(value, at) : nullptr;
      if (producer != nullptr) {
        producer->d = static_cast<uint16_t>(local);
        producer_ = kNone;
      } else {
        settle_aliases(local);
        emit_move(static_cast<uint16_t>(local), value, at);
      }
    }
    if (keep) push({.type = value.type, .place = StackEntry::Place::Local, .local = local});
  }

  static bool fits_constant(const StackEntry& entry) {
    if (entry.place != StackEntry::Place::Constant) return false;
    return entry.type == ValType::I32 ||
           static_cast<uint64_t>(int64_t{static_cast<int32_t>(static_cast<uint32_t>(entry.bits))}) == entry.bits;
  }

  void compile_binary(Opcode opcode) {
    const SlotForms* forms = &slot_forms(opcode);
    StackEntry right = pop();
    StackEntry left = pop();
    uint32_t left_at = height(), right_at = height() + 1;
    if (forms->constant && forms->swapped && fits_constant(left) && !fits_constant(right)) {
      std::swap(left, right);
      std::swap(left_at, right_at);
      forms = &slot_forms(*forms->swapped);
    }
    const uint16_t a = slot_of(left, left_at);
    if (forms->constant && fits_constant(right)) {
      const uint16_t d = push_result(forms->result);
      emit(*forms->constant, d, a, 0, 0, static_cast<uint32_t>(right.bits));
    } else {
      const uint16_t b = slot_of(right, right_at);
      const uint16_t d = push_result(forms->result);
      emit(forms->slots, d, a, b);
    }
  }

  /// Pops the three operands of a bulk instruction and emits it: d, a, b are their slots. The work is proportional to
  /// the last operand, which must therefore be charged to the budget.
  void compile_bulk(SlotOp op, uint32_t imm, uint32_t c, uint32_t bytes_per_unit) {
    const uint16_t b = pop_slot(), a = pop_slot(), d = pop_slot();
    emit(op, d, a, b, static_cast<uint16_t>(c), imm);
    if (options_.polls) emit(SlotOp::charge, 0, b, 0, 0, bytes_per_unit);
  }

  void compile_select() {
    const uint16_t condition = pop_slot();
    const uint16_t second = pop_slot();
    const ValType type = stack_.back().type;
    const uint16_t first = pop_slot();
    const uint16_t d = push_result(type);
    emit(SlotOp::select_slot, d, first, second, condition);
  }

  /// Whether the specification leaves open which NaN the instruction gives.
  static bool gives_some_nan(Opcode opcode) {
    switch (opcode) {
#define CHIWAWA_OF_BOTH_WIDTHS(id) \
  case Opcode::f32_##id:           \
  case Opcode::f64_##id:
      CHIWAWA_OF_BOTH_WIDTHS(ceil)
      CHIWAWA_OF_BOTH_WIDTHS(floor)
      CHIWAWA_OF_BOTH_WIDTHS(trunc)
      CHIWAWA_OF_BOTH_WIDTHS(nearest)
      CHIWAWA_OF_BOTH_WIDTHS(sqrt)
      CHIWAWA_OF_BOTH_WIDTHS(add)
      CHIWAWA_OF_BOTH_WIDTHS(sub)
      CHIWAWA_OF_BOTH_WIDTHS(mul)
      CHIWAWA_OF_BOTH_WIDTHS(div)
      CHIWAWA_OF_BOTH_WIDTHS(min)
      CHIWAWA_OF_BOTH_WIDTHS(max)
#undef CHIWAWA_OF_BOTH_WIDTHS
      case Opcode::f32_demote_f64:
      case Opcode::f64_promote_f32: return true;
      default: return false;
    }
  }

  /// Behind the cell of an instruction that has just pushed its result.
  void canonicalize(Opcode opcode, ValType result) {
    if (!gives_some_nan(opcode)) return;
    const uint16_t d = home(height() - 1);
    producer_ = here();
    emit(result == ValType::F32 ? SlotOp::canonical_f32 : SlotOp::canonical_f64, d, d);
  }

  void compile_reachable(const Instr& instr) {
    if (is_step(instr.opcode)) {
      report_step();
      if (options_.exact) emit(SlotOp::step);
    }
    const SlotForms& forms = slot_forms(instr.opcode);
    switch (forms.shape) {
      case SlotForms::Shape::Unary: {
        const uint16_t a = pop_slot();
        const uint16_t d = push_result(forms.result);
        emit(forms.slots, d, a);
        if (options_.canonical_nans) canonicalize(instr.opcode, forms.result);
        return;
      }
      case SlotForms::Shape::Binary:
        compile_binary(instr.opcode);
        if (options_.canonical_nans) canonicalize(instr.opcode, forms.result);
        return;
      case SlotForms::Shape::Load: {
        const uint16_t a = pop_slot();
        const uint16_t d = push_result(forms.result);
        emit(forms.slots, d, a, 0, 0, static_cast<uint32_t>(instr.mem_offset));
        return;
      }
      case SlotForms::Shape::Store: {
        const uint16_t b = pop_slot(), a = pop_slot();
        emit(forms.slots, 0, a, b, 0, static_cast<uint32_t>(instr.mem_offset));
        return;
      }
      case SlotForms::Shape::None: compile_other(instr); return;
    }
  }

  void compile_other(const Instr& instr) {
    switch (instr.opcode) {
      case Opcode::unreachable:
        emit(SlotOp::unreachable_cell);
        leave_reachable();
        return;
      case Opcode::nop: return;
      case Opcode::block:
      case Opcode::loop:
      case Opcode::if_: begin_block(instr); return;
      case Opcode::else_: compile_else(); return;
      case Opcode::end: compile_end(); return;
      case Opcode::br:
        settle_branch_values(label(instr.index));
        emit_branch(instr.index);
        leave_reachable();
        return;
      case Opcode::br_if: compile_br_if(instr.index); return;
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
      case Opcode::call_indirect: compile_call(instr); return;

      case Opcode::ref_null: push_constant(instr.ref_type, kNullRef); return;
      case Opcode::ref_func: push_constant(ValType::FuncRef, ref_of(instance_.funcs[instr.index])); return;
      case Opcode::ref_is_null: {
        const uint16_t a = pop_slot();
        const uint16_t d = push_result(ValType::I32);
        emit(SlotOp::is_null, d, a);
        return;
      }

      case Opcode::drop: pop(); return;
      case Opcode::select:
      case Opcode::select_t: compile_select(); return;

      case Opcode::local_get:
        push({.type = local_types_[instr.index], .place = StackEntry::Place::Local, .local = instr.index});
        return;
      case Opcode::local_set: compile_local_set(instr.index, false); return;
      case Opcode::local_tee: compile_local_set(instr.index, true); return;
      case Opcode::global_get: {
        const uint16_t d = push_result(module_.globals[instr.index].type.type);
        emit(SlotOp::global_load, d, 0, 0, 0, instr.index);
        return;
      }
      case Opcode::global_set: {
        const uint16_t a = pop_slot();
        emit(SlotOp::global_store, 0, a, 0, 0, instr.index);
        return;
      }

      case Opcode::table_get: {
        const uint16_t a = pop_slot();
        const uint16_t d = push_result(module_.tables[instr.index].element);
        emit(SlotOp::table_load, d, a, 0, 0, instr.index);
        return;
      }
      case Opcode::table_set: {
        const uint16_t b = pop_slot(), a = pop_slot();
        emit(SlotOp::table_store, 0, a, b, 0, instr.index);
        return;
      }
      case Opcode::table_size: {
        const uint16_t d = push_result(ValType::I32);
        emit(SlotOp::table_length, d, 0, 0, 0, instr.index);
        return;
      }
      case Opcode::table_grow: {
        const uint16_t b = pop_slot(), a = pop_slot();
        const uint16_t d = push_result(ValType::I32);
        emit(SlotOp::table_grow_by, d, a, b, 0, instr.index);
        return;
      }
      case Opcode::table_init: compile_bulk(SlotOp::table_init_from, instr.index, instr.index2, 8); return;
      case Opcode::table_copy: compile_bulk(SlotOp::table_copy_range, instr.index, instr.index2, 8); return;
      case Opcode::table_fill: compile_bulk(SlotOp::table_fill_range, instr.index, 0, 8); return;
      case Opcode::elem_drop: emit(SlotOp::elem_drop_segment, 0, 0, 0, 0, instr.index); return;

      case Opcode::memory_size: {
        const uint16_t d = push_result(ValType::I32);
        emit(SlotOp::memory_pages, d);
        return;
      }
      case Opcode::memory_grow: {
        const uint16_t a = pop_slot();
        const uint16_t d = push_result(ValType::I32);
        emit(SlotOp::memory_grow_by, d, a);
        return;
      }
      case Opcode::memory_init: compile_bulk(SlotOp::memory_init_from, instr.index, instr.index2, 1); return;
      case Opcode::memory_copy: compile_bulk(SlotOp::memory_copy_range, instr.index, instr.index2, 1); return;
      case Opcode::memory_fill: compile_bulk(SlotOp::memory_fill_range, instr.index, 0, 1); return;
      case Opcode::data_drop: emit(SlotOp::data_drop_segment, 0, 0, 0, 0, instr.index); return;

      case Opcode::i32_const: push_constant(ValType::I32, instr.bits); return;
      case Opcode::i64_const: push_constant(ValType::I64, instr.bits); return;
      case Opcode::f32_const: push_constant(ValType::F32, instr.bits); return;
      case Opcode::f64_const: push_constant(ValType::F64, instr.bits); return;

      default: assert(false); return;  // every other row has a shape
    }
  }

  void push_constant(ValType type, uint64_t bits) {
    push({.type = type, .place = StackEntry::Place::Constant, .bits = bits});
  }

  const Instance& instance_;
  const Module& module_;
  const CompileOptions options_;
  const std::vector<uint32_t>& barriers_;
  CompileObserver* observer_;
  const FuncInst& function_;
  const FunctionBody& body_;
  InstrReader reader_;

  struct Table {
    uint32_t cell, first, count;
  };

  std::vector<ValType> local_types_;
  std::vector<uint32_t> aliases_;  // per local: entries of stack_ that stand for it
  std::vector<StackEntry> stack_;
  uint32_t settled_ = 0;  // all entries below this height are in their homes
  std::vector<Label> labels_;
  std::vector<Table> tables_;
  bool reachable_ = true;
  uint32_t nesting_ = 0;       // blocks opened since code became unreachable
  uint32_t offset_ = 0;        // of the current instruction
  uint32_t producer_ = kNone;  // cell that computed the topmost entry
  uint32_t sync_cell_ = kNone;
  bool step_since_sync_ = false;
};

}  // namespace

void compile(const Store& store, Code& code) {
  Compiler compiler(store, code, nullptr);
  compiler.run();
  code.storage.assign(compiler.cells.begin(), compiler.cells.end());
  code.branch_targets = std::move(compiler.branch_targets);
  code.branch_targets.shrink_to_fit();
  code.local_count = compiler.local_count;
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
