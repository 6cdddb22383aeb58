// What the dispatchers share: the machine's registers and stacks as pointers, and everything too rare to be inlined.
// All of it is a cache over Machine's and Store's plain data.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "interp/code.hpp"
#include "interp/machine.hpp"
#include "interp/outcome.hpp"
#include "interp/slot_op.hpp"
#include "interp/store.hpp"
#include "interp/v128.hpp"

namespace chiwawa {

class CallTree;

/// In a loop: keeps the compiler from making a call of it.
#define KEEP_LOOP() __asm__ volatile("")

/// Why a dispatcher returned.
enum class Exit : uint32_t {
  Go,        ///< internal: not returned, execution goes on with the context's registers
  Finished,  ///< results are in the first slots
  Budget,    ///< fuel is used up; pc is a sync point, a step, or the stub of a function not yet compiled
  Trapped,   ///< Context::trap; pc is the trapping cell
  Exited,    ///< Context::exit_code
  Waiting,   ///< Context::pending, and pc is where the call returns to; or Context::wait_since, and pc is as for Budget
};

/// One active function. `pc` is where it goes on when the frame above returns; the cell before is the call, whose `d`
/// says where the callee's frame begins.
struct Frame {
  const Code* code = nullptr;
  const Cell* pc = nullptr;
};

/// A host call that waits.
struct PendingHostCall {
  FuncAddr function{};
  uint32_t first_slot = 0;  ///< its arguments, from the bottom of the slot stack
};

/// Memory for a stack: grows without throwing, its content moves.
template <typename T>
struct Stack {
  std::unique_ptr<T[]> data;
  size_t size = 0;

  /// Keeps the content; new elements are zero. Returns false and changes nothing if there is no memory.
  bool resize(size_t new_size) {
    std::unique_ptr<T[]> next(new (std::nothrow) T[new_size]());
    if (next == nullptr) return false;
    std::copy_n(data.get(), std::min(size, new_size), next.get());
    data = std::move(next);
    size = new_size;
    return true;
  }
};

/// Polls that one host call counts as, since it takes the time of many.
constexpr int64_t kHostCallPolls = 50;

struct Context {
  // Registers, while no dispatcher runs. While one runs only it knows them, except around calls of functions below.
  const Cell* pc = nullptr;
  uint64_t* fp = nullptr;
  int64_t fuel = 0;
  uint8_t* mem = nullptr;  ///< memory 0 of the current instance
  uint64_t mem_size = 0;   ///< bytes
  uint64_t mem_safe = 0;   ///< an access of at most 8 bytes at a smaller address is in bounds

  Frame* frame = nullptr;       ///< innermost
  Frame* frames_end = nullptr;  ///< one past the last usable one
  uint64_t* slots_end = nullptr;
  uint32_t slots_wanted = 0;  ///< by the callee of a call for which there is no room

  // Of the current instance.
  Instance* instance = nullptr;
  Code* const* codes = nullptr;
  uint64_t* const* globals = nullptr;

  TrapKind trap = TrapKind::None;
  std::string trap_detail;
  uint32_t exit_code = 0;
  std::optional<PendingHostCall> pending;
  /// While the instruction that comes next is a memory.atomic.wait that has begun: when, by the store's clock.
  std::optional<uint64_t> wait_since;
  FuncAddr entry{};
  bool polls = false;     ///< whether the store's code polls
  bool counting = false;  ///< whether it counts steps at branches and calls

  uint64_t steps_base = 0;   ///< see steps()
  CallTree* tree = nullptr;  ///< the instrumentation's, if steps are counted by call chain

  Store* store = nullptr;
  MachineLimits limits;
  Stack<Frame> frames;  ///< the first belongs to the embedder
  Stack<uint64_t> slots;

