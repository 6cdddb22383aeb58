// The compiler's inside, shared by compile*.cpp.
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <optional>
#include <utility>
#include <vector>

#include "interp/compile.hpp"
#include "interp/fusion.hpp"
#include "interp/instr_reader.hpp"
#include "interp/instrumentation.hpp"
#include "interp/single_types.hpp"
#include "interp/slot_op.hpp"

namespace chiwawa {

/// One function's compilation: one pass, an abstract operand stack, a stack of open blocks.
class Compiler {
 public:
  static constexpr uint32_t kNone = ~uint32_t{0};

  Compiler(const Store& store, const Code& code, CompileObserver* observer)
      : store_(store),
        instance_(*code.instance),
        module_(*instance_.module),
        options_{.polls = store.compile_options.polls && !store.compile_options.exact,
                 .exact = store.compile_options.exact && !store.compile_options.counting,
                 .canonical_nans = store.compile_options.canonical_nans,
                 .accumulators = store.compile_options.accumulators,
                 .counting = store.compile_options.counting,
                 .no_fusion = store.compile_options.no_fusion},
        barriers_(code.barriers),
        observer_(observer),
        function_(store[code.function]),
        type_(module_.function_type(function_.function_index)),
        body_(module_.body(function_.function_index)),
        reader_(module_.bytes, body_.code) {}

