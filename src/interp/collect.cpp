// The machine's part in a collection: which of its slots refer to objects.
#include <algorithm>

#include "interp/compile.hpp"
#include "interp/executor.hpp"

namespace chiwawa {

namespace {

class RefMapMaker : public CompileObserver {
 public:
  explicit RefMapMaker(RefMap& map) : map_(map) {}

  void instruction(uint32_t /*offset*/, uint32_t cell, std::span<const StackEntry> stack) override {
    add(map_.instructions, cell, stack);
  }
  void return_point(uint32_t /*offset*/, uint32_t cell, std::span<const StackEntry> stack, const FuncType& /*callee*/,
                    uint32_t /*first_slot*/) override {
    add(map_.returns, cell, stack);
  }

 private:
  void add(std::vector<RefMap::Place>& places, uint32_t cell, std::span<const StackEntry> stack) {
    const auto first = static_cast<uint32_t>(map_.slots.size());
    for (const StackEntry& entry : stack) {
      // What stands for a local is found there, and constants are no objects.
      if (is_ref(entry.type) && entry.place == StackEntry::Place::Home) {
        map_.slots.push_back(static_cast<uint16_t>(entry.home));
      }
    }
    RefMap::Place place{cell, first, static_cast<uint32_t>(map_.slots.size()) - first};
    if (!places.empty()) {
      // Most instructions have the references of the one before.
      const RefMap::Place& last = places.back();
      const std::span<const uint16_t> slots = map_.slots;
      if (std::ranges::equal(slots.subspan(last.first, last.count), slots.subspan(first))) {
        map_.slots.resize(first);
        place.first = last.first;
        if (&places == &map_.instructions) return;
      }
    }
    places.push_back(place);
  }

  RefMap& map_;
};

const RefMap& ref_map(const Store& store, const Code& code) {
  RefMap& map = code.refs;
  if (map.complete) return map;
  RefMapMaker maker(map);
  observe(store, code, maker);
  const FuncInst& function = store[code.function];
  const Module& module = *code.instance->module;
  uint32_t slot = 0;
  const auto locals = [&](ValType type, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
      if (is_ref(type)) map.locals.push_back(static_cast<uint16_t>(slot));
      slot += slots_of(type);
    }
  };
  for (const ValType param : module.function_type(function.function_index).params) locals(param, 1);
  for (const LocalRun& run : module.body(function.function_index).locals) locals(run.type, run.count);
  map.complete = true;
  return map;
}

/// The last place that is not behind the cell, if there is one.
const RefMap::Place* place_of(const std::vector<RefMap::Place>& places, uint32_t cell) {
  const auto next = std::upper_bound(places.begin(), places.end(), cell,
                                     [](uint32_t at, const RefMap::Place& place) { return at < place.cell; });
  return next == places.begin() ? nullptr : &next[-1];
}

}  // namespace

void collect_garbage(Context& ctx) {
  Store& store = *ctx.store;
  store.collect([&] {
    const uint64_t* fp = ctx.fp;
    const Cell* at = ctx.pc;
    for (const Frame* frame = ctx.frame; frame != ctx.frames.data.get(); --frame) {
      const Code& code = *frame->code;
      if (code.instance != nullptr) {
        const RefMap& map = ref_map(store, code);
        for (const uint16_t local : map.locals) store.heap.mark(fp[local]);
        // The innermost frame executes its cell, the others stand behind their call.
        const auto cell = static_cast<uint32_t>(at - code.cells);
        if (const auto* place = place_of(frame == ctx.frame ? map.instructions : map.returns, cell)) {
          for (uint32_t i = 0; i < place->count; ++i) store.heap.mark(fp[map.slots[place->first + i]]);
        }
      }
      at = frame[-1].pc;
      fp -= at[-1].d;
    }
  });
}

uint64_t allocate_object(Context& ctx, const Cell* pc, uint64_t* fp, ObjectHeader header) {
  Store& store = *ctx.store;
  if (const uint64_t ref = store.new_object(header); ref != 0) return ref;
  ctx.pc = pc;
  ctx.fp = fp;
  collect_garbage(ctx);
  if (const uint64_t ref = store.new_object(header); ref != 0) return ref;
  return store.new_object_at_once(header);
}

}  // namespace chiwawa