  /// Steps of the run so far, at a place with so many steps before it in its function's order; 0 for code that counts
  /// each. Meaningful if they are counted at all.
  uint64_t steps(int32_t before) const {
    return steps_base - static_cast<uint64_t>(fuel) + static_cast<uint64_t>(int64_t{before});
  }
  void set_instance(Instance* next);
  void load_memory();
};

/// Code of the embedder's frame (its cells: call_entry, finish) and of the frame between functions of different
/// instances.
extern const Code kEntryCode;
extern const Code kBoundaryCode;
/// What a function's cells are before its first call.
extern const Cell kCompileStub;

Exit run_loop(Context& ctx);
Exit run_tail(Context& ctx);
/// Executes one cold operation (slot_ops.def): the cell `pc` on the frame `fp`.
TrapKind run_cold(Context& ctx, const Cell* pc, uint64_t* fp);

// --- Outlined operations. They find pc and fp in the context. ---

/// Makes room for `slots_needed` slots from ctx.fp on and for `frames_needed` more frames. May move both stacks; ctx.fp
/// and ctx.frame are adjusted. Returns false if that would exceed the limits or there is no memory.
bool grow_stacks(Context& ctx, uint64_t slots_needed, uint32_t frames_needed = 1);

/// Calls `function` with arguments at ctx.fp + ctx.pc->d: pushes its frame and sets ctx.pc to its code, or, for a host
/// function, lets it run and moves ctx.pc behind the call. Exit::Go or the reason to stop.
Exit begin_call(Context& ctx, FuncInst& function);

/// Puts `function`, with arguments at ctx.fp + ctx.pc->d, in the place of the innermost frame. A host function is
/// called as by begin_call, and the code behind must return its results.
Exit tail_call(Context& ctx, FuncInst& function);

/// Makes the waiting host call again; ctx.pc is where it returns to.
Exit resume_host_call(Context& ctx);

/// The callee of a call_ref at ctx.pc, or null with ctx.trap set.
FuncInst* referenced_callee(Context& ctx);

/// Throws a new exception (ctx.pc: imm = tag, a = first value), or one that is there (a): goes on where it is caught.
Exit throw_exception(Context& ctx);
Exit throw_reference(Context& ctx);

/// Frees the objects that neither the store nor the machine refers to. ctx.pc is a cell of the instruction under way.
void collect_garbage(Context& ctx);
/// A new object with zero fields, or 0 if there is no memory. Collects if that is due.
uint64_t allocate_object(Context& ctx, const Cell* pc, uint64_t* fp, ObjectHeader header);

/// Each executes the cell `pc` on the frame `fp` (instr_aggregate.inc).
TrapKind struct_make(Context& ctx, const Cell* pc, uint64_t* fp);
TrapKind array_make(Context& ctx, const Cell* pc, uint64_t* fp);
TrapKind array_make_fixed(Context& ctx, const Cell* pc, uint64_t* fp);
TrapKind array_make_data(Context& ctx, const Cell* pc, uint64_t* fp);
TrapKind array_make_elem(Context& ctx, const Cell* pc, uint64_t* fp);
TrapKind array_fill_range(Context& ctx, const Cell* pc, const uint64_t* fp);
TrapKind array_copy_range(Context& ctx, const Cell* pc, const uint64_t* fp);
TrapKind array_init_from_data(Context& ctx, const Cell* pc, const uint64_t* fp);
TrapKind array_init_from_elem(Context& ctx, const Cell* pc, const uint64_t* fp);

/// Executes the memory.atomic.wait at ctx.pc, which is moved behind it; or Exit::Waiting, to be executed again. Cell: d
/// = destination, a = address, b = expected value, behind which is the timeout, c = bytes, imm = how many cells before
/// it count something; the next cell as at atomic_address().
Exit atomic_wait(Context& ctx);

/// The callee of a call_indirect at ctx.pc, or null with ctx.trap set.
FuncInst* indirect_callee(Context& ctx);

/// The callee of the call_indirect `cell`, if it is a function of the current instance and of exactly that type; else
/// null.
inline FuncInst* easy_callee(const Context& ctx, const Cell& cell, const uint64_t* fp) {
  const TableInst& table = *ctx.instance->cache.tables[cell.bc()];
  const uint64_t index = table.type.address == ValType::I64 ? fp[cell.a] : static_cast<uint32_t>(fp[cell.a]);
  if (index >= table.elements.size()) [[unlikely]]
    return nullptr;
  const uint64_t ref = table.elements[static_cast<size_t>(index)];
  if (ref == kNullRef) [[unlikely]]
    return nullptr;
  FuncInst* const function = ctx.store->funcs[static_cast<size_t>(ref - 1)].get();
  return function->type_id == cell.imm && function->instance == ctx.instance ? function : nullptr;
}

/// Loops: few are the rule, and a call of memset costs more than they do.
inline void zero_slots(uint64_t* slot, const uint64_t* end) {
  for (; slot < end; ++slot) {
    *slot = 0;
    KEEP_LOOP();
  }
}

/// Compiles the innermost frame's function, makes room and zeroes its locals; ctx.pc becomes its first cell.
Exit enter_uncompiled(Context& ctx);

/// What code is left for: see CallOut in instrumentation.hpp. Cell: a = the purpose; Compile: enter_uncompiled; Look:
/// imm = the place in Probes::sites; Enter, Leave: imm = steps before it. ctx.pc is moved to where to go on.
Exit call_out(Context& ctx);

/// Returns over the boundary frame to the caller's instance; ctx.pc becomes where the caller goes on. False if the
/// budget is used up there.
bool return_across(Context& ctx);

/// Rare operations: each executes the cell ctx.pc on the frame ctx.fp.
TrapKind memory_pages(Context& ctx);
TrapKind memory_grow_by(Context& ctx);
TrapKind memory_init_from(Context& ctx);
TrapKind memory_copy_range(Context& ctx);
TrapKind memory_fill_range(Context& ctx);
TrapKind data_drop_segment(Context& ctx);
TrapKind table_load(Context& ctx);
TrapKind table_store(Context& ctx);
TrapKind table_length(Context& ctx);
TrapKind table_grow_by(Context& ctx);
TrapKind table_init_from(Context& ctx);
TrapKind table_copy_range(Context& ctx);
TrapKind table_fill_range(Context& ctx);
TrapKind elem_drop_segment(Context& ctx);

// --- Slots ---

template <ValType>
struct ReprOf;
template <>
struct ReprOf<ValType::I32> {
  using type = uint32_t;
};
template <>
struct ReprOf<ValType::I64> {
  using type = uint64_t;
};
template <>
struct ReprOf<ValType::F32> {
  using type = float;
};
template <>
struct ReprOf<ValType::F64> {
  using type = double;
};
/// The C++ type that computes with values of this type.
template <ValType T>
using Repr = typename ReprOf<T>::type;

/// What a load or store has in memory.
template <Opcode>
struct StorageOfLoad;
#define LOAD(code, id, text, valtype, storage) \
  template <>                                  \
  struct StorageOfLoad<Opcode::id> {           \
    using type = storage;                      \
  };
#define STORE(code, id, text, valtype, storage) LOAD(code, id, text, valtype, storage)
#include "interp/opcodes.def"
template <Opcode O>
using StorageOf = typename StorageOfLoad<O>::type;

template <typename T>
inline T from_slot(uint64_t slot) {
  if constexpr (std::is_same_v<T, float>) {
    return std::bit_cast<float>(static_cast<uint32_t>(slot));
  } else if constexpr (std::is_same_v<T, double>) {
    return std::bit_cast<double>(slot);
  } else {
    return static_cast<T>(slot);
  }
}

/// Always all 64 bits: a narrow write followed by a wide read of the slot would stall.
inline uint64_t to_slot(uint32_t v) { return v; }
inline uint64_t to_slot(uint64_t v) { return v; }
inline uint64_t to_slot(float v) { return std::bit_cast<uint32_t>(v); }
inline uint64_t to_slot(double v) { return std::bit_cast<uint64_t>(v); }

/// A cell's 32-bit constant as an operand; integers of 64 bits are extended with its sign, and f64 are made from f32.
template <typename T>
inline T from_constant(uint32_t imm) {
  if constexpr (std::is_same_v<T, float>) {
    return std::bit_cast<float>(imm);
  } else if constexpr (std::is_same_v<T, double>) {
    return std::bit_cast<float>(imm);
  } else {
    return static_cast<T>(static_cast<int64_t>(static_cast<int32_t>(imm)));
  }
}

/// A cell's constant as an operand: of 32 bits in imm, of 64 in b, c and imm.
template <typename T>
inline T whole_constant(const Cell& cell) {
  if constexpr (sizeof(T) == 4) {
    return from_constant<T>(cell.imm);
  } else {
    return from_slot<T>(cell.wide());
  }
}

/// The accumulator for values of that type (dispatch.hpp).
template <typename T>
inline T accumulator(uint64_t integer, float single_float, double double_float) {
  if constexpr (std::is_same_v<T, float>) {
    return single_float;
  } else if constexpr (std::is_same_v<T, double>) {
    return double_float;
  } else {
    return static_cast<T>(integer);
  }
}
template <typename T>
inline void set_accumulator(T value, uint64_t& integer, float& single_float, double& double_float) {
  if constexpr (std::is_same_v<T, float>) {
    single_float = value;
  } else if constexpr (std::is_same_v<T, double>) {
    double_float = value;
  } else {
    integer = to_slot(value);
  }
}

/// The value of that type in the slots from `slot` on; upper halves of 32-bit values are not looked at.
inline Value load_value(ValType type, const uint64_t* slot) {
  switch (type) {
    case ValType::I32:
    case ValType::F32: return {type, from_slot<uint32_t>(*slot), 0};
    case ValType::V128: return {type, slot[0], slot[1]};
    default: return {type, *slot, 0};
  }
}

inline void store_value(uint64_t* slot, const Value& value) {
  slot[0] = value.bits;
  if (is_vec(value.type)) slot[1] = value.high;
}

/// Stores the values one after the other from `slot` on.
inline void store_values(uint64_t* slot, std::span<const Value> values) {
  for (const Value& value : values) {
    store_value(slot, value);
    slot += slots_of(value.type);
  }
}

/// The values of those types in the slots from `slot` on.
inline std::vector<Value> load_values(std::span<const ValType> types, const uint64_t* slot) {
  std::vector<Value> values;
  values.reserve(types.size());
  for (const ValType type : types) {
    values.push_back(load_value(type, slot));
    slot += slots_of(type);
  }
  return values;
}

/// The vector in two slots. On hosts of either byte order the low half comes first.
inline V128 load_vector(const uint64_t* slot) {
  V128 vector;
  std::memcpy(static_cast<void*>(&vector), slot, sizeof vector);
  return vector;
}
inline void store_vector(uint64_t* slot, V128 vector) { std::memcpy(slot, &vector, sizeof vector); }

/// The cell at that distance, which is in bytes.
inline const Cell* at_distance(const Cell* cell, uint32_t distance) {
  const char* const at = reinterpret_cast<const char*>(cell) + static_cast<int32_t>(distance);
  return reinterpret_cast<const Cell*>(at);
}

/// How far the target of a br_switch's entry is.
inline uint32_t table_target(const Cell* cell, uint32_t entry) {
  uint32_t target;
  std::memcpy(&target, reinterpret_cast<const char*>(cell + 1) + size_t{entry} * sizeof target, sizeof target);
  return target;
}

/// The vector that is part of the code, in two cells.
inline V128 vector_in(const Cell* cell) {
  const Cell& more = cell[1];
  return {cell->imm | uint64_t{more.imm} << 32,
          more.d | uint64_t{more.a} << 16 | uint64_t{more.b} << 32 | uint64_t{more.c} << 48};
}

/// The address or table index in a slot, by its type.
inline uint64_t address_in(ValType address, uint64_t slot) {
  return address == ValType::I64 ? slot : from_slot<uint32_t>(slot);
}

/// The `bytes` bytes at `address` in memory `index` of the current instance, or null if they are out of bounds. Cell:
/// imm and c = the constant offset's low 48 bits, more than which no memory has.
inline uint8_t* far_address(const Context& ctx, const Cell& cell, uint16_t index, uint64_t address, uint64_t bytes) {
  MemInst& inst = *ctx.instance->cache.memories[index];
  const uint64_t size = inst.memory.size_bytes();
  const uint64_t offset = cell.imm | uint64_t{cell.c} << 32;
  const uint64_t base = address_in(inst.type.address, address);
  if (offset > size || bytes > size - offset || base > size - offset - bytes) return nullptr;
  return inst.memory.data() + base + offset;
}

}  // namespace chiwawa