  void run() {
    declare_locals();
    labels_.push_back({.kind = Opcode::block, .params = {}, .results = type_.results});
    begin_probes();
    if (stops_at_entry) sync_point();
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
  std::vector<uint32_t> cell_offsets;
  std::vector<TryRegion> regions;
  std::vector<RegionStart> region_starts;
  std::vector<SyncSteps> sync_steps;
  uint32_t local_slots = 0;
  uint32_t frame_slots = 0;
  bool has_step = false;
  bool stops_at_entry = true;
  std::vector<Block> blocks;  // if they are counted
  Probes probes;

  /// Completes the cells, and gives the code what belongs to its instrumentation.
  void finish_probes(Code& code);

 private:
  struct Label {
    Opcode kind = Opcode::block;  // block (also the function), loop, if_, else_, try_, try_table, catch_
    std::span<const ValType> params;
    std::span<const ValType> results;
    uint32_t height = 0;          // of the stack, without params
    uint16_t slot = 0;            // the home of an entry at that height
    uint32_t loop_cell = 0;       // loop: where branches go
    uint32_t loop_steps = 0;      // loop: steps before it
    uint32_t fixups = kNone;      // branches that go to the end: a chain through their targets, see fix()
    uint32_t else_fixup = kNone;  // if_: the branch that skips the first part
    uint32_t region = kNone;      // whose clauses see the exceptions of the instructions within
    uint32_t own_region = kNone;  // try_, try_table: the region that it made
    bool catches = false;         // exceptions arrive at its end
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

  /// Before `local` changes: entries that stand for it get their value. Where they are not found soon, all entries do,
  /// so that no entry is looked at again and again.
  void settle_aliases(uint32_t local) {
    constexpr uint32_t kSoon = 32;
    const uint32_t end = height() > kSoon ? height() - kSoon : 0;
    for (uint32_t at = height(); aliases_[local] != 0; --at) {
      if (at == end) return settle_all();
      const StackEntry& entry = stack_[at - 1];
      if (entry.place == StackEntry::Place::Local && entry.local == local) settle(at - 1);
    }
  }

  // --- emitting ----------------------------------------------------------------------------------------------------

  uint32_t here() const { return static_cast<uint32_t>(cells.size()); }

  uint32_t emit(SlotOp op, uint16_t d = 0, uint16_t a = 0, uint16_t b = 0, uint16_t c = 0, uint32_t imm = 0) {
    return emit({static_cast<uint32_t>(op), d, a, b, c, imm});
  }
  /// Returns where it is. It may have become one with the cell before, whose place it then takes.
  uint32_t emit(Cell cell);

  /// An operation whose b and c say how many steps there are up to it, if they are counted.
  uint32_t emit_counted(Cell cell) {
    if (options_.counting) cell.set_bc(steps_);
    return emit(cell);
  }

  void emit_constant(uint16_t d, uint64_t bits) {
    Cell cell{.op = static_cast<uint32_t>(SlotOp::constant), .d = d};
    cell.set_wide(bits);
    emit(cell);
  }

  /// As it is, whatever it means.
  void append(const Cell& cell) {
    cells.push_back(cell);
    cell_offsets.push_back(offset_);
    held_before_.push_back(held_);
    if (options_.counting) steps_before_.push_back(steps_);
  }

  /// Whether nobody reads the slot behind `cell`, which reads it: it belonged to an operand. `produces`: the cell's
  /// result is on the stack already.
  bool is_last_use(uint16_t slot, const Cell& cell, bool produces) const;
  /// Lets the cell take an operand from an accumulator.
  void use_accumulators(Cell& cell, bool produces);
  /// What the accumulators hold behind the cell.
  void note_accumulators(const Cell& cell);

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

  void remove_last_cell();

  // --- control -----------------------------------------------------------------------------------------------------

  /// Cells before and after may not be fused from here on.
  void bind() {
    producer_ = kNone;
    bound_ = here();
    held_ = kNothingHeld;
  }

  /// Marks the current cell as one where a polling machine stops. Two such places with steps between them must not
  /// share a cell, or the position could not be told from the cell.
  void sync_point();

  std::pair<std::span<const ValType>, std::span<const ValType>> types_of(const BlockType& type);

  Label& label(uint32_t depth) { return labels_[labels_.size() - 1 - depth]; }
  bool is_function_label(uint32_t depth) const { return depth + 1 == labels_.size(); }
  static std::span<const ValType> label_types(const Label& label);

  /// Sets the target of a forward branch: kinds are told apart by the lowest bit of a fixup. A br_switch's entry is
  /// known by its place in the cells, in units of 32 bits.
  static uint32_t cell_fixup(uint32_t cell) { return cell << 1; }
  static uint32_t table_fixup(uint32_t entry) { return entry << 1 | 1; }
  uint32_t target_of(uint32_t fixup) const;
  void set_target(uint32_t fixup, uint32_t target);

  /// Lets the branch, which jumps from behind `from` steps to behind `to`, count the difference.
  void count_branch(uint32_t cell, uint32_t from, uint32_t to);
  /// Cells behind the function for branches that count more than fits into theirs.
  void finish_counts();

  /// Whether branches and calls count.
  bool counts() const { return options_.polls || options_.counting; }

  void add_fixup(Label& to, uint32_t fixup) { set_target(fixup, std::exchange(to.fixups, fixup)); }

  /// As branches have it: in bytes.
  static uint32_t distance(uint32_t from, uint32_t to) { return (to - from) * static_cast<uint32_t>(sizeof(Cell)); }

  /// Lets every branch of the chain go to the current cell. Targets are relative to the branching cell; those of a
  /// br_switch are made so when its table is complete (finish_tables), because here its cell is not known.
  void fix(uint32_t fixup);

  /// Emits a branch chosen by the label.
  void emit_jump(Label& to, SlotOp forward, SlotOp backward, SlotOp backward_poll, uint16_t a, uint16_t b, uint16_t c);

  /// Whether a branch to this label has values to move.
  bool needs_moves(const Label& to) const;

  /// The values that a branch carries, if they are several, go to their homes before the branch, where it is not
  /// conditional: then they move as one range, and many branches with many values stay small.
  void settle_branch_values(const Label& to);

  /// Emits what moves the top `arity` entries to the slots from `target` on. Requires settle_branch_values(). The
  /// abstract stack does not change: in a conditional branch the moves are only on the way taken.
  void emit_branch_moves(uint16_t target, size_t arity);

  void emit_branch(uint32_t depth);

  /// Results go to the frame's first slots. Requires settle_branch_values().
  void emit_return();

  /// A condition, popped from the stack, ready to become a branch.
  struct Condition {
    SlotOp when_true, when_true_poll, when_false, when_false_poll;
    uint16_t a = 0, b = 0, c = 0;
  };

  Condition pop_condition();

  void compile_br_if(uint32_t depth, const Condition& condition);

  /// Targets without moves go into the table; the others, and loop heads when polling, get a piece of code each.
  void compile_br_table(const Instr& instr);

  void leave_reachable();

  void skip_unreachable(const Instr& instr);

  void begin_block(const Instr& instr);

  void reset_stack(uint32_t to_height, std::span<const ValType> types);

  void compile_else();

  /// Cells from here on are in that region.
  void enter_region(uint32_t region);

  /// Where exceptions arrive that a try_table catches: a piece of code for each clause, which branches to its label.
  void compile_catch_clauses(const Instr& instr, const Label& label);

  /// Behind a legacy `catch` the exception, which `rethrow` needs, is an operand below its values.
  void compile_catch(const Instr& instr);

  void compile_throw(const Instr& instr);

  /// Pops so many operands, which lie one after the other from the slot on that is returned.
  uint16_t pop_contiguous(size_t count);

  void compile_end(const Instr& instr);

  void finish_tables();

  // --- calls -------------------------------------------------------------------------------------------------------

  /// A call whose operands are popped: the arguments are in their homes, from `first_slot` on.
  struct CallSite {
    enum class Kind : uint8_t { Function, Table, Reference };
    const FuncType& callee;
    Kind kind = Kind::Function;
    uint16_t callee_slot = 0;  // of the index in the table, or of the reference
    uint16_t first_slot = 0;
  };

  CallSite pop_call(const Instr& instr);

  void emit_call(const Instr& instr, const CallSite& site, SlotOp function, SlotOp table, SlotOp reference);

  /// The place behind the call, and its results.
  void finish_call(const Instr& instr, const CallSite& site);

  void compile_call(const Instr& instr);

  /// A host function cannot take the frame's place: it returns behind the call, where this frame returns its results.
  void compile_tail_call(const Instr& instr);

  // --- the other instructions --------------------------------------------------------------------------------------

  bool at_barrier(uint32_t offset) const;

  /// `watchers`: monitors that want to look here; everything is then where it belongs.
  void report_step(uint32_t watchers);

  // --- monitors (compile_probes.cpp) -------------------------------------------------------------------------------

  /// At the function's entry.
  void begin_probes();
  /// Before a step.
  void emit_probes(const Instr& instr, uint32_t watchers);
  /// Tells that the function is entered; that it is left, before it returns.
  void enter();
  void leave();
  /// `fast`: the same for dispatchers that can do it themselves. `steps`: as SyncSteps has them.
  void emit_call_event(CallOut event, SlotOp fast, int32_t steps);
  void add_site(const Instr& instr, uint32_t watchers);

  void compile_local_set(uint32_t local, bool keep);

  void compile_binary(const Instr& instr);

  /// Two results, so no local.set can redirect the cell. A fourth operand is in imm.
  void compile_wide(const SlotForms& forms, bool four);

  /// Pops the operands of an atomic access, the address first, and emits it. The memory and the offset are in a cell of
  /// their own, which does nothing.
  void compile_atomic(const SlotForms& forms, const Instr& instr, int operands);

  /// As compile_atomic; c says of which width, imm how many cells that count stand before it.
  void compile_wait(const Instr& instr);

  /// The machine can stop at a wait, and comes back to it: its operands are where they stay.
  void begin_wait();

  /// Pops the three operands of a bulk instruction and emits it: d, a, b are their slots. The work is proportional to
  /// the last operand, which must therefore be charged to the budget.
  void compile_bulk(SlotOp op, uint32_t imm, uint32_t c, uint32_t bytes_per_unit);

  /// Whether a load or store is in the memory that the executors have in registers.
  bool is_near(const Instr& instr) const { return instr.index == 0 && module_.memories[0].address == ValType::I32; }

  /// See instr_far.inc.
  void emit_far(SlotOp op, const Instr& instr, uint16_t d, uint16_t a, uint16_t b);

  /// A lane and the offset leave no room for a memory: that is in a cell of its own, which does nothing.
  void emit_lane_access(const SlotForms& forms, const Instr& instr, uint16_t d, uint16_t a, uint16_t b);

  /// An operation with a vector of its own: the low half is in the two cells' imm, the high half in the second's
  /// others.
  void emit_with_vector(SlotOp op, uint16_t d, uint16_t a, uint16_t b, V128 vector);

  void compile_select(const Instr& instr);

  /// What makes an instruction's NaNs canonical, if the specification leaves open which it gives.
  static std::optional<SlotOp> canonical_form(Opcode opcode);

  /// Behind the cell of an instruction that has just pushed its result.
  void canonicalize(Opcode opcode);

  void compile_reachable(const Instr& instr);

  // --- references, structs and arrays ------------------------------------------------------------------------------

  uint16_t temporary();

  static Condition when_nonzero(uint16_t slot);
  static Condition when_zero(uint16_t slot);

  void compile_br_on_null(const Instr& instr);

  void compile_br_on_non_null(const Instr& instr);

  void compile_br_on_cast(const Instr& instr);

  /// The topmost value is known to be, or is from now on looked at as one, of this type.
  void retype_top(ValType type) { stack_.back().type = type; }

  /// A type as the store has it, in a cell.
  uint32_t closed(ValType type) const { return static_cast<uint32_t>(TypeSpace::renumber(type, instance_.type_ids)); }

  /// How a field of that storage type is read; written, the signed and the unsigned form are the same.
  static uint16_t access_of(ValType storage, bool is_signed);

  /// Pops so many operands, which lie one after the other, and emits an operation that makes an object of them.
  void compile_new(const Instr& instr, SlotOp op, size_t operands, uint32_t more = 0);

  void compile_field(const Instr& instr);

  void compile_element(const Instr& instr);

  /// Pops the operands of a bulk operation on arrays; the last is a count of elements.
  void compile_array_bulk(SlotOp op, size_t operands, uint32_t bytes_per_unit, uint32_t imm = 0);

  const ObjectLayout& layout_of(uint32_t type_index) const { return store_.layouts[instance_.type_ids[type_index]]; }

  void compile_aggregate(const Instr& instr);

  void convert_top(ValType type) { retype_top(is_nullable(stack_.back().type) ? type : non_null(type)); }

  void compile_other(const Instr& instr);

  void push_constant(ValType type, uint64_t bits);

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
  std::vector<uint32_t> pieces_;  // compile_br_table's; between two of them all are kNone
  bool reachable_ = true;
  uint32_t nesting_ = 0;       // blocks opened since code became unreachable
  uint32_t offset_ = 0;        // of the current instruction
  uint32_t producer_ = kNone;  // cell that computed the topmost entry
  uint32_t bound_ = 0;         // cells before are not changed any more
  /// Per accumulator, the slot whose value it has, too.
  using Held = std::array<uint32_t, kAccumulators>;
  static constexpr Held kNothingHeld = {kNone, kNone, kNone, kNone};
  Held held_ = kNothingHeld;
  std::vector<Held> held_before_;       // per cell
  size_t open_syncs_ = 0;               // sync_steps from here on wait for the step that is their position
  uint32_t steps_ = 0;                  // before here, in the order of the code
  std::vector<uint32_t> steps_before_;  // per cell, if steps are counted
  struct LongCount {
    uint32_t cell, count;
  };
  std::vector<LongCount> long_counts_;
  Instrumentation::Wishes wishes_;
  bool block_begins_ = true;           // the next step is the first of a block that is counted
  bool enter_pending_ = false;         // the function has not been told to be entered
  std::vector<uint32_t> count_cells_;  // of blocks
  uint32_t sync_cell_ = kNone;
  bool step_since_sync_ = false;
};

}  // namespace chiwawa
