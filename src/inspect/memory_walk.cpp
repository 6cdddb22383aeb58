#include "inspect/memory_walk.hpp"

#include <algorithm>
#include <array>

namespace chiwawa::inspect {

MemoryRange whole_memory(const snapshot::Records& records, uint32_t memory) {
  return {memory, 0, records.memories[memory].bytes()};
}

Result<void> walk_memory(const Subject& subject, MemoryRange range, TakeBytes take) {
  constexpr uint64_t kBlock = snapshot::kBlockSize;
  std::array<uint8_t, snapshot::kBlockSize> bytes;
  const uint64_t end = std::min((range.end + kBlock - 1) / kBlock, subject.blocks.end(range.memory));
  for (uint64_t block = range.begin / kBlock; block < end; ++block) {
    if (!subject.blocks.hash({range.memory, block})) continue;
    CHIWAWA_TRY(subject.blocks.read({range.memory, block}, bytes));
    const uint64_t begin = std::max(block * kBlock, range.begin);
    const uint64_t size = std::min(block * kBlock + kBlock, range.end) - begin;
    take(begin, std::span(bytes).subspan(static_cast<size_t>(begin % kBlock), static_cast<size_t>(size)));
  }
  return {};
}

uint64_t used_blocks(const Subject& subject, uint32_t memory) {
  uint64_t used = 0;
  for (uint64_t block = 0; block < subject.blocks.end(memory); ++block) {
    used += subject.blocks.hash({memory, block}) ? 1 : 0;
  }
  return used;
}

}  // namespace chiwawa::inspect
