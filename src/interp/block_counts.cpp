#include "interp/block_counts.hpp"

#include <algorithm>
#include <utility>

#include "interp/state_bytes.hpp"

namespace chiwawa {

uint64_t* BlockCounts::of(FuncAddr address, std::vector<Block> blocks) {
  Function& function = functions_[address];
  if (function.blocks.empty()) {
    function.counters = std::make_unique<uint64_t[]>(blocks.size());
    if (function.loaded.size() == blocks.size()) std::ranges::copy(function.loaded, function.counters.get());
    function.loaded = {};
    function.blocks = std::move(blocks);
  }
  return function.counters.get();
}

void BlockCounts::abandon(FuncAddr address, uint32_t position) { ++functions_[address].abandoned[position]; }

std::vector<uint8_t> BlockCounts::save() const {
  StateWriter out;
  for (const auto& [address, function] : functions_) {
    const size_t count = function.blocks.empty() ? function.loaded.size() : function.blocks.size();
    const uint64_t* const counters = function.blocks.empty() ? function.loaded.data() : function.counters.get();
    out.number(raw(address));
    out.number(count);
    for (size_t i = 0; i < count; ++i) out.number(counters[i]);
    out.number(function.abandoned.size());
    for (const auto& [position, frames] : function.abandoned) {
      out.number(position);
      out.number(frames);
    }
  }
  return out.take();
}

Result<void> BlockCounts::load(std::span<const uint8_t> state, const Store& store) {
  std::map<FuncAddr, Function> functions;
  StateReader in(state);
  while (!in.at_end()) {
    const uint64_t address = in.number();
    if (address >= store.funcs.size() || store.funcs[static_cast<size_t>(address)]->is_host()) in.fail();
    Function function;
    function.loaded.resize(in.count());
    for (uint64_t& counter : function.loaded) counter = in.number();
    for (size_t left = in.count(); left != 0; --left) {
      const uint64_t position = in.number();
      if (position > UINT32_MAX) in.fail();
      function.abandoned[static_cast<uint32_t>(position)] = in.number();
    }
    CHIWAWA_TRY(in.check("counts"));
    functions[static_cast<FuncAddr>(address)] = std::move(function);
  }
  // Counters never move: code refers to those of functions that have been compiled already.
  for (auto& [address, function] : functions_) {
    if (function.blocks.empty()) continue;
    Function& from = functions[address];
    from.counters = std::move(function.counters);
    from.blocks = std::move(function.blocks);
    if (from.loaded.size() == from.blocks.size()) std::ranges::copy(from.loaded, from.counters.get());
    from.loaded = {};
  }
  functions_ = std::move(functions);
  return {};
}

}  // namespace chiwawa
