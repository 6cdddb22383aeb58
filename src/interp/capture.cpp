// Machine <-> MachineImage: the state in the specification's terms. The compiler's knowledge of where each operand is
// gets asked for anew, by repeating the compilation of the functions on the stack.
#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "interp/compile.hpp"
#include "interp/instr_reader.hpp"
#include "interp/machine_impl.hpp"

namespace chiwawa {

namespace {

/// A frame's shape at a place where it can stand.
struct Place {
  uint32_t position = 0;  ///< module offset
  uint32_t cell = 0;
  std::vector<StackEntry> stack;
  const FuncType* callee = nullptr;  ///< where a call returns to
  uint32_t first_slot = 0;           ///< of that call's arguments
};

/// Finds the places that cells stand for.
class CellFinder : public CompileObserver {
 public:
  std::map<uint32_t, Place> returns;  ///< by cell: set the keys to those that are wanted
  std::optional<uint32_t> pause_cell;
  bool counts_steps = false;
  Place pause;
  bool pause_found = false;

  void sync_point(uint32_t cell) override {
    if (!counts_steps && pause_cell == cell && !pause_found) armed_ = true;
  }
  void instruction(uint32_t offset, uint32_t cell, std::span<const StackEntry> stack) override {
    const bool wanted = armed_ || (counts_steps && pause_cell == cell);
    if (!wanted || pause_found) return;
    pause = {.position = offset, .cell = cell, .stack = {stack.begin(), stack.end()}};
    pause_found = true;
    armed_ = false;
  }
  void return_point(uint32_t offset, uint32_t cell, std::span<const StackEntry> stack, const FuncType& callee,
                    uint32_t first_slot) override {
    const auto wanted = returns.find(cell);
    if (wanted != returns.end()) wanted->second = {offset, cell, {stack.begin(), stack.end()}, &callee, first_slot};
  }

 private:
  bool armed_ = false;
};

/// Finds the places that module offsets stand for.
class OffsetFinder : public CompileObserver {
 public:
  std::map<uint32_t, std::optional<Place>> instructions;  ///< by offset: set the keys to those that are wanted
  std::map<uint32_t, std::optional<Place>> returns;

