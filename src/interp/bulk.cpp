// The outlined memory, table and segment operations.
// https://webassembly.github.io/spec/core/exec/instructions.html#memory-instructions
// Cell, for those with three operands: d = destination, a = source or value, b = count (slots); imm = index of the
// segment or of the destination's table, c = the other index.
#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#include "interp/executor.hpp"

namespace chiwawa {

namespace {

uint32_t u32(const Context& ctx, uint16_t slot) { return from_slot<uint32_t>(ctx.fp[slot]); }

MemInst& memory0(const Context& ctx) { return *ctx.instance->cache.memories[0]; }

/// Whether a vector of so many references can be had: asked first, since the vector itself would abort.
bool has_memory_for(uint64_t elements) {
  const std::unique_ptr<uint64_t[]> probe(new (std::nothrow) uint64_t[static_cast<size_t>(elements)]);
  asm volatile("" : : "r"(probe.get()) : "memory");  // or the compiler removes new and delete together
  return probe != nullptr;
}

/// Whether [begin, begin + count) lies within [0, size).
bool within(uint64_t begin, uint64_t count, uint64_t size) { return count <= size && begin <= size - count; }

}  // namespace

TrapKind memory_pages(Context& ctx) {
  ctx.fp[ctx.pc->d] = memory0(ctx).memory.size_pages();
  return TrapKind::None;
}

TrapKind memory_grow_by(Context& ctx) {
  MemInst& memory = memory0(ctx);
  const uint64_t old_pages = memory.memory.size_pages();
  const uint64_t new_pages = old_pages + u32(ctx, ctx.pc->a);
  const bool grown = new_pages <= ctx.store->max_pages(memory) && memory.memory.grow_to(new_pages);
  ctx.fp[ctx.pc->d] = grown ? old_pages : 0xFFFFFFFFu;
  ctx.load_memory();
  return TrapKind::None;
}

TrapKind memory_init_from(Context& ctx) {
  const Cell& cell = *ctx.pc;
  const DataInst& data = *ctx.instance->cache.datas[cell.imm];
  const uint32_t to = u32(ctx, cell.d), from = u32(ctx, cell.a), count = u32(ctx, cell.b);
  if (!within(from, count, data.range.size()) || !within(to, count, ctx.mem_size)) {
    return TrapKind::OutOfBoundsMemoryAccess;
  }
  if (count != 0) std::memcpy(ctx.mem + to, data.module->bytes.data() + data.range.begin + from, count);
  return TrapKind::None;
}

TrapKind memory_copy_range(Context& ctx) {
  const Cell& cell = *ctx.pc;
  const uint32_t to = u32(ctx, cell.d), from = u32(ctx, cell.a), count = u32(ctx, cell.b);
  if (!within(from, count, ctx.mem_size) || !within(to, count, ctx.mem_size)) return TrapKind::OutOfBoundsMemoryAccess;
  if (count != 0) std::memmove(ctx.mem + to, ctx.mem + from, count);
  return TrapKind::None;
}

TrapKind memory_fill_range(Context& ctx) {
  const Cell& cell = *ctx.pc;
  const uint32_t to = u32(ctx, cell.d), count = u32(ctx, cell.b);
  if (!within(to, count, ctx.mem_size)) return TrapKind::OutOfBoundsMemoryAccess;
  if (count != 0) std::memset(ctx.mem + to, static_cast<int>(u32(ctx, cell.a) & 0xFF), count);
  return TrapKind::None;
}

TrapKind data_drop_segment(Context& ctx) {
  DataInst& data = *ctx.instance->cache.datas[ctx.pc->imm];
  data.range = {};
  data.dropped = true;
  return TrapKind::None;
}

TrapKind table_load(Context& ctx) {
  const Cell& cell = *ctx.pc;
  const std::vector<uint64_t>& elements = ctx.instance->cache.tables[cell.imm]->elements;
  const uint32_t index = u32(ctx, cell.a);
  if (index >= elements.size()) return TrapKind::OutOfBoundsTableAccess;
  ctx.fp[cell.d] = elements[index];
  return TrapKind::None;
}

TrapKind table_store(Context& ctx) {
  const Cell& cell = *ctx.pc;
  std::vector<uint64_t>& elements = ctx.instance->cache.tables[cell.imm]->elements;
  const uint32_t index = u32(ctx, cell.a);
  if (index >= elements.size()) return TrapKind::OutOfBoundsTableAccess;
  elements[index] = ctx.fp[cell.b];
  return TrapKind::None;
}

TrapKind table_length(Context& ctx) {
  ctx.fp[ctx.pc->d] = ctx.instance->cache.tables[ctx.pc->imm]->elements.size();
  return TrapKind::None;
}

TrapKind table_grow_by(Context& ctx) {
  const Cell& cell = *ctx.pc;
  TableInst& table = *ctx.instance->cache.tables[cell.imm];
  const uint64_t old_size = table.elements.size();
  const uint64_t new_size = old_size + u32(ctx, cell.b);
  if (new_size > ctx.store->max_elements(table) || !has_memory_for(new_size)) {
    ctx.fp[cell.d] = 0xFFFFFFFFu;
    return TrapKind::None;
  }
  table.elements.resize(static_cast<size_t>(new_size), ctx.fp[cell.a]);
  ctx.fp[cell.d] = old_size;
  return TrapKind::None;
}

TrapKind table_init_from(Context& ctx) {
  const Cell& cell = *ctx.pc;
  const std::vector<uint64_t>& source = ctx.instance->cache.elems[cell.imm]->elements;
  std::vector<uint64_t>& target = ctx.instance->cache.tables[cell.c]->elements;
  const uint32_t to = u32(ctx, cell.d), from = u32(ctx, cell.a), count = u32(ctx, cell.b);
  if (!within(from, count, source.size()) || !within(to, count, target.size())) {
    return TrapKind::OutOfBoundsTableAccess;
  }
  std::copy_n(source.data() + from, count, target.data() + to);
  return TrapKind::None;
}

TrapKind table_copy_range(Context& ctx) {
  const Cell& cell = *ctx.pc;
  std::vector<uint64_t>& target = ctx.instance->cache.tables[cell.imm]->elements;
  const std::vector<uint64_t>& source = ctx.instance->cache.tables[cell.c]->elements;
  const uint32_t to = u32(ctx, cell.d), from = u32(ctx, cell.a), count = u32(ctx, cell.b);
  if (!within(from, count, source.size()) || !within(to, count, target.size())) {
    return TrapKind::OutOfBoundsTableAccess;
  }
  if (count != 0) std::memmove(target.data() + to, source.data() + from, size_t{count} * sizeof(uint64_t));
  return TrapKind::None;
}

TrapKind table_fill_range(Context& ctx) {
  const Cell& cell = *ctx.pc;
  std::vector<uint64_t>& elements = ctx.instance->cache.tables[cell.imm]->elements;
  const uint32_t to = u32(ctx, cell.d), count = u32(ctx, cell.b);
  if (!within(to, count, elements.size())) return TrapKind::OutOfBoundsTableAccess;
  std::fill_n(elements.data() + to, count, ctx.fp[cell.a]);
  return TrapKind::None;
}

TrapKind elem_drop_segment(Context& ctx) {
  ElemInst& elem = *ctx.instance->cache.elems[ctx.pc->imm];
  elem.elements = {};
  elem.dropped = true;
  return TrapKind::None;
}

}  // namespace chiwawa
