// The bytes that an instruction is about to read or write, for traces.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "interp/view.hpp"

namespace chiwawa::monitor {

struct TouchedMemory {
  MemoryRange range;
  bool in_bounds = false;
  /// What is read or, by a store, written; of a bulk instruction nothing.
  std::array<uint8_t, 16> bytes{};
  size_t shown = 0;
};

/// Nothing if the instruction touches none.
inline std::optional<TouchedMemory> touched_memory(const View& view) {
  const std::optional<MemoryRange> range = view.access();
  if (!range) return std::nullopt;
  TouchedMemory touched;
  touched.range = *range;
  const std::span<const uint8_t> memory = view.memory(range->memory);
  touched.in_bounds =
      !range->overflows && range->bytes <= memory.size() && range->address <= memory.size() - range->bytes;
  const MemoryAccess access = memory_access(view.instr().opcode);
  if (!touched.in_bounds || access.bytes == 0) return touched;
  touched.shown = access.bytes;
  if (!access.reads && access.operands == 2) {
    const Value stored = view.operand(0);
    for (size_t i = 0; i < access.bytes; ++i) {
      size_t from = i;
      if (view.instr().opcode == Opcode::v128_store64_lane) from += size_t{view.instr().lane} * 8;
      if (view.instr().opcode == Opcode::v128_store32_lane) from += size_t{view.instr().lane} * 4;
      if (view.instr().opcode == Opcode::v128_store16_lane) from += size_t{view.instr().lane} * 2;
      if (view.instr().opcode == Opcode::v128_store8_lane) from += view.instr().lane;
      touched.bytes[i] = static_cast<uint8_t>((from < 8 ? stored.bits : stored.high) >> (8 * (from % 8)));
    }
  } else {
    std::memcpy(touched.bytes.data(), memory.data() + range->address, access.bytes);
  }
  return touched;
}

}  // namespace chiwawa::monitor
