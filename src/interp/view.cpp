#include "interp/view.hpp"

namespace chiwawa {

Value View::operand(uint32_t depth) const {
  const Probes& probes = *code_.probes;
  const uint64_t* slot = fp_ + code_.local_slots;
  const ValType* const type = probes.types.data() + site_.first_type;
  const uint32_t index = site_.operand_count - 1 - depth;
  for (uint32_t i = 0; i < index; ++i) slot += slots_of(type[i]);
  return load_value(top(type[index]), slot);
}

Value View::local(uint32_t index) const {
  const std::vector<ValType>& types = code_.probes->locals;
  const uint64_t* slot = fp_;
  for (uint32_t i = 0; i < index; ++i) slot += slots_of(types[i]);
  return load_value(top(types[index]), slot);
}

Value View::global(uint32_t index) const {
  const uint64_t* const bits = instance().cache.globals[index];
  return load_value(top(module().globals[index].type.type), bits);
}

std::span<const uint8_t> View::memory(uint32_t index) const {
  const LinearMemory& memory = instance().cache.memories[index]->memory;
  return {memory.data(), static_cast<size_t>(memory.size_bytes())};
}

std::optional<MemoryRange> View::access() const {
  const Instr& i = site_.instr;
  const auto address = [this](uint32_t memory, uint32_t depth) {
    return address_in(module().memories[memory].address, operand(depth).bits);
  };
  if (const MemoryAccess access = memory_access(i.opcode); access.bytes != 0) {
    MemoryRange range{i.index, address(i.index, access.operands - 1u), access.bytes, access.reads, access.writes};
    range.overflows = range.address > ~uint64_t{0} - i.mem_offset;
    range.address += i.mem_offset;
    return range;
  }
  // What a bulk instruction writes; the count is its topmost operand.
  switch (i.opcode) {
    case Opcode::memory_copy:
    case Opcode::memory_fill: return MemoryRange{i.index, address(i.index, 2), operand(0).bits, false, true};
    case Opcode::memory_init: return MemoryRange{i.index2, address(i.index2, 2), operand(0).bits, false, true};
    default: return std::nullopt;
  }
}

uint32_t View::call_depth() const {
  const Frame* const bottom = ctx_.frames.data.get();
  if (store().instances.size() == 1) return static_cast<uint32_t>(ctx_.frame - bottom);
  uint32_t depth = 0;
  for (const Frame* frame = bottom; frame <= ctx_.frame; ++frame) depth += frame->code->instance != nullptr ? 1 : 0;
  return depth;
}

}  // namespace chiwawa
