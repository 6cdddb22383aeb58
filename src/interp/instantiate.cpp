#include "interp/instantiate.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
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

/// Empty if the import's value has the type that the module asks for, else both types. `ids` are those of the module's
/// types in the store.
std::string mismatch(const Store& store, const Module& module, std::span<const uint32_t> ids, const Import& import,
                     const Extern& value) {
  if (value.kind != import.kind) {
    return "a " + std::string(name(import.kind)) + " is wanted, a " + std::string(name(value.kind)) + " is given";
  }
  const auto differ = [](const std::string& wanted, const std::string& given) {
    return wanted + " is wanted, " + given + " is given";
  };
  switch (import.kind) {
    case ExternKind::Func: {
      const uint32_t wanted = ids[module.functions[import.index]];
      const FuncInst& given = *store.funcs[value.address];
      if (store.types.matches(given.type_id, wanted)) return "";
      const std::string names[] = {name(store.types.func(wanted)), name(given.type)};
      return names[0] != names[1] ? differ(names[0], names[1]) : "the types' declarations differ, both are " + names[0];
    }
    case ExternKind::Table: {
      TableType wanted = module.tables[import.index].type;
      wanted.element = TypeSpace::renumber(wanted.element, ids);
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
      GlobalType wanted = module.globals[import.index].type;
      wanted.type = TypeSpace::renumber(wanted.type, ids);
      const GlobalType& given = store.globals[value.address]->type;
      const bool fits = wanted.is_mutable == given.is_mutable && store.types.matches(given.type, wanted.type) &&
                        (!wanted.is_mutable || store.types.matches(wanted.type, given.type));
      return fits ? "" : differ("global " + describe(wanted), "global " + describe(given));
    }
    case ExternKind::Tag: {
      const uint32_t wanted = ids[module.tags[import.index].type_index];
      const TagInst& given = *store.tags[value.address];
      return wanted == given.type_id ? "" : differ("tag " + name(store.types.func(wanted)), "tag " + name(given.type));
    }
  }
  return "";
}

/// Evaluates validated constant expressions of one instance.
/// https://webassembly.github.io/spec/core/valid/instructions.html#constant-expressions
class ConstantEvaluator {
 public:
  using Slots = std::array<uint64_t, 2>;

  ConstantEvaluator(Store& store, const Instance& instance) : store_(store), instance_(instance) {}

  Slots evaluate_slots(ConstExpr expr) {
    InstrReader reader(instance_.module->bytes, expr);
    stack_.clear();
    while (!reader.at_end()) {
      const Result<Instr> instr = reader.next();
      assert(instr);
      execute(*instr);
    }
    return stack_.back();
  }

  /// Of any type but a vector.
  uint64_t evaluate(ConstExpr expr) { return evaluate_slots(expr)[0]; }

  std::vector<uint64_t> evaluate(const ElemSegment& segment) {
    std::vector<uint64_t> refs;
    refs.reserve(segment.size());
    for (const uint32_t index : segment.function_indices) refs.push_back(ref_of(instance_.funcs[index]));
    for (const ConstExpr& expr : segment.expressions) refs.push_back(evaluate(expr));
    return refs;
  }

  /// Whether there was no memory for an object.
  bool failed() const { return failed_; }

 private:
  void push(uint64_t bits, uint64_t high = 0) { stack_.push_back({bits, high}); }

  template <typename F>
  void binary(F compute) {
    const uint64_t right = stack_.back()[0];
    stack_.pop_back();
    stack_.back()[0] = compute(stack_.back()[0], right);
  }

  Slots pop() {
    const Slots top = stack_.back();
    stack_.pop_back();
    return top;
  }

  /// An object of the type whose fields are zero. Nothing is collected here: values on stack_ are roots that nobody
  /// knows.
  uint64_t allocate(uint32_t type_id, uint32_t length) {
    const uint64_t ref = store_.new_object_at_once({type_id, length});
    failed_ = failed_ || ref == 0;
    return ref;
  }

