#include "interp/compile.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "interp/instr_reader.hpp"
#include "interp/single_types.hpp"
#include "interp/slot_op.hpp"

namespace chiwawa {

namespace {

constexpr uint32_t kNone = ~uint32_t{0};

class Compiler {
 public:
  Compiler(const Store& store, const Code& code, CompileObserver* observer)
      : store_(store),
        instance_(*code.instance),
        module_(*instance_.module),
        options_{.polls = store.compile_options.polls && !store.compile_options.exact,
                 .exact = store.compile_options.exact,
                 .canonical_nans = store.compile_options.canonical_nans},
        barriers_(code.barriers),
        observer_(observer),
        function_(store[code.function]),
        type_(module_.function_type(function_.function_index)),
        body_(module_.body(function_.function_index)),
        reader_(module_.bytes, body_.code) {}

  void run() {
    declare_locals();
    labels_.push_back({.kind = Opcode::block, .params = {}, .results = type_.results});
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
  std::vector<TryRegion> regions;
  std::vector<RegionStart> region_starts;
  uint32_t local_slots = 0;
  uint32_t frame_slots = 0;
  bool has_step = false;

 private:
  struct Label {
    Opcode kind = Opcode::block;  // block (also the function), loop, if_, else_, try_, try_table, catch_
    std::span<const ValType> params;
    std::span<const ValType> results;
    uint32_t height = 0;          // of the stack, without params
    uint16_t slot = 0;            // the home of an entry at that height
    uint32_t loop_cell = 0;       // loop: where branches go
    uint32_t fixups = kNone;      // branches that go to the end: a chain through their targets, see fix()
    uint32_t else_fixup = kNone;  // if_: the branch that skips the first part
    uint32_t region = kNone;      // whose clauses see the exceptions of the instructions within
    uint32_t own_region = kNone;  // try_, try_table: the region that it made
  };

  // --- locals and the abstract stack -------------------------------------------------------------------------------

  void declare_locals() {
    local_types_ = type_.params;
    for (const LocalRun& run : body_.locals) local_types_.insert(local_types_.end(), run.count, run.type);
    local_slots_.reserve(local_types_.size());
    for (const ValType type : local_types_) {
      local_slots_.push_back(static_cast<uint16_t>(local_slots));
      local_slots += slots_of(type);
    }
    frame_slots = std::max(local_slots, slots_of(type_.results));
    aliases_.assign(local_types_.size(), 0);
  }

  uint32_t height() const { return static_cast<uint32_t>(stack_.size()); }
  /// The home of an entry that is pushed next.
  uint16_t next_home() const {
    return static_cast<uint16_t>(stack_.empty() ? local_slots : stack_.back().home + slots_of(stack_.back().type));
  }

  void push(StackEntry entry) {
    entry.home = next_home();
    if (entry.place == StackEntry::Place::Local) ++aliases_[entry.local];
    stack_.push_back(entry);
    frame_slots = std::max(frame_slots, entry.home + slots_of(entry.type));
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

  static uint16_t home(const StackEntry& entry) { return static_cast<uint16_t>(entry.home); }

  /// The slot that holds `entry`. Emits code for a constant.
  uint16_t slot_of(const StackEntry& entry) {
    if (entry.place == StackEntry::Place::Local) return local_slots_[entry.local];
    if (entry.place == StackEntry::Place::Constant) emit_constant(home(entry), entry.bits);
    return home(entry);
  }

  uint16_t pop_slot() { return slot_of(pop()); }

  /// Emits code that puts `entry` into slot `to`.
  void emit_move(uint16_t to, const StackEntry& entry) {
    if (entry.place == StackEntry::Place::Constant) return emit_constant(to, entry.bits);
    const uint16_t from = entry.place == StackEntry::Place::Local ? local_slots_[entry.local] : home(entry);
    if (from != to) emit(is_vec(entry.type) ? SlotOp::copy_pair : SlotOp::copy, to, from);
  }

  void settle(uint32_t at) {
    StackEntry& entry = stack_[at];
    if (entry.place == StackEntry::Place::Home) return;
    emit_move(home(entry), entry);
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
    return home(stack_.back());
  }

  /// The last cell, if it produced the entry and nothing was emitted or jumps in between.
  Cell* producer_of(const StackEntry& entry) {
    if (entry.place != StackEntry::Place::Home || producer_ == kNone || producer_ + 1 != here()) return nullptr;
    Cell& cell = cells.back();
    return cell.d == entry.home ? &cell : nullptr;
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

  std::pair<std::span<const ValType>, std::span<const ValType>> types_of(const BlockType& type) {
    switch (type.kind) {
      case BlockType::Kind::Empty: return {};
      case BlockType::Kind::Value: return {{}, singles_.of(type.value)};
      case BlockType::Kind::TypeIndex: break;
    }
    const FuncType& function_type = module_.types.func(type.type_index);
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
    if (stack_[first].home != to.slot) return true;
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
      emit_move(target, stack_[first]);
    } else if (arity > 1 && stack_[first].home != target) {
      emit(SlotOp::copy_range, target, home(stack_[first]), 0, 0, next_home() - stack_[first].home);
    }
  }

  void emit_branch(uint32_t depth) {
    if (is_function_label(depth)) {
      emit_return();
      return;
    }
    Label& to = label(depth);
    emit_branch_moves(to.slot, label_types(to).size());
    emit_jump(to, SlotOp::br_always, SlotOp::br_always, SlotOp::br_always_p, 0, 0, 0);
  }

  /// Results go to the frame's first slots. Requires settle_branch_values().
  void emit_return() {
    const size_t arity = type_.results.size();
    if (arity == 1 && !is_vec(stack_.back().type)) {
      emit(SlotOp::ret_slot, 0, slot_of(stack_.back()));
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
    if (const Cell* producer = producer_of(entry)) {
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
    return {SlotOp::br_nonzero, SlotOp::br_nonzero_p, SlotOp::br_zero, SlotOp::br_zero_p, slot_of(entry)};
  }

  static bool is_constant_form(SlotOp comparison) {
    switch (comparison) {
#define COMPARE(code, id, text, operand, result) case SlotOp::id##_c:
#include "interp/opcodes.def"
      return true;
      default: return false;
    }
  }

  void compile_br_if(uint32_t depth, const Condition& condition) {
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

  /// Cells from here on are in that region.
  void enter_region(uint32_t region) {
    const uint32_t current = region_starts.empty() ? kNone : region_starts.back().region;
    if (region == current) return;
    bind();
    region_starts.push_back({here(), region});
  }

  /// Where exceptions arrive that a try_table catches: a piece of code for each clause, which branches to its label.
  void compile_catch_clauses(const Instr& instr, const Label& label) {
    if (instr.index == 0) return;
    const std::vector<StackEntry> params(stack_.begin() + label.height, stack_.end());
    pop_to(label.height);
    const uint32_t over = emit(SlotOp::br_always);
    reader_.for_each_catch(instr, [&](const CatchClause& clause) {
      bind();
      CatchTarget target{.any_tag = clause.any_tag,
                         .with_ref = clause.with_ref,
                         .slot = next_home(),
                         .tag_index = clause.tag_index,
                         .cell = here()};
      if (!clause.any_tag) {
        for (const ValType type : module_.tag_type(clause.tag_index).params) push_home(type);
      }
      if (clause.with_ref) push_home(non_null(ValType::ExnRef));
      emit_branch(clause.label);
      pop_to(label.height);
      regions[label.own_region].clauses.push_back(target);
    });
    bind();
    cells[over].imm = here() - over;
    for (const StackEntry& param : params) push_home(param.type);
    settled_ = height();
  }

  /// Behind a legacy `catch` the exception, which `rethrow` needs, is an operand below its values.
  void compile_catch(const Instr& instr) {
    if (reachable_) {
      settle_branch_values(labels_.back());
      emit_branch(0);
    }
    bind();
    Label& current = labels_.back();
    current.kind = Opcode::catch_;
    current.region = regions[current.own_region].outer;
    enter_region(current.region);
    const bool any = instr.opcode == Opcode::catch_all;
    regions[current.own_region].clauses.push_back({.any_tag = any,
                                                   .with_ref = true,
                                                   .ref_first = true,
                                                   .slot = current.slot,
                                                   .tag_index = any ? 0 : instr.index,
                                                   .cell = here()});
    reset_stack(current.height, {});
    push_home(non_null(ValType::ExnRef));
    if (!any) {
      for (const ValType type : module_.tag_type(instr.index).params) push_home(type);
    }
    settled_ = height();
  }

  void compile_throw(const Instr& instr) {
    const size_t count = module_.tag_type(instr.index).params.size();
    emit(SlotOp::throw_exception, 0, pop_contiguous(count), 0, 0, instr.index);
    leave_reachable();
  }

  /// Pops so many operands, which lie one after the other from the slot on that is returned.
  uint16_t pop_contiguous(size_t count) {
    settle_top(count);
    pop_to(height() - static_cast<uint32_t>(count));
    return next_home();
  }

  void compile_end(const Instr& instr) {
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

  /// A call whose operands are popped: the arguments are in their homes, from `first_slot` on.
  struct CallSite {
    enum class Kind : uint8_t { Function, Table, Reference };
    const FuncType& callee;
    Kind kind = Kind::Function;
    uint16_t callee_slot = 0;  // of the index in the table, or of the reference
    uint16_t first_slot = 0;
  };

  CallSite pop_call(const Instr& instr) {
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

  void emit_call(const Instr& instr, const CallSite& site, SlotOp function, SlotOp table, SlotOp reference) {
    switch (site.kind) {
      case CallSite::Kind::Function: emit(function, site.first_slot, 0, 0, 0, instr.index); break;
      case CallSite::Kind::Table:
        emit(table, site.first_slot, site.callee_slot, static_cast<uint16_t>(instr.index2),
             static_cast<uint16_t>(instr.index2 >> 16), instance_.type_ids[instr.index]);
        break;
      case CallSite::Kind::Reference: emit(reference, site.first_slot, site.callee_slot); break;
    }
  }

  /// The place behind the call, and its results.
  void finish_call(const Instr& instr, const CallSite& site) {
    if (observer_ != nullptr) observer_->return_point(instr.end, here(), stack_, site.callee, site.first_slot);
    for (const ValType type : site.callee.results) push_home(type);
  }

  void compile_call(const Instr& instr) {
    const CallSite site = pop_call(instr);
    const bool imported = site.kind == CallSite::Kind::Function && module_.is_imported_function(instr.index);
    const SlotOp internal = options_.polls ? SlotOp::call_internal_p : SlotOp::call_internal;
    emit_call(instr, site, imported ? SlotOp::call_external : internal,
              options_.polls ? SlotOp::call_table_p : SlotOp::call_table, SlotOp::call_reference);
    finish_call(instr, site);
  }

  /// A host function cannot take the frame's place: it returns behind the call, where this frame returns its results.
  void compile_tail_call(const Instr& instr) {
    const CallSite site = pop_call(instr);
    emit_call(instr, site, SlotOp::tail_call_function, SlotOp::tail_call_table, SlotOp::tail_call_reference);
    if (site.kind != CallSite::Kind::Function || module_.is_imported_function(instr.index)) {
      finish_call(instr, site);
      emit_return();
    }
    leave_reachable();
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
    const bool same = value.place == StackEntry::Place::Local && value.local == local;
    if (!same) {
      Cell* producer = aliases_[local] == 0 ? producer_of(value) : nullptr;
      if (producer != nullptr) {
        producer->d = local_slots_[local];
        producer_ = kNone;
      } else {
        settle_aliases(local);
        emit_move(local_slots_[local], value);
      }
    }
    if (keep) push({.type = value.type, .place = StackEntry::Place::Local, .local = local});
  }

  static bool fits_constant(const StackEntry& entry) {
    if (entry.place != StackEntry::Place::Constant) return false;
    return entry.type == ValType::I32 ||
           static_cast<uint64_t>(int64_t{static_cast<int32_t>(static_cast<uint32_t>(entry.bits))}) == entry.bits;
  }

  void compile_binary(const Instr& instr) {
    const SlotForms* forms = &slot_forms(instr.opcode);
    StackEntry right = pop();
    StackEntry left = pop();
    if (forms->constant && forms->swapped && fits_constant(left) && !fits_constant(right)) {
      std::swap(left, right);
      forms = &slot_forms(*forms->swapped);
    }
    const uint16_t a = slot_of(left);
    if (forms->constant && fits_constant(right)) {
      const uint16_t d = push_result(forms->result);
      emit(*forms->constant, d, a, 0, 0, static_cast<uint32_t>(right.bits));
    } else {
      const uint16_t b = slot_of(right);
      const uint16_t d = push_result(forms->result);
      emit(forms->slots, d, a, b, forms->has_lane ? instr.lane : 0);
    }
  }

  /// Two results, so no local.set can redirect the cell. A fourth operand is in imm.
  void compile_wide(const SlotForms& forms, bool four) {
    const uint16_t last = pop_slot(), third = pop_slot();
    const uint16_t b = four ? pop_slot() : last, a = four ? pop_slot() : third;
    push_home(forms.result);
    const uint16_t d = home(stack_.back());
    push_home(forms.result);
    emit(forms.slots, d, a, b, four ? third : 0, four ? last : 0);
  }

  /// Pops the operands of an atomic access, the address first, and emits it. The memory and the offset are in a cell of
  /// their own, which does nothing.
  void compile_atomic(const SlotForms& forms, const Instr& instr, int operands) {
    const uint16_t c = operands == 3 ? pop_slot() : 0;
    const uint16_t b = operands >= 2 ? pop_slot() : 0;
    const uint16_t a = pop_slot();
    const bool is_store = forms.shape == SlotForms::Shape::AtomicStore;
    const uint16_t d = is_store ? 0 : push_result(forms.result);
    emit(forms.slots, d, a, b, c);
    emit_far(SlotOp::nop_cell, instr, 0, 0, static_cast<uint16_t>(instr.index));
  }

  /// As compile_atomic; c says of which width, imm whether a cell that counts the step stands before it.
  void compile_wait(const Instr& instr) {
    // begin_wait() has put all into their homes: the timeout is behind the expected value.
    assert(settled_ == height());
    const uint16_t expected = home(stack_[height() - 2]), a = home(stack_[height() - 3]);
    pop_to(height() - 3);
    push_home(ValType::I32);
    emit(SlotOp::atomic_wait, home(stack_.back()), a, expected, instr.opcode == Opcode::memory_atomic_wait64 ? 8 : 4,
         options_.exact);
    emit_far(SlotOp::nop_cell, instr, 0, 0, static_cast<uint16_t>(instr.index));
  }

  /// The machine can stop at a wait, and comes back to it: its operands are where they stay.
  void begin_wait() {
    settle_all();
    sync_point();
  }

  /// Pops the three operands of a bulk instruction and emits it: d, a, b are their slots. The work is proportional to
  /// the last operand, which must therefore be charged to the budget.
  void compile_bulk(SlotOp op, uint32_t imm, uint32_t c, uint32_t bytes_per_unit) {
    const bool count_is_64 = stack_.back().type == ValType::I64;
    const uint16_t b = pop_slot(), a = pop_slot(), d = pop_slot();
    emit(op, d, a, b, static_cast<uint16_t>(c), imm);
    if (options_.polls) emit(SlotOp::charge, 0, b, count_is_64, 0, bytes_per_unit);
  }

  /// Whether a load or store is in the memory that the executors have in registers.
  bool is_near(const Instr& instr) const { return instr.index == 0 && module_.memories[0].address == ValType::I32; }

  /// See instr_far.inc.
  void emit_far(SlotOp op, const Instr& instr, uint16_t d, uint16_t a, uint16_t b) {
    const uint64_t offset = std::min(instr.mem_offset, (uint64_t{1} << 48) - 1);  // out of bounds everywhere
    emit(op, d, a, b, static_cast<uint16_t>(offset >> 32), static_cast<uint32_t>(offset));
  }

  /// A lane and the offset leave no room for a memory: that is in a cell of its own, which does nothing.
  void emit_lane_access(const SlotForms& forms, const Instr& instr, uint16_t d, uint16_t a, uint16_t b) {
    emit(is_near(instr) ? forms.slots : forms.far, d, a, b, instr.lane, static_cast<uint32_t>(instr.mem_offset));
    if (!is_near(instr)) emit_far(SlotOp::nop_cell, instr, 0, 0, static_cast<uint16_t>(instr.index));
  }

  /// An operation with a vector of its own: the low half is in the two cells' imm, the high half in the second's
  /// others.
  void emit_with_vector(SlotOp op, uint16_t d, uint16_t a, uint16_t b, V128 vector) {
    emit(op, d, a, b, 0, static_cast<uint32_t>(vector.low));
    emit(SlotOp::nop_cell, static_cast<uint16_t>(vector.high), static_cast<uint16_t>(vector.high >> 16),
         static_cast<uint16_t>(vector.high >> 32), static_cast<uint16_t>(vector.high >> 48),
         static_cast<uint32_t>(vector.low >> 32));
  }

  void compile_select(const Instr& instr) {
    const uint16_t condition = pop_slot();
    const uint16_t second = pop_slot();
    const ValType type = instr.opcode == Opcode::select_t ? instr.ref_type : stack_.back().type;
    const uint16_t first = pop_slot();
    const uint16_t d = push_result(type);
    emit(is_vec(type) ? SlotOp::select_pair : SlotOp::select_slot, d, first, second, condition);
  }

  /// What makes an instruction's NaNs canonical, if the specification leaves open which it gives.
  static std::optional<SlotOp> canonical_form(Opcode opcode) {
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

  /// Behind the cell of an instruction that has just pushed its result.
  void canonicalize(Opcode opcode) {
    const std::optional<SlotOp> form = canonical_form(opcode);
    if (!form) return;
    const uint16_t d = home(stack_.back());
    producer_ = here();
    emit(*form, d, d);
  }

  void compile_reachable(const Instr& instr) {
    if (is_atomic_wait(instr.opcode)) begin_wait();
    if (is_step(instr.opcode)) {
      report_step();
      if (options_.exact) emit(SlotOp::step);
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

  // --- references, structs and arrays ------------------------------------------------------------------------------

  uint16_t temporary() {
    const uint16_t slot = next_home();
    frame_slots = std::max(frame_slots, slot + 1u);
    return slot;
  }

  static Condition when_nonzero(uint16_t slot) {
    return {SlotOp::br_nonzero, SlotOp::br_nonzero_p, SlotOp::br_zero, SlotOp::br_zero_p, slot};
  }
  static Condition when_zero(uint16_t slot) {
    return {SlotOp::br_zero, SlotOp::br_zero_p, SlotOp::br_nonzero, SlotOp::br_nonzero_p, slot};
  }

  void compile_br_on_null(const Instr& instr) {
    StackEntry ref = pop();
    // The slot behind the reference's home, which stays where it is.
    push(ref);
    const uint16_t result = temporary();
    emit(SlotOp::is_null, result, slot_of(stack_.back()));
    pop();
    compile_br_if(instr.index, when_nonzero(result));
    if (ref.place == StackEntry::Place::Constant) ref.place = StackEntry::Place::Home;  // slot_of has put it there
    ref.type = non_null(ref.type);
    push(ref);
  }

  void compile_br_on_non_null(const Instr& instr) {
    retype_top(non_null(stack_.back().type));
    const uint16_t result = temporary();
    emit(SlotOp::is_null, result, slot_of(stack_.back()));
    compile_br_if(instr.index, when_zero(result));
    pop();
  }

  void compile_br_on_cast(const Instr& instr) {
    const bool on_fail = instr.opcode == Opcode::br_on_cast_fail;
    const ValType rest = is_nullable(instr.ref_type) ? non_null(instr.cast_from) : instr.cast_from;
    const uint16_t result = temporary();
    emit(SlotOp::ref_test_type, result, slot_of(stack_.back()), 0, 0, closed(instr.ref_type));
    retype_top(on_fail ? rest : instr.ref_type);
    compile_br_if(instr.index, on_fail ? when_zero(result) : when_nonzero(result));
    retype_top(on_fail ? instr.ref_type : rest);
  }

  /// The topmost value is known to be, or is from now on looked at as one, of this type.
  void retype_top(ValType type) { stack_.back().type = type; }

  /// A type as the store has it, in a cell.
  uint32_t closed(ValType type) const { return static_cast<uint32_t>(TypeSpace::renumber(type, instance_.type_ids)); }

  /// How a field of that storage type is read; written, the signed and the unsigned form are the same.
  static uint16_t access_of(ValType storage, bool is_signed) {
    const auto number = [](FieldAccess access) { return static_cast<uint16_t>(access); };
    switch (storage) {
      case ValType::I8: return number(is_signed ? FieldAccess::S8 : FieldAccess::U8);
      case ValType::I16: return number(is_signed ? FieldAccess::S16 : FieldAccess::U16);
      case ValType::I32:
      case ValType::F32: return number(FieldAccess::Word);
      case ValType::V128: return number(FieldAccess::Pair);
      default: return number(FieldAccess::Slot);
    }
  }

  /// Pops so many operands, which lie one after the other, and emits an operation that makes an object of them.
  void compile_new(const Instr& instr, SlotOp op, size_t operands, uint32_t more = 0) {
    const uint16_t first = pop_contiguous(operands);
    const uint16_t d = push_result(defined_ref(instr.index, false));
    emit(op, d, first, static_cast<uint16_t>(more), static_cast<uint16_t>(more >> 16), instance_.type_ids[instr.index]);
  }

  void compile_field(const Instr& instr) {
    const FieldType& field = module_.types[instr.index].fields[instr.index2];
    const uint32_t offset = layout_of(instr.index).offsets[instr.index2];
    const uint16_t access = access_of(field.storage, instr.opcode == Opcode::struct_get_s);
    if (instr.opcode == Opcode::struct_set) {
      const uint16_t b = pop_slot(), a = pop_slot();
      emit(SlotOp::struct_store, 0, a, b, access, offset);
    } else {
      const uint16_t a = pop_slot();
      const uint16_t d = push_result(unpacked(field.storage));
      emit(SlotOp::struct_load, d, a, 0, access, offset);
    }
  }

  void compile_element(const Instr& instr) {
    const ValType storage = module_.types[instr.index].fields[0].storage;
    const uint16_t access = access_of(storage, instr.opcode == Opcode::array_get_s);
    if (instr.opcode == Opcode::array_set) {
      const uint16_t b = pop_slot(), a = pop_slot(), d = pop_slot();
      emit(SlotOp::array_store, d, a, b, access);
    } else {
      const uint16_t b = pop_slot(), a = pop_slot();
      const uint16_t d = push_result(unpacked(storage));
      emit(SlotOp::array_load, d, a, b, access);
    }
  }

  /// Pops the operands of a bulk operation on arrays; the last is a count of elements.
  void compile_array_bulk(SlotOp op, size_t operands, uint32_t bytes_per_unit, uint32_t imm = 0) {
    settle_top(operands);
    const uint16_t count = home(stack_.back());
    pop_to(height() - static_cast<uint32_t>(operands));
    emit(op, 0, next_home(), 0, 0, imm);
    if (options_.polls) emit(SlotOp::charge, 0, count, 0, 0, bytes_per_unit);
  }

  const ObjectLayout& layout_of(uint32_t type_index) const { return store_.layouts[instance_.type_ids[type_index]]; }

  void compile_aggregate(const Instr& instr) {
    switch (instr.opcode) {
      case Opcode::ref_eq: {
        const uint16_t b = pop_slot(), a = pop_slot();
        const uint16_t d = push_result(ValType::I32);
        emit(SlotOp::ref_equal, d, a, b);
        return;
      }
      case Opcode::ref_as_non_null:
        emit(SlotOp::check_non_null, 0, slot_of(stack_.back()));
        retype_top(non_null(stack_.back().type));
        return;
      case Opcode::ref_test:
      case Opcode::ref_test_null: {
        const uint16_t a = pop_slot();
        const uint16_t d = push_result(ValType::I32);
        emit(SlotOp::ref_test_type, d, a, 0, 0, closed(instr.ref_type));
        return;
      }
      case Opcode::ref_cast:
      case Opcode::ref_cast_null:
        emit(SlotOp::ref_cast_type, 0, slot_of(stack_.back()), 0, 0, closed(instr.ref_type));
        retype_top(instr.ref_type);
        return;
      // A reference is the same on both sides.
      case Opcode::any_convert_extern: return convert_top(ValType::AnyRef);
      case Opcode::extern_convert_any: return convert_top(ValType::ExternRef);
      case Opcode::ref_i31: {
        const uint16_t a = pop_slot();
        const uint16_t d = push_result(non_null(ValType::I31Ref));
        emit(SlotOp::i31_make, d, a);
        return;
      }
      case Opcode::i31_get_s:
      case Opcode::i31_get_u: {
        const uint16_t a = pop_slot();
        const uint16_t d = push_result(ValType::I32);
        emit(SlotOp::i31_value, d, a, instr.opcode == Opcode::i31_get_s);
        return;
      }

      case Opcode::struct_new: compile_new(instr, SlotOp::struct_make, layout_of(instr.index).fields.size(), 1); return;
      case Opcode::struct_new_default: compile_new(instr, SlotOp::struct_make, 0, 0); return;
      case Opcode::struct_get:
      case Opcode::struct_get_s:
      case Opcode::struct_get_u:
      case Opcode::struct_set: compile_field(instr); return;

      case Opcode::array_new: compile_new(instr, SlotOp::array_make, 2, 1); return;
      case Opcode::array_new_default: compile_new(instr, SlotOp::array_make, 1, 0); return;
      case Opcode::array_new_fixed: compile_new(instr, SlotOp::array_make_fixed, instr.index2, instr.index2); return;
      case Opcode::array_new_data: compile_new(instr, SlotOp::array_make_data, 2, instr.index2); return;
      case Opcode::array_new_elem: compile_new(instr, SlotOp::array_make_elem, 2, instr.index2); return;
      case Opcode::array_get:
      case Opcode::array_get_s:
      case Opcode::array_get_u:
      case Opcode::array_set: compile_element(instr); return;
      case Opcode::array_len: {
        const uint16_t a = pop_slot();
        const uint16_t d = push_result(ValType::I32);
        emit(SlotOp::array_length, d, a);
        return;
      }
      case Opcode::array_fill: compile_array_bulk(SlotOp::array_fill_range, 4, layout_of(instr.index).bytes); return;
      case Opcode::array_copy: compile_array_bulk(SlotOp::array_copy_range, 5, layout_of(instr.index).bytes); return;
      case Opcode::array_init_data:
        compile_array_bulk(SlotOp::array_init_from_data, 4, layout_of(instr.index).bytes, instr.index2);
        return;
      case Opcode::array_init_elem: compile_array_bulk(SlotOp::array_init_from_elem, 4, 8, instr.index2); return;

      default: assert(false); return;  // every other row has a shape
    }
  }

  void convert_top(ValType type) { retype_top(is_nullable(stack_.back().type) ? type : non_null(type)); }

  void compile_other(const Instr& instr) {
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
        emit(SlotOp::throw_reference, 0, pop_slot());
        leave_reachable();
        return;
      case Opcode::rethrow:
        emit(SlotOp::throw_reference, 0, label(instr.index).slot);
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
        static constexpr SlotForms kForms{.shape = SlotForms::Shape::AtomicRmw,
                                          .result = ValType::I32,
                                          .slots = SlotOp::atomic_notify,
                                          .constant = {},
                                          .swapped = {}};
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

  void push_constant(ValType type, uint64_t bits) {
    push({.type = type, .place = StackEntry::Place::Constant, .bits = bits});
  }

  const Store& store_;
  const Instance& instance_;
  const Module& module_;
  const CompileOptions options_;
  const std::vector<uint32_t>& barriers_;
  CompileObserver* observer_;
  const FuncInst& function_;
  const FuncType& type_;  // as the module declares it
  const FunctionBody& body_;
  InstrReader reader_;

  struct Table {
    uint32_t cell, first, count;
  };

  SingleTypes singles_;
  std::vector<ValType> local_types_;
  std::vector<uint16_t> local_slots_;  // per local: its first slot
  std::vector<uint32_t> aliases_;      // per local: entries of stack_ that stand for it
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
  code.regions = std::move(compiler.regions);
  code.region_starts = std::move(compiler.region_starts);
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
