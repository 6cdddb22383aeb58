// The outlined memory, table and segment operations.
// https://webassembly.github.io/spec/core/exec/instructions.html#memory-instructions
// Cell, for those with three operands: d = destination, a = source or value, b = count (slots); imm = index of the
// segment or of the destination's table, c = the other index.
#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#include "interp/executor.hpp"
#include "interp/instrumentation.hpp"

namespace chiwawa {

namespace {

uint32_t u32(const Context& ctx, uint16_t slot) { return from_slot<uint32_t>(ctx.fp[slot]); }

MemInst& memory_at(const Context& ctx, uint32_t index) { return *ctx.instance->cache.memories[index]; }

/// What a failed growth returns.
uint64_t minus_one(ValType address) { return address == ValType::I64 ? ~uint64_t{0} : 0xFFFFFFFFu; }

/// Whether a vector of so many references can be had: asked first, since the vector itself would abort.
bool has_memory_for(uint64_t elements) {
  const std::unique_ptr<uint64_t[]> probe(new (std::nothrow) uint64_t[static_cast<size_t>(elements)]);
  asm volatile("" : : "r"(probe.get()) : "memory");  // or the compiler removes new and delete together
  return probe != nullptr;
}

}  // namespace

TrapKind memory_pages(Context& ctx) {
  ctx.fp[ctx.pc->d] = memory_at(ctx, ctx.pc->imm).size_pages();
  return TrapKind::None;
}

TrapKind memory_grow_by(Context& ctx) {
  MemInst& memory = memory_at(ctx, ctx.pc->imm);
  const uint64_t old_pages = memory.size_pages();
  const uint64_t more = address_in(memory.type.address, ctx.fp[ctx.pc->a]);
  const uint64_t max = ctx.store->max_pages(memory);
  const bool grown = more <= max && old_pages <= max - more && memory.grow_to(old_pages + more);
  ctx.fp[ctx.pc->d] = grown ? old_pages : minus_one(memory.type.address);
  if (ctx.store->instrumentation != nullptr && grown && more != 0) {
    const uint64_t bytes = memory.memory.size_bytes();
    ctx.store->instrumentation->memory_grown({*ctx.store, bytes - (more << memory.type.page_exponent), bytes});
  }
  ctx.load_memory();
  return TrapKind::None;
}

TrapKind memory_init_from(Context& ctx) {
  const Cell& cell = *ctx.pc;
  const DataInst& data = *ctx.instance->cache.datas[cell.imm];
  MemInst& memory = memory_at(ctx, cell.c);
  const uint64_t to = address_in(memory.type.address, ctx.fp[cell.d]);
  const uint32_t from = u32(ctx, cell.a), count = u32(ctx, cell.b);
  if (!within(from, count, data.range.size()) || !within(to, count, memory.memory.size_bytes())) {
    return TrapKind::OutOfBoundsMemoryAccess;
  }
  if (count != 0) std::memcpy(memory.memory.data() + to, data.module->bytes.data() + data.range.begin + from, count);
  return TrapKind::None;
}

TrapKind memory_copy_range(Context& ctx) {
  const Cell& cell = *ctx.pc;
  MemInst& target = memory_at(ctx, cell.imm);
  MemInst& source = memory_at(ctx, cell.c);
  const uint64_t to = address_in(target.type.address, ctx.fp[cell.d]);
  const uint64_t from = address_in(source.type.address, ctx.fp[cell.a]);
  const uint64_t count = address_in(smaller_address(target.type.address, source.type.address), ctx.fp[cell.b]);
  if (!within(from, count, source.memory.size_bytes()) || !within(to, count, target.memory.size_bytes())) {
    return TrapKind::OutOfBoundsMemoryAccess;
  }
  if (count != 0) {
    std::memmove(target.memory.data() + to, source.memory.data() + from, static_cast<size_t>(count));
  }
  return TrapKind::None;
}

TrapKind memory_fill_range(Context& ctx) {
  const Cell& cell = *ctx.pc;
  MemInst& memory = memory_at(ctx, cell.imm);
  const uint64_t to = address_in(memory.type.address, ctx.fp[cell.d]);
  const uint64_t count = address_in(memory.type.address, ctx.fp[cell.b]);
  if (!within(to, count, memory.memory.size_bytes())) return TrapKind::OutOfBoundsMemoryAccess;
  if (count != 0) {
    std::memset(memory.memory.data() + to, static_cast<int>(u32(ctx, cell.a) & 0xFF), static_cast<size_t>(count));
  }
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
  const TableInst& table = *ctx.instance->cache.tables[cell.imm];
  const uint64_t index = address_in(table.type.address, ctx.fp[cell.a]);
  if (index >= table.elements.size()) return TrapKind::OutOfBoundsTableAccess;
  ctx.fp[cell.d] = table.elements[static_cast<size_t>(index)];
  return TrapKind::None;
}

TrapKind table_store(Context& ctx) {
  const Cell& cell = *ctx.pc;
  TableInst& table = *ctx.instance->cache.tables[cell.imm];
  const uint64_t index = address_in(table.type.address, ctx.fp[cell.a]);
  if (index >= table.elements.size()) return TrapKind::OutOfBoundsTableAccess;
  table.elements[static_cast<size_t>(index)] = ctx.fp[cell.b];
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
  const uint64_t more = address_in(table.type.address, ctx.fp[cell.b]);
  const uint64_t max = ctx.store->max_elements(table);
  const uint64_t new_size = old_size + more;
  if (more > max || new_size > max || !has_memory_for(new_size)) {
    ctx.fp[cell.d] = minus_one(table.type.address);
    return TrapKind::None;
  }
  table.elements.resize(static_cast<size_t>(new_size), ctx.fp[cell.a]);
  ctx.fp[cell.d] = old_size;
  return TrapKind::None;
}

TrapKind table_init_from(Context& ctx) {
  const Cell& cell = *ctx.pc;
  const std::vector<uint64_t>& source = ctx.instance->cache.elems[cell.imm]->elements;
  TableInst& target = *ctx.instance->cache.tables[cell.c];
  const uint64_t to = address_in(target.type.address, ctx.fp[cell.d]);
  const uint32_t from = u32(ctx, cell.a), count = u32(ctx, cell.b);
  if (!within(from, count, source.size()) || !within(to, count, target.elements.size())) {
    return TrapKind::OutOfBoundsTableAccess;
  }
  std::copy_n(source.data() + from, count, target.elements.data() + to);
  return TrapKind::None;
}

TrapKind table_copy_range(Context& ctx) {
  const Cell& cell = *ctx.pc;
  TableInst& target = *ctx.instance->cache.tables[cell.imm];
  const TableInst& source = *ctx.instance->cache.tables[cell.c];
  const uint64_t to = address_in(target.type.address, ctx.fp[cell.d]);
  const uint64_t from = address_in(source.type.address, ctx.fp[cell.a]);
  const uint64_t count = address_in(smaller_address(target.type.address, source.type.address), ctx.fp[cell.b]);
  if (!within(from, count, source.elements.size()) || !within(to, count, target.elements.size())) {
    return TrapKind::OutOfBoundsTableAccess;
  }
  if (count != 0) {
    std::memmove(target.elements.data() + to, source.elements.data() + from,
                 static_cast<size_t>(count) * sizeof(uint64_t));
  }
  return TrapKind::None;
}

TrapKind table_fill_range(Context& ctx) {
  const Cell& cell = *ctx.pc;
  TableInst& table = *ctx.instance->cache.tables[cell.imm];
  const uint64_t to = address_in(table.type.address, ctx.fp[cell.d]);
  const uint64_t count = address_in(table.type.address, ctx.fp[cell.b]);
  if (!within(to, count, table.elements.size())) return TrapKind::OutOfBoundsTableAccess;
  std::fill_n(table.elements.data() + to, static_cast<size_t>(count), ctx.fp[cell.a]);
  return TrapKind::None;
}

TrapKind elem_drop_segment(Context& ctx) {
  ElemInst& elem = *ctx.instance->cache.elems[ctx.pc->imm];
  elem.elements = {};
  elem.dropped = true;
  return TrapKind::None;
}

}  // namespace chiwawa
