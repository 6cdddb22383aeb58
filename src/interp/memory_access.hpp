// What instructions do to linear memory: which read or write it, how many bytes, where the address is.
#pragma once

#include <cstdint>

#include "interp/opcode.hpp"

namespace chiwawa {

/// How an instruction accesses memory at an address and a constant offset. Bulk instructions are not among them.
struct MemoryAccess {
  uint8_t bytes = 0;     ///< 0: it does not
  uint8_t operands = 0;  ///< that it takes from the stack; the address is the lowest of them
  bool reads = false;
  bool writes = false;
};
/// Requires a known opcode.
MemoryAccess memory_access(Opcode opcode);

/// Bytes of a memory that an instruction is about to touch; they need not exist.
struct MemoryRange {
  uint32_t memory = 0;   ///< index
  uint64_t address = 0;  ///< effective: with the constant offset
  uint64_t bytes = 0;
  bool reads = false;
  bool writes = false;
  bool overflows = false;  ///< address and offset together have more than 64 bits
};

}  // namespace chiwawa
