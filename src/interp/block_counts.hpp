// How often instructions were executed. The code counts basic blocks; what was begun and not finished is taken off.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "interp/instr_reader.hpp"
#include "interp/store.hpp"

namespace chiwawa {

/// Steps that follow each other and are executed together, calls included: module offsets of the first one's first byte
/// and of the byte behind the last.
struct Block {
  uint32_t begin = 0;
  uint32_t end = 0;
};

class BlockCounts {
 public:
  /// The counters of a function with these blocks, ordered by offset. Always the same for one function: they never
  /// move.
  uint64_t* of(FuncAddr function, std::vector<Block> blocks);

  /// A frame that stood before `position` will not go on there: from here on in its block nothing was executed. To be
  /// called for a frame that an exception leaves, and, when everything is over, for each that is left.
  void abandon(FuncAddr function, uint32_t position);

  /// Whether there are counters from a snapshot whose blocks are not known, because nobody has compiled the function.
  bool waits(FuncAddr function) const { return functions_.contains(function) && !has(function); }
  /// Whether the function was compiled, that is, called.
  bool has(FuncAddr function) const { return functions_.contains(function) && !functions_.at(function).blocks.empty(); }
  /// Calls f(const Instr&, executions, whether it is the first of a block) for every step of the function that can be
  /// reached, in their order. Requires has().
  template <typename F>
  void for_each(const Store& store, FuncAddr address, F f) const {
    const Function& function = functions_.at(address);
    const Module& module = *store[address].instance->module;
    const ByteRange body = module.body(store[address].function_index).code;
    auto gone = function.abandoned.begin();
    Error error;
    Instr instr;
    for (size_t i = 0; i < function.blocks.size(); ++i) {
      const Block& block = function.blocks[i];
      uint64_t count = function.counters[i];
      InstrReader reader(module.bytes, {block.begin, body.end});
      while (reader.position() < block.end && reader.read(instr, error)) {
        for (; gone != function.abandoned.end() && gone->first <= instr.offset; ++gone) {
          if (gone->first > block.begin) count -= gone->second;
        }
        if (is_step(instr.opcode)) f(instr, count, instr.offset == block.begin);
      }
    }
  }

  /// As Monitor::save() and load(). What does not fit a function's blocks is forgotten when it is compiled.
  std::vector<uint8_t> save() const;
  Result<void> load(std::span<const uint8_t> state, const Store& store);

 private:
  struct Function {
    std::vector<Block> blocks;  ///< empty: not compiled yet
    std::unique_ptr<uint64_t[]> counters;
    std::vector<uint64_t> loaded;            ///< counters, until it is compiled
    std::map<uint32_t, uint64_t> abandoned;  ///< by position: how many frames
  };
  std::map<FuncAddr, Function> functions_;
};

}  // namespace chiwawa
