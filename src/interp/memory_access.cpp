#include "interp/memory_access.hpp"

#include <array>

namespace chiwawa {

namespace {

constexpr std::array<MemoryAccess, kOpcodeRows> make_accesses() {
  std::array<MemoryAccess, kOpcodeRows> accesses{};
  const auto set = [&accesses](Opcode opcode, size_t bytes, uint8_t operands, bool reads, bool writes) {
    accesses[row_of(opcode)] = {static_cast<uint8_t>(bytes), operands, reads, writes};
  };
#define LOAD(code, id, text, type, storage) set(Opcode::id, sizeof(storage), 1, true, false);
#define STORE(code, id, text, type, storage) set(Opcode::id, sizeof(storage), 2, false, true);
#define SIMD_LOAD(code, id, text, bytes) set(Opcode::id, bytes, 1, true, false);
#define SIMD_STORE(code, id, text, bytes) set(Opcode::id, bytes, 2, false, true);
#define SIMD_LOAD_LANE(code, id, text, bytes, lanes) set(Opcode::id, bytes, 2, true, false);
#define SIMD_STORE_LANE(code, id, text, bytes, lanes) set(Opcode::id, bytes, 2, false, true);
#define ATOMIC_LOAD(code, id, text, type, storage) set(Opcode::id, sizeof(storage), 1, true, false);
#define ATOMIC_STORE(code, id, text, type, storage) set(Opcode::id, sizeof(storage), 2, false, true);
#define ATOMIC_RMW(code, id, text, type, storage, operation) set(Opcode::id, sizeof(storage), 2, true, true);
#define ATOMIC_CMPXCHG(code, id, text, type, storage) set(Opcode::id, sizeof(storage), 3, true, true);
#include "interp/opcodes.def"
  set(Opcode::memory_atomic_wait32, 4, 3, true, false);
  set(Opcode::memory_atomic_wait64, 8, 3, true, false);
  set(Opcode::memory_atomic_notify, 4, 2, true, false);
  return accesses;
}

constexpr std::array<MemoryAccess, kOpcodeRows> kAccesses = make_accesses();

}  // namespace

MemoryAccess memory_access(Opcode opcode) { return kAccesses[row_of(opcode)]; }

}  // namespace chiwawa
