#include "interp/instantiate.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "interp/instr_reader.hpp"

namespace chiwawa {

namespace {

std::string describe(const Import& import) { return "\"" + import.module + "\" \"" + import.name + "\""; }

std::string describe(const Limits& limits) {
  return std::to_string(limits.min) + (limits.max ? ".." + std::to_string(*limits.max) : "..");
}

/// An address that a constant expression of a table's or memory's address type has computed.
uint64_t address_of(uint64_t bits, ValType address) {
  return address == ValType::I64 ? bits : static_cast<uint32_t>(bits);
}

std::string describe(const TableType& type, const Limits& limits) {
  return "table " + std::string(type.address == ValType::I64 ? "i64 " : "") + describe(limits) + " " +
         std::string(name(type.element));
}

std::string describe(const MemoryType& type, const Limits& limits) {
  return "memory " + std::string(type.address == ValType::I64 ? "i64 " : "") + describe(limits) +
         (type.page_exponent == 0 ? " of 1-byte pages" : "") + (type.is_shared ? " shared" : "");
}

std::string describe(const GlobalType& type) { return (type.is_mutable ? "mut " : "") + std::string(name(type.type)); }

/// Whether something with `actual` limits may stand where `wanted` is declared.
/// https://webassembly.github.io/spec/core/valid/matching.html#limits
bool matches(const Limits& actual, const Limits& wanted) {
  if (actual.min < wanted.min) return false;
  return !wanted.max || (actual.max && *actual.max <= *wanted.max);
}

/// Empty if the import's value has the type that the module asks for, else both types.
std::string mismatch(const Store& store, const Module& module, const Import& import, const Extern& value) {
  if (value.kind != import.kind) {
    return "a " + std::string(name(import.kind)) + " is wanted, a " + std::string(name(value.kind)) + " is given";
  }
  const auto differ = [](const std::string& wanted, const std::string& given) {
    return wanted + " is wanted, " + given + " is given";
  };
  switch (import.kind) {
    case ExternKind::Func: {
      const FuncType& wanted = module.function_type(import.index);
      const FuncType& given = store.funcs[value.address]->type;
      return wanted == given ? "" : differ(name(wanted), name(given));
    }
    case ExternKind::Table: {
      const TableType& wanted = module.tables[import.index];
      const TableInst& given = *store.tables[value.address];
      const Limits actual{given.elements.size(), given.type.limits.max};
      const bool fits = wanted.element == given.type.element && wanted.address == given.type.address;
      if (fits && matches(actual, wanted.limits)) return "";
      return differ(describe(wanted, wanted.limits), describe(given.type, actual));
    }
    case ExternKind::Memory: {
      const MemoryType& wanted = module.memories[import.index];
      const MemInst& given = *store.memories[value.address];
      const Limits actual{given.size_pages(), given.type.limits.max};
      if (same_kind(wanted, given.type) && matches(actual, wanted.limits)) return "";
      return differ(describe(wanted, wanted.limits), describe(given.type, actual));
    }
    case ExternKind::Global: {
      const GlobalType& wanted = module.globals[import.index].type;
      const GlobalType& given = store.globals[value.address]->type;
      return wanted == given ? "" : differ("global " + describe(wanted), "global " + describe(given));
    }
  }
  return "";
}

/// The value of a validated constant expression, as slots.
/// https://webassembly.github.io/spec/core/valid/instructions.html#constant-expressions
std::array<uint64_t, 2> evaluate_slots(const Store& store, const Instance& instance, ConstExpr expr) {
  InstrReader reader(instance.module->bytes, expr);
  std::vector<std::array<uint64_t, 2>> stack;
  const auto push = [&stack](uint64_t bits, uint64_t high = 0) { stack.push_back({bits, high}); };
  const auto binary = [&stack](auto compute) {
    const uint64_t right = stack.back()[0];
    stack.pop_back();
    stack.back()[0] = compute(stack.back()[0], right);
  };
  const auto low = [](uint64_t bits) { return static_cast<uint32_t>(bits); };
  while (!reader.at_end()) {
    const Result<Instr> instr = reader.next();
    assert(instr);
    switch (instr->opcode) {
      case Opcode::i32_const:
      case Opcode::i64_const:
      case Opcode::f32_const:
      case Opcode::f64_const: push(instr->bits); break;
      case Opcode::v128_const: push(instr->vector.low, instr->vector.high); break;
      case Opcode::i32_add: binary([&](uint64_t a, uint64_t b) { return low(a + b); }); break;
      case Opcode::i32_sub: binary([&](uint64_t a, uint64_t b) { return low(a - b); }); break;
      case Opcode::i32_mul: binary([&](uint64_t a, uint64_t b) { return low(a * b); }); break;
      case Opcode::i64_add: binary([](uint64_t a, uint64_t b) { return a + b; }); break;
      case Opcode::i64_sub: binary([](uint64_t a, uint64_t b) { return a - b; }); break;
      case Opcode::i64_mul: binary([](uint64_t a, uint64_t b) { return a * b; }); break;
      case Opcode::ref_null: push(kNullRef); break;
      case Opcode::ref_func: push(ref_of(instance.funcs[instr->index])); break;
      case Opcode::global_get: stack.push_back(store.globals[raw(instance.globals[instr->index])]->bits); break;
      default: assert(instr->opcode == Opcode::end); break;
    }
  }
  return stack.back();
}

/// Of any type but a vector.
uint64_t evaluate(const Store& store, const Instance& instance, ConstExpr expr) {
  return evaluate_slots(store, instance, expr)[0];
}

std::vector<uint64_t> evaluate(const Store& store, const Instance& instance, const ElemSegment& segment) {
  std::vector<uint64_t> refs;
  refs.reserve(segment.size());
  for (const uint32_t index : segment.function_indices) refs.push_back(ref_of(instance.funcs[index]));
  for (const ConstExpr& expr : segment.expressions) refs.push_back(evaluate(store, instance, expr));
  return refs;
}

TrapKind copy_active_segments(Store& store, Instance& instance) {
  const Module& module = *instance.module;
  for (size_t i = 0; i < module.elems.size(); ++i) {
    const ElemSegment& segment = module.elems[i];
    ElemInst& elem = store[instance.elems[i]];
    if (segment.mode == SegmentMode::Active) {
      TableInst& table = store[instance.tables[segment.table_index]];
      const uint64_t to = address_of(evaluate(store, instance, segment.offset), table.type.address);
      if (!within(to, elem.elements.size(), table.elements.size())) return TrapKind::OutOfBoundsTableAccess;
      std::copy(elem.elements.begin(), elem.elements.end(), table.elements.begin() + static_cast<ptrdiff_t>(to));
    }
    if (segment.mode != SegmentMode::Passive) {
      elem.elements = {};
      elem.dropped = true;
    }
  }
  for (size_t i = 0; i < module.datas.size(); ++i) {
    const DataSegment& segment = module.datas[i];
    if (segment.mode != SegmentMode::Active) continue;
    DataInst& data = store[instance.datas[i]];
    MemInst& memory = store[instance.memories[segment.memory_index]];
    const uint64_t to = address_of(evaluate(store, instance, segment.offset), memory.type.address);
    if (!within(to, data.range.size(), memory.memory.size_bytes())) return TrapKind::OutOfBoundsMemoryAccess;
    std::copy_n(module.bytes.data() + data.range.begin, data.range.size(), memory.memory.data() + to);
    data.range = {};
    data.dropped = true;
  }
  return TrapKind::None;
}

}  // namespace

Result<void> check_imports(const Store& store, const Module& module, std::span<const Extern> imports) {
  assert(imports.size() == module.imports.size());
  for (size_t i = 0; i < imports.size(); ++i) {
    const Import& import = module.imports[i];
    if (std::string why = mismatch(store, module, import, imports[i]); !why.empty()) {
      return Error{Phase::Link, "incompatible import type for " + describe(import) + ": " + why, import.offset};
    }
  }
  return {};
}

Result<Instantiation> instantiate(Store& store, const std::shared_ptr<const Module>& module_ptr,
                                  std::span<const Extern> imports) {
  const Module& module = *module_ptr;
  CHIWAWA_TRY(check_imports(store, module, imports));

  // What the host may not have memory for comes first, so that a failure leaves no half of an instance.
  std::vector<TableAddr> own_tables;
  for (size_t i = module.imported_tables; i < module.tables.size(); ++i) {
    const Result<TableAddr> table = store.add_table(module.tables[i], kNullRef);
    if (!table) return table.error();
    own_tables.push_back(*table);
  }
  std::vector<MemAddr> own_memories;
  for (size_t i = module.imported_memories; i < module.memories.size(); ++i) {
    const Result<MemAddr> memory = store.add_memory(module.memories[i]);
    if (!memory) return memory.error();
    own_memories.push_back(*memory);
  }

  Instance& instance = store.add_instance(module_ptr);
  for (const Extern& value : imports) {
    switch (value.kind) {
      case ExternKind::Func: instance.funcs.push_back(FuncAddr{value.address}); break;
      case ExternKind::Table: instance.tables.push_back(TableAddr{value.address}); break;
      case ExternKind::Memory: instance.memories.push_back(MemAddr{value.address}); break;
      case ExternKind::Global: instance.globals.push_back(GlobalAddr{value.address}); break;
    }
  }
  instance.tables.insert(instance.tables.end(), own_tables.begin(), own_tables.end());
  instance.memories.insert(instance.memories.end(), own_memories.begin(), own_memories.end());
  for (auto i = module.imported_functions; i < module.functions.size(); ++i) {
    instance.funcs.push_back(store.add_function(instance, i));
  }
  for (size_t i = module.imported_globals; i < module.globals.size(); ++i) {
    const auto [bits, high] = evaluate_slots(store, instance, module.globals[i].init);
    instance.globals.push_back(store.add_global(module.globals[i].type, bits, high));
  }
  for (const ElemSegment& segment : module.elems) {
    instance.elems.push_back(store.add_elem(segment.type, evaluate(store, instance, segment)));
  }
  for (const DataSegment& segment : module.datas) {
    instance.datas.push_back(store.add_data(module_ptr, segment.bytes));
  }
  store.build_cache(instance);
  return Instantiation{&instance, copy_active_segments(store, instance)};
}

}  // namespace chiwawa