  void instruction(uint32_t offset, uint32_t cell, std::span<const StackEntry> stack) override {
    const auto wanted = instructions.find(offset);
    if (wanted != instructions.end()) wanted->second = Place{offset, cell, {stack.begin(), stack.end()}};
  }
  void return_point(uint32_t offset, uint32_t cell, std::span<const StackEntry> stack, const FuncType& callee,
                    uint32_t first_slot) override {
    const auto wanted = returns.find(offset);
    if (wanted != returns.end()) {
      wanted->second = Place{offset, cell, {stack.begin(), stack.end()}, &callee, first_slot};
    }
  }
};

/// Types as the module declares them.
std::vector<ValType> local_types(const FuncInst& function) {
  const Module& module = *function.instance->module;
  std::vector<ValType> types = module.function_type(function.function_index).params;
  for (const LocalRun& run : module.body(function.function_index).locals) {
    types.insert(types.end(), run.count, run.type);
  }
  return types;
}

Error damaged(std::string cause) { return {Phase::Snapshot, std::move(cause)}; }

std::string frame_name(size_t frame) { return "frame " + std::to_string(frame); }

}  // namespace

MachineImage Machine::capture() {
  const Context& ctx = impl_->ctx;
  const Store& store = *ctx.store;
  MachineImage image;
  image.entry = ctx.entry;
  if (store.compile_options.exact) image.steps = impl_->steps;
  if (ctx.wait_since) image.waited = store.clock.time() - *ctx.wait_since;

  // One observation per function tells about all of its frames.
  std::map<const Code*, CellFinder> finders;
  const Frame* const bottom = ctx.frames.data.get();
  const auto is_guest = [](const Frame* frame) { return frame->code->instance != nullptr; };
  const auto cell_of = [](const Frame* frame, const Cell* pc) {
    return static_cast<uint32_t>(pc - frame->code->cells);
  };
  const auto is_suspended = [&](const Frame* frame) { return frame != ctx.frame || ctx.pending.has_value(); };
  const auto pc_of = [&](const Frame* frame) { return frame == ctx.frame ? ctx.pc : frame->pc; };
  for (const Frame* frame = bottom; frame <= ctx.frame; ++frame) {
    if (!is_guest(frame)) continue;
    CellFinder& finder = finders[frame->code];
    finder.counts_steps = store.compile_options.exact && !store.compile_options.counting;
    const uint32_t cell = cell_of(frame, pc_of(frame));
    if (is_suspended(frame)) {
      finder.returns[cell];
    } else {
      finder.pause_cell = cell;
    }
  }
  std::map<const Code*, std::vector<ValType>> locals;
  for (auto& [code, finder] : finders) {
    observe(store, *code, finder);
    locals[code] = code->instance->module->types.top(local_types(store[code->function]));
  }

  const uint64_t* slots = ctx.slots.data.get();
  for (const Frame* frame = bottom; frame <= ctx.frame; ++frame) {
    if (!is_guest(frame)) continue;
    const CellFinder& finder = finders.at(frame->code);
    const std::vector<ValType>& types = locals.at(frame->code);
    const Place& place = is_suspended(frame) ? finder.returns.at(cell_of(frame, pc_of(frame))) : finder.pause;
    image.frames.push_back({frame->code->function, place.position, static_cast<uint32_t>(types.size()),
                            static_cast<uint32_t>(place.stack.size())});
    const std::vector<Value> frame_locals = load_values(types, slots);
    image.values.insert(image.values.end(), frame_locals.begin(), frame_locals.end());
    for (const StackEntry& entry : place.stack) {
      const ValType type = frame->code->instance->module->types.top(entry.type);
      switch (entry.place) {
        case StackEntry::Place::Home: image.values.push_back(load_value(type, slots + entry.home)); break;
        case StackEntry::Place::Local: image.values.push_back(load_value(type, &frame_locals[entry.local].bits)); break;
        case StackEntry::Place::Constant: image.values.push_back(load_value(type, &entry.bits)); break;
      }
    }
    slots += place.first_slot;
  }
  if (ctx.pending) {
    const uint64_t* const args = ctx.slots.data.get() + ctx.pending->first_slot;
    const std::vector<ValType> types = store.types.top(store[ctx.pending->function].type.params);
    image.pending = {ctx.pending->function, load_values(types, args)};
  }
  return image;
}

namespace {

/// Checks a MachineImage against the store and finds out where each of its frames belongs.
class ImageReader {
 public:
  ImageReader(const Store& store, const MachineImage& image) : store_(store), image_(image), refs_(store) {}

  std::vector<std::unique_ptr<Code>> codes;

  Result<void> check() {
    if (raw(image_.entry) >= store_.funcs.size()) return damaged("entry function does not exist");
    if (image_.frames.empty() && !image_.pending) return damaged("no frame and no pending call");
    CHIWAWA_TRY(check_frames());
    compile_functions();
    CHIWAWA_TRY(check_values());
    CHIWAWA_TRY(check_wait());
    return check_calls();
  }

  bool is_innermost(size_t frame) const { return frame + 1 == image_.frames.size(); }
  bool is_suspended(size_t frame) const { return !is_innermost(frame) || image_.pending.has_value(); }
  const Code& code(size_t frame) const { return *restored_.at(image_.frames[frame].function).code; }
  const Place& place(size_t frame) const {
    const FrameImage& f = image_.frames[frame];
    const OffsetFinder& finder = restored_.at(f.function).finder;
    return *(is_suspended(frame) ? finder.returns : finder.instructions).at(f.position);
  }

 private:
  struct Restored {
    Code* code = nullptr;
    OffsetFinder finder;
    std::vector<ValType> locals;
  };

  Result<void> check_frames() {
    uint64_t values = 0;
    for (size_t i = 0; i < image_.frames.size(); ++i) {
      const FrameImage& frame = image_.frames[i];
      if (raw(frame.function) >= store_.funcs.size() || store_[frame.function].is_host()) {
        return damaged(frame_name(i) + ": no such function in a module");
      }
      values += uint64_t{frame.local_count} + frame.operand_count;
      Restored& restored = restored_[frame.function];
      (is_suspended(i) ? restored.finder.returns : restored.finder.instructions)[frame.position];
    }
    if (values != image_.values.size()) return damaged("number of values does not fit the frames");
    return {};
  }

