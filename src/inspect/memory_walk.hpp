// The memory contents of a snapshot in order: the one place from which all views take them.
#pragma once

#include <cstdint>
#include <span>

#include "inspect/subject.hpp"
#include "snapshot/function_ref.hpp"

namespace chiwawa::inspect {

/// Bytes [begin, end) of a memory.
struct MemoryRange {
  uint32_t memory = 0;  ///< address
  uint64_t begin = 0;
  uint64_t end = 0;
};

/// All of a memory, which must be there.
MemoryRange whole_memory(const snapshot::Records& records, uint32_t memory);

/// Takes bytes that are in one block.
using TakeBytes = snapshot::FunctionRef<void(uint64_t offset, std::span<const uint8_t> bytes)>;

/// Reads the blocks of a range that are not zero, in order, cut to the range. Errors as BlockStore::read.
Result<void> walk_memory(const Subject& subject, MemoryRange range, TakeBytes take);

/// Blocks of a memory that are not zero.
uint64_t used_blocks(const Subject& subject, uint32_t memory);

}  // namespace chiwawa::inspect
