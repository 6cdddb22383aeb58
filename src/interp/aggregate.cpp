// Operations that make objects, or go over the elements of arrays.
// https://webassembly.github.io/spec/core/exec/instructions.html#aggregate-instructions
#include <algorithm>
#include <cstring>

#include "interp/executor.hpp"
#include "interp/object_access.hpp"

namespace chiwawa {

namespace {

uint32_t u32(const uint64_t* slot) { return from_slot<uint32_t>(*slot); }

uint32_t segment_of(const Cell* pc) { return pc->b | uint32_t{pc->c} << 16; }

/// The bytes of a field that holds a value of that storage type.
void write_field(uint8_t* field, const uint64_t* slot, ValType storage) {
  std::memcpy(field, slot, field_bytes(storage));
}

void fill(uint8_t* at, uint32_t count, const uint64_t* value, ValType storage) {
  const uint32_t bytes = field_bytes(storage);
  if (bytes == 1) {
    std::memset(at, static_cast<int>(*value & 0xFF), count);
    return;
  }
  for (uint32_t i = 0; i < count; ++i) write_field(at + size_t{i} * bytes, value, storage);
}

/// What is the same for a new array and a part of one that is there: `count` elements from the segment's `from` on.
TrapKind data_elements(Context& ctx, uint32_t segment, uint32_t from, uint64_t bytes, const uint8_t*& source) {
  const DataInst& data = *ctx.instance->cache.datas[segment];
  if (!within(from, bytes, data.range.size())) return TrapKind::OutOfBoundsMemoryAccess;
  source = data.module->bytes.data() + data.range.begin + from;
  return TrapKind::None;
}

TrapKind elem_elements(Context& ctx, uint32_t segment, uint32_t from, uint32_t count, const uint64_t*& source) {
  const std::vector<uint64_t>& elements = ctx.instance->cache.elems[segment]->elements;
  if (!within(from, count, elements.size())) return TrapKind::OutOfBoundsTableAccess;
  source = elements.data() + from;
  return TrapKind::None;
}

/// Copies, also nothing from nowhere.
void copy(uint8_t* to, const void* from, size_t bytes) {
  if (bytes != 0) std::memmove(to, from, bytes);
}

/// Whether `count` elements from `from` on are in the array of that reference.
TrapKind check_range(const Context& ctx, uint64_t array, uint32_t from, uint32_t count) {
  if (array == kNullRef) return TrapKind::NullArrayReference;
  const uint32_t length = ctx.store->heap.header(array).length;
  return within(from, count, length) ? TrapKind::None : TrapKind::OutOfBoundsArrayAccess;
}

const ObjectLayout& layout_of(const Context& ctx, uint64_t array) {
  return ctx.store->layouts[ctx.store->heap.header(array).type];
}

}  // namespace

TrapKind struct_make(Context& ctx, const Cell* pc, uint64_t* fp) {
  const uint64_t ref = allocate_object(ctx, pc, fp, {pc->imm, 0});
  if (ref == 0) return TrapKind::HeapExhausted;
  if (pc->b != 0) {
    const ObjectLayout& layout = ctx.store->layouts[pc->imm];
    uint8_t* const fields = ctx.store->heap.fields(ref);
    const uint64_t* operand = fp + pc->a;
    for (size_t i = 0; i < layout.fields.size(); ++i) {
      write_field(fields + layout.offsets[i], operand, layout.fields[i].storage);
      operand += slots_of(layout.fields[i].storage);
    }
  }
  fp[pc->d] = ref;
  return TrapKind::None;
}

TrapKind array_make(Context& ctx, const Cell* pc, uint64_t* fp) {
  const ValType storage = ctx.store->layouts[pc->imm].fields[0].storage;
  const uint64_t* const operands = fp + pc->a;
  const uint32_t length = u32(operands + (pc->b != 0 ? slots_of(storage) : 0));
  const uint64_t ref = allocate_object(ctx, pc, fp, {pc->imm, length});
  if (ref == 0) return TrapKind::HeapExhausted;
  if (pc->b != 0) fill(ctx.store->heap.fields(ref), length, operands, storage);
  fp[pc->d] = ref;
  return TrapKind::None;
}

TrapKind array_make_fixed(Context& ctx, const Cell* pc, uint64_t* fp) {
  const ValType storage = ctx.store->layouts[pc->imm].fields[0].storage;
  const uint32_t length = segment_of(pc);
  const uint64_t ref = allocate_object(ctx, pc, fp, {pc->imm, length});
  if (ref == 0) return TrapKind::HeapExhausted;
  uint8_t* element = ctx.store->heap.fields(ref);
  const uint64_t* operand = fp + pc->a;
  for (uint32_t i = 0; i < length; ++i) {
    write_field(element, operand, storage);
    element += field_bytes(storage);
    operand += slots_of(storage);
  }
  fp[pc->d] = ref;
  return TrapKind::None;
}

TrapKind array_make_data(Context& ctx, const Cell* pc, uint64_t* fp) {
  const uint32_t from = u32(fp + pc->a), length = u32(fp + pc->a + 1);
  const uint64_t bytes = ctx.store->layouts[pc->imm].bytes_of(length);
  const uint8_t* source = nullptr;
  if (const TrapKind trap = data_elements(ctx, segment_of(pc), from, bytes, source); trap != TrapKind::None)
    return trap;
  const uint64_t ref = allocate_object(ctx, pc, fp, {pc->imm, length});
  if (ref == 0) return TrapKind::HeapExhausted;
  copy(ctx.store->heap.fields(ref), source, static_cast<size_t>(bytes));
  fp[pc->d] = ref;
  return TrapKind::None;
}

TrapKind array_make_elem(Context& ctx, const Cell* pc, uint64_t* fp) {
  const uint32_t from = u32(fp + pc->a), length = u32(fp + pc->a + 1);
  const uint64_t* source = nullptr;
  if (const TrapKind trap = elem_elements(ctx, segment_of(pc), from, length, source); trap != TrapKind::None) {
    return trap;
  }
  const uint64_t ref = allocate_object(ctx, pc, fp, {pc->imm, length});
  if (ref == 0) return TrapKind::HeapExhausted;
  copy(ctx.store->heap.fields(ref), source, size_t{length} * sizeof(uint64_t));
  fp[pc->d] = ref;
  return TrapKind::None;
}

TrapKind array_fill_range(Context& ctx, const Cell* pc, const uint64_t* fp) {
  const uint64_t* const operands = fp + pc->a;
  const uint64_t array = operands[0];
  if (array == kNullRef) return TrapKind::NullArrayReference;
  const ObjectLayout& layout = layout_of(ctx, array);
  const ValType storage = layout.fields[0].storage;
  const uint32_t from = u32(operands + 1), count = u32(operands + 2 + slots_of(storage));
  if (const TrapKind trap = check_range(ctx, array, from, count); trap != TrapKind::None) return trap;
  fill(ctx.store->heap.fields(array) + size_t{from} * layout.bytes, count, operands + 2, storage);
  return TrapKind::None;
}

TrapKind array_copy_range(Context& ctx, const Cell* pc, const uint64_t* fp) {
  const uint64_t* const operands = fp + pc->a;
  const uint64_t target = operands[0], source = operands[2];
  const uint32_t to = u32(operands + 1), from = u32(operands + 3), count = u32(operands + 4);
  if (source == kNullRef) return TrapKind::NullArrayReference;
  if (const TrapKind trap = check_range(ctx, target, to, count); trap != TrapKind::None) return trap;
  if (const TrapKind trap = check_range(ctx, source, from, count); trap != TrapKind::None) return trap;
  const size_t bytes = layout_of(ctx, target).bytes;
  Heap& heap = ctx.store->heap;
  copy(heap.fields(target) + to * bytes, heap.fields(source) + from * bytes, count * bytes);
  return TrapKind::None;
}

TrapKind array_init_from_data(Context& ctx, const Cell* pc, const uint64_t* fp) {
  const uint64_t* const operands = fp + pc->a;
  const uint64_t array = operands[0];
  const uint32_t to = u32(operands + 1), from = u32(operands + 2), count = u32(operands + 3);
  if (const TrapKind trap = check_range(ctx, array, to, count); trap != TrapKind::None) return trap;
  const uint64_t bytes = layout_of(ctx, array).bytes;
  const uint8_t* source = nullptr;
  if (const TrapKind trap = data_elements(ctx, pc->imm, from, bytes * count, source); trap != TrapKind::None) {
    return trap;
  }
  copy(ctx.store->heap.fields(array) + to * bytes, source, static_cast<size_t>(bytes * count));
  return TrapKind::None;
}

TrapKind array_init_from_elem(Context& ctx, const Cell* pc, const uint64_t* fp) {
  const uint64_t* const operands = fp + pc->a;
  const uint64_t array = operands[0];
  const uint32_t to = u32(operands + 1), from = u32(operands + 2), count = u32(operands + 3);
  if (const TrapKind trap = check_range(ctx, array, to, count); trap != TrapKind::None) return trap;
  const uint64_t* source = nullptr;
  if (const TrapKind trap = elem_elements(ctx, pc->imm, from, count, source); trap != TrapKind::None) return trap;
  copy(ctx.store->heap.fields(array) + size_t{to} * 8, source, size_t{count} * 8);
  return TrapKind::None;
}

}  // namespace chiwawa