  void compile_functions() {
    for (auto& [function, restored] : restored_) {
      const FuncInst& inst = store_[function];
      auto code = std::make_unique<Code>();
      code->param_slots = inst.code.param_slots;
      code->function = function;
      code->instance = inst.instance;
      for (const auto& [offset, place] : restored.finder.returns) code->barriers.push_back(offset);
      for (const auto& [offset, place] : restored.finder.instructions) code->barriers.push_back(offset);
      std::sort(code->barriers.begin(), code->barriers.end());
      compile(store_, *code);
      observe(store_, *code, restored.finder);
      restored.locals = local_types(inst);
      restored.code = code.get();
      codes.push_back(std::move(code));
    }
  }

  Result<void> check_values() {
    size_t next = 0;
    for (size_t i = 0; i < image_.frames.size(); ++i) {
      const FrameImage& frame = image_.frames[i];
      const Restored& restored = restored_.at(frame.function);
      const auto& places = is_suspended(i) ? restored.finder.returns : restored.finder.instructions;
      const std::optional<Place>& place = places.at(frame.position);
      if (!place) {
        return damaged(frame_name(i) + ": byte " + std::to_string(frame.position) + " is not " +
                       (is_suspended(i) ? "behind a reachable call" : "a reachable instruction") + " of the function");
      }
      if (frame.local_count != restored.locals.size() || frame.operand_count != place->stack.size()) {
        return damaged(frame_name(i) + ": number of locals or operands differs from the module's validation");
      }
      const std::vector<uint32_t>& ids = store_[frame.function].instance->type_ids;
      for (const ValType type : restored.locals) {
        // One without a default is null until it is set; that it is not read before is validated.
        const ValType closed = TypeSpace::renumber(nullable_ref(type), ids);
        CHIWAWA_TRY(check_value(i, image_.values[next++], closed));
      }
      for (const StackEntry& entry : place->stack) {
        CHIWAWA_TRY(check_value(i, image_.values[next++], TypeSpace::renumber(entry.type, ids)));
      }
    }
    return {};
  }

  Result<void> check_wait() const {
    if (!image_.waited) return {};
    if (image_.pending) return damaged("a wait is under way, and so is a host call");
    const FrameImage& frame = image_.frames.back();
    const FuncInst& function = store_[frame.function];
    const Module& module = *function.instance->module;
    InstrReader reader(module.bytes, {frame.position, module.body(function.function_index).code.end});
    const Result<Instr> instr = reader.next();
    if (instr && is_atomic_wait(instr->opcode)) return {};
    return damaged("a wait is under way where there is none: at byte " + std::to_string(frame.position));
  }

  static ValType nullable_ref(ValType type) { return is_ref(type) ? nullable(type) : type; }

  /// `type` is closed.
  Result<void> check_value(size_t frame, const Value& value, ValType type) {
    if (value.type != store_.types.top(type)) {
      return damaged(frame_name(frame) + ": a value of type " + name(value.type) + " where " + name(type) +
                     " is valid");
    }
    const uint64_t slots[] = {value.bits, value.high};
    if (load_value(value.type, slots) != value) {
      return damaged(frame_name(frame) + ": a value has more bits than its type");
    }
    if (is_ref(type) && !refs_.is_valid(value.bits, type)) {
      return damaged(frame_name(frame) + ": a reference that is none of type " + name(type));
    }
    return {};
  }

