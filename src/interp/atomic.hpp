// Atomic accesses. There is one thread, so what is atomic elsewhere is plain here.
// https://webassembly.github.io/threads/core/exec/instructions.html#atomic-memory-instructions
#pragma once

#include "interp/executor.hpp"
#include "interp/object_access.hpp"

namespace chiwawa {

namespace atomic {

// What a read-modify-write writes.
template <typename T>
constexpr T add(T old, T operand) {
  return static_cast<T>(old + operand);
}
template <typename T>
constexpr T sub(T old, T operand) {
  return static_cast<T>(old - operand);
}
template <typename T>
constexpr T and_(T old, T operand) {
  return static_cast<T>(old & operand);
}
template <typename T>
constexpr T or_(T old, T operand) {
  return static_cast<T>(old | operand);
}
template <typename T>
constexpr T xor_(T old, T operand) {
  return static_cast<T>(old ^ operand);
}
template <typename T>
constexpr T xchg(T, T operand) {
  return operand;
}

}  // namespace atomic

/// The `bytes` bytes that an atomic access is about, or why it traps. Cell: a = address; the next cell: b = memory
/// index, imm and c = offset.
inline TrapKind atomic_address(const Context& ctx, const Cell* pc, const uint64_t* fp, uint64_t bytes, uint8_t*& at) {
  const uint16_t memory = pc[1].b;
  at = far_address(ctx, pc[1], memory, fp[pc->a], bytes);
  if (at == nullptr) return TrapKind::OutOfBoundsMemoryAccess;
  const auto address = static_cast<uint64_t>(at - ctx.instance->cache.memories[memory]->memory.data());
  return address % bytes == 0 ? TrapKind::None : TrapKind::UnalignedAtomic;
}

}  // namespace chiwawa