  /// An object with the topmost `operands` values as fields, or with the one value `fill` for all.
  void make(uint32_t type_id, uint32_t length, size_t operands, const Slots* fill = nullptr) {
    const ObjectLayout& layout = store_.layouts[type_id];
    const uint64_t ref = allocate(type_id, length);
    const size_t first = stack_.size() - operands;
    const bool is_array = layout.kind == TypeDef::Kind::Array;
    const size_t count = is_array ? length : layout.fields.size();
    for (size_t i = 0; ref != 0 && i < count && (operands != 0 || fill != nullptr); ++i) {
      uint8_t* const field = store_.heap.fields(ref) + (is_array ? i * layout.bytes : layout.offsets[i]);
      const Slots& value = fill != nullptr ? *fill : stack_[first + i];
      std::memcpy(field, value.data(), field_bytes(layout.fields[is_array ? 0 : i].storage));
    }
    stack_.resize(first);
    push(ref);
  }

  void execute(const Instr& instr) {
    const auto low = [](uint64_t bits) { return static_cast<uint32_t>(bits); };
    const auto type = [&] { return instance_.type_ids[instr.index]; };
    switch (instr.opcode) {
      case Opcode::i32_const:
      case Opcode::i64_const:
      case Opcode::f32_const:
      case Opcode::f64_const: push(instr.bits); break;
      case Opcode::v128_const: push(instr.vector.low, instr.vector.high); break;
      case Opcode::i32_add: binary([&](uint64_t a, uint64_t b) { return low(a + b); }); break;
      case Opcode::i32_sub: binary([&](uint64_t a, uint64_t b) { return low(a - b); }); break;
      case Opcode::i32_mul: binary([&](uint64_t a, uint64_t b) { return low(a * b); }); break;
      case Opcode::i64_add: binary([](uint64_t a, uint64_t b) { return a + b; }); break;
      case Opcode::i64_sub: binary([](uint64_t a, uint64_t b) { return a - b; }); break;
      case Opcode::i64_mul: binary([](uint64_t a, uint64_t b) { return a * b; }); break;
      case Opcode::ref_null: push(kNullRef); break;
      case Opcode::ref_func: push(ref_of(instance_.funcs[instr.index])); break;
      case Opcode::ref_i31: push(i31_ref(low(pop()[0]))); break;
      case Opcode::global_get: stack_.push_back(store_[instance_.globals[instr.index]].bits); break;
      case Opcode::struct_new: make(type(), 0, store_.layouts[type()].fields.size()); break;
      case Opcode::struct_new_default: make(type(), 0, 0); break;
      case Opcode::array_new: {
        const uint32_t length = low(pop()[0]);
        const Slots fill = pop();
        make(type(), length, 0, &fill);
        break;
      }
      case Opcode::array_new_default: make(type(), low(pop()[0]), 0); break;
      case Opcode::array_new_fixed: make(type(), instr.index2, instr.index2); break;
      // References mean the same on both sides.
      case Opcode::any_convert_extern:
      case Opcode::extern_convert_any: break;
      default: assert(instr.opcode == Opcode::end); break;
    }
  }

  Store& store_;
  const Instance& instance_;
  std::vector<Slots> stack_;
  bool failed_ = false;
};

TrapKind copy_active_segments(Store& store, Instance& instance, ConstantEvaluator& constants) {
  const Module& module = *instance.module;
  for (size_t i = 0; i < module.elems.size(); ++i) {
    const ElemSegment& segment = module.elems[i];
    ElemInst& elem = store[instance.elems[i]];
    if (segment.mode == SegmentMode::Active) {
      TableInst& table = store[instance.tables[segment.table_index]];
      const uint64_t to = address_of(constants.evaluate(segment.offset), table.type.address);
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
    const uint64_t to = address_of(constants.evaluate(segment.offset), memory.type.address);
    if (!within(to, data.range.size(), memory.memory.size_bytes())) return TrapKind::OutOfBoundsMemoryAccess;
    std::copy_n(module.bytes.data() + data.range.begin, data.range.size(), memory.memory.data() + to);
    data.range = {};
    data.dropped = true;
  }
  return TrapKind::None;
}

}  // namespace