  /// Every frame must be one that its caller's call can have made: it returns what the call returns. Its parameters
  /// may be others, because it may stand in the place of a frame that has made a tail call.
  Result<void> check_calls() {
    using Types = std::span<const ValType>;
    std::optional<FuncType> expected;
    for (size_t i = 0; i < image_.frames.size(); ++i) {
      const FuncInst& function = store_[image_.frames[i].function];
      const Types results = function.type.results;
      if (i == 0 && !store_.types.matches(results, store_[image_.entry].type.results)) {
        return damaged("the outermost frame does not return what the invoked function returns");
      }
      if (expected && !store_.types.matches(results, expected->results)) {
        return damaged(frame_name(i) + ": the caller calls a function with other results");
      }
      const FuncType* const callee = place(i).callee;
      expected.reset();
      if (callee != nullptr) expected = TypeSpace::renumber(*callee, function.instance->type_ids);
    }
    if (!image_.pending) return {};
    const MachineImage::PendingCall& call = *image_.pending;
    if (raw(call.function) >= store_.funcs.size() || !store_[call.function].is_host()) {
      return damaged("pending call: no such host function");
    }
    const FuncType& type = store_[call.function].type;
    const bool fits = expected ? store_.types.matches(type, *expected) : call.function == image_.entry;
    if (!fits || call.args.size() != type.params.size()) return damaged("pending call: not of the type that is called");
    for (size_t i = 0; i < call.args.size(); ++i) {
      CHIWAWA_TRY(check_value(image_.frames.size(), call.args[i], type.params[i]));
    }
    return {};
  }

  const Store& store_;
  const MachineImage& image_;
  RefChecker refs_;
  std::map<FuncAddr, Restored> restored_;
};

}  // namespace

Result<void> Machine::restore(const MachineImage& image) {
  Context& ctx = impl_->ctx;
  const Store& store = *ctx.store;
  impl_->reserve(0, 0);
  ImageReader reader(store, image);
  CHIWAWA_TRY(reader.check());

  // How much room it takes, before anything is written.
  uint64_t base = 0;
  uint64_t slots = std::max(slots_of(store[image.entry].type.params), slots_of(store[image.entry].type.results));
  uint32_t frames = 0;
  const Instance* instance = nullptr;
  for (size_t i = 0; i < image.frames.size(); ++i) {
    const Code& code = reader.code(i);
    frames += instance != nullptr && instance != code.instance ? 2 : 1;
    instance = code.instance;
    slots = std::max(slots, base + code.frame_slots);
    base += reader.place(i).first_slot;
  }
  if (!impl_->reserve(slots, frames)) {
    return damaged("call stack exhausted: the snapshot has " + std::to_string(image.frames.size()) + " frames and " +
                   std::to_string(slots) + " slots; raise the maximum call depth (" +
                   std::to_string(ctx.limits.max_call_depth) + ")");
  }

  const Value* value = image.values.data();
  ctx.frame->pc = kEntryCode.cells + 1;
  for (size_t i = 0; i < image.frames.size(); ++i) {
    const Code& code = reader.code(i);
    const Place& place = reader.place(i);
    const FrameImage& frame = image.frames[i];
    if (i != 0 && code.instance != ctx.frame->code->instance) {
      ++ctx.frame;
      *ctx.frame = {.code = &kBoundaryCode, .pc = kBoundaryCode.cells + 1};
    }
    ++ctx.frame;
    *ctx.frame = {.code = &code, .pc = code.cells + place.cell};
    ctx.pc = ctx.frame->pc;
    // Behind a barrier every operand is in its home, so locals and operands lie one after the other.
    const std::span<const Value> values(value, frame.local_count + frame.operand_count);
    store_values(ctx.fp, values);
    value += values.size();
    if (reader.is_innermost(i)) ctx.set_instance(code.instance);
    if (!reader.is_innermost(i)) ctx.fp += place.first_slot;
  }
  if (image.pending) {
    uint64_t* args = ctx.fp;
    if (image.frames.empty()) {
      ctx.pc = kEntryCode.cells + 1;
    } else {
      args += reader.place(image.frames.size() - 1).first_slot;
    }
    store_values(args, image.pending->args);
    ctx.pending = {image.pending->function, static_cast<uint32_t>(args - ctx.slots.data.get())};
  }
  if (image.waited) ctx.wait_since = store.clock.time() - *image.waited;
  ctx.entry = image.entry;
  impl_->restored_codes = std::move(reader.codes);
  if (!image.pending) impl_->restored_at = image.frames.back().position;
  impl_->steps = image.steps.value_or(0);
  return {};
}

}  // namespace chiwawa