Result<void> check_imports(const Store& store, const Module& module, std::span<const uint32_t> type_ids,
                           std::span<const Extern> imports) {
  assert(imports.size() == module.imports.size());
  for (size_t i = 0; i < imports.size(); ++i) {
    const Import& import = module.imports[i];
    if (std::string why = mismatch(store, module, type_ids, import, imports[i]); !why.empty()) {
      return Error{Phase::Link, "incompatible import type for " + describe(import) + ": " + why, import.offset};
    }
  }
  return {};
}

Result<Instantiation> instantiate(Store& store, const std::shared_ptr<const Module>& module_ptr,
                                  std::span<const Extern> imports) {
  const Module& module = *module_ptr;
  const std::vector<uint32_t> ids = store.add_types(module);
  CHIWAWA_TRY(check_imports(store, module, ids, imports));

  // What the host may not have memory for comes first, so that a failure leaves no half of an instance.
  std::vector<TableAddr> own_tables;
  for (size_t i = module.imported_tables; i < module.tables.size(); ++i) {
    TableType type = module.tables[i].type;
    type.element = TypeSpace::renumber(type.element, ids);
    const Result<TableAddr> table = store.add_table(type, kNullRef);
    if (!table) return table.error();
    own_tables.push_back(*table);
  }
  std::vector<MemAddr> own_memories;
  for (size_t i = module.imported_memories; i < module.memories.size(); ++i) {
    const Result<MemAddr> memory = store.add_memory(module.memories[i]);
    if (!memory) return memory.error();
    own_memories.push_back(*memory);
  }

  Instance& instance = store.add_instance(module_ptr, ids);
  for (const Extern& value : imports) {
    switch (value.kind) {
      case ExternKind::Func: instance.funcs.push_back(FuncAddr{value.address}); break;
      case ExternKind::Table: instance.tables.push_back(TableAddr{value.address}); break;
      case ExternKind::Memory: instance.memories.push_back(MemAddr{value.address}); break;
      case ExternKind::Global: instance.globals.push_back(GlobalAddr{value.address}); break;
      case ExternKind::Tag: instance.tags.push_back(TagAddr{value.address}); break;
    }
  }
  instance.tables.insert(instance.tables.end(), own_tables.begin(), own_tables.end());
  instance.memories.insert(instance.memories.end(), own_memories.begin(), own_memories.end());
  for (auto i = module.imported_functions; i < module.functions.size(); ++i) {
    instance.funcs.push_back(store.add_function(instance, i));
  }
  for (size_t i = module.imported_tags; i < module.tags.size(); ++i) {
    instance.tags.push_back(store.add_tag(ids[module.tags[i].type_index]));
  }
  ConstantEvaluator constants(store, instance);
  for (size_t i = module.imported_tables; i < module.tables.size(); ++i) {
    if (module.tables[i].init.size() == 0) continue;
    std::vector<uint64_t>& elements = store[instance.tables[i]].elements;
    std::fill(elements.begin(), elements.end(), constants.evaluate(module.tables[i].init));
  }
  for (size_t i = module.imported_globals; i < module.globals.size(); ++i) {
    const auto [bits, high] = constants.evaluate_slots(module.globals[i].init);
    GlobalType type = module.globals[i].type;
    type.type = TypeSpace::renumber(type.type, ids);
    instance.globals.push_back(store.add_global(type, bits, high));
  }
  for (const ElemSegment& segment : module.elems) {
    instance.elems.push_back(store.add_elem(TypeSpace::renumber(segment.type, ids), constants.evaluate(segment)));
  }
  for (const DataSegment& segment : module.datas) {
    instance.datas.push_back(store.add_data(module_ptr, segment.bytes));
  }
  store.build_cache(instance);
  if (constants.failed()) return Error{Phase::Instantiate, "no memory for the objects of constant expressions"};
  return Instantiation{&instance, copy_active_segments(store, instance, constants)};
}

}  // namespace chiwawa
