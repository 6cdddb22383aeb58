#include "interp/store.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "interp/executor.hpp"

namespace chiwawa {

namespace {

template <typename Addr, typename T>
Addr append(std::vector<std::unique_ptr<T>>& list, std::unique_ptr<T> item) {
  list.push_back(std::move(item));
  return static_cast<Addr>(list.size() - 1);
}

template <typename T, typename Addr>
std::vector<T*> pointers(const std::vector<std::unique_ptr<T>>& list, const std::vector<Addr>& addresses) {
  std::vector<T*> result;
  result.reserve(addresses.size());
  for (const Addr address : addresses) result.push_back(list[raw(address)].get());
  return result;
}

Code uncompiled(const FuncInst& function, FuncAddr address) {
  return {.cells = &kCompileStub,
          .param_slots = slots_of(function.type.params),
          .function = address,
          .instance = function.instance};
}

}  // namespace

FuncAddr Store::add_host_function(HostFunction function) {
  auto inst = std::make_unique<FuncInst>();
  inst->type = function.type;
  inst->type_id = add_type(function.type);
  inst->host = std::move(function);
  inst->code.function = static_cast<FuncAddr>(funcs.size());
  return append<FuncAddr>(funcs, std::move(inst));
}

FuncAddr Store::add_function(Instance& instance, uint32_t function_index) {
  auto inst = std::make_unique<FuncInst>();
  inst->type_id = instance.type_ids[instance.module->functions[function_index]];
  inst->type = types.func(inst->type_id);
  inst->instance = &instance;
  inst->function_index = function_index;
  inst->code = uncompiled(*inst, static_cast<FuncAddr>(funcs.size()));
  return append<FuncAddr>(funcs, std::move(inst));
}

Result<TableAddr> Store::add_table(const TableType& type, uint64_t initial_ref) {
  if (type.limits.min > kMaxTableElements) {
    return Error{Phase::Instantiate, "table of " + std::to_string(type.limits.min) + " elements exceeds the limit of " +
                                         std::to_string(kMaxTableElements)};
  }
  auto inst = std::make_unique<TableInst>();
  inst->type = type;
  inst->elements.assign(static_cast<size_t>(type.limits.min), initial_ref);
  return append<TableAddr>(tables, std::move(inst));
}

Result<MemAddr> Store::add_memory(const MemoryType& type) {
  auto inst = std::make_unique<MemInst>();
  inst->type = type;
  if (type.limits.min > max_pages(*inst) || !inst->grow_to(type.limits.min)) {
    return Error{Phase::Instantiate, "no memory for " + std::to_string(type.limits.min) + " pages"};
  }
  return append<MemAddr>(memories, std::move(inst));
}

GlobalAddr Store::add_global(const GlobalType& type, uint64_t bits, uint64_t high) {
  return append<GlobalAddr>(globals, std::make_unique<GlobalInst>(GlobalInst{type, {bits, high}}));
}

ElemAddr Store::add_elem(ValType type, std::vector<uint64_t> elements) {
  return append<ElemAddr>(elems, std::make_unique<ElemInst>(ElemInst{type, std::move(elements), false}));
}

TagAddr Store::add_tag(uint32_t type_id) {
  return append<TagAddr>(tags, std::make_unique<TagInst>(TagInst{types.func(type_id), type_id}));
}

DataAddr Store::add_data(std::shared_ptr<const Module> module, ByteRange range) {
  return append<DataAddr>(datas, std::make_unique<DataInst>(DataInst{std::move(module), range, false}));
}

Instance& Store::add_instance(std::shared_ptr<const Module> module, std::vector<uint32_t> type_ids) {
  auto inst = std::make_unique<Instance>();
  inst->module = std::move(module);
  inst->number = static_cast<uint32_t>(instances.size());
  inst->type_ids = std::move(type_ids);
  instances.push_back(std::move(inst));
  return *instances.back();
}

void Store::forget_code() {
  for (size_t i = 0; i < funcs.size(); ++i) {
    if (!funcs[i]->is_host()) funcs[i]->code = uncompiled(*funcs[i], static_cast<FuncAddr>(i));
  }
}

void Store::build_cache(Instance& instance) {
  Instance::Cache& cache = instance.cache;
  cache.codes.clear();
  for (const FuncAddr address : instance.funcs) cache.codes.push_back(&(*this)[address].code);
  cache.globals.clear();
  for (const GlobalAddr address : instance.globals) cache.globals.push_back((*this)[address].bits.data());
  cache.tables = pointers(tables, instance.tables);
  cache.memories = pointers(memories, instance.memories);
  cache.elems = pointers(elems, instance.elems);
  cache.datas = pointers(datas, instance.datas);
}

std::optional<Extern> Store::find_export(const Instance& instance, std::string_view name) const {
  const Export* const found = instance.module->find_export(name);
  if (found == nullptr) return std::nullopt;
  switch (found->kind) {
    case ExternKind::Func: return Extern{found->kind, raw(instance.funcs[found->index])};
    case ExternKind::Table: return Extern{found->kind, raw(instance.tables[found->index])};
    case ExternKind::Memory: return Extern{found->kind, raw(instance.memories[found->index])};
    case ExternKind::Global: return Extern{found->kind, raw(instance.globals[found->index])};
    case ExternKind::Tag: return Extern{found->kind, raw(instance.tags[found->index])};
  }
  return std::nullopt;
}

std::string Store::function_name(FuncAddr function) const {
  const FuncInst& inst = (*this)[function];
  if (inst.is_host()) return inst.host.module + "." + inst.host.name;
  return inst.instance->module->function_name(inst.function_index);
}

uint64_t Store::max_pages(const MemInst& memory) const {
  // A 32-bit build cannot address all of a 4 GiB memory next to itself.
  const uint64_t bytes = std::min<uint64_t>(limits.max_memory, std::numeric_limits<size_t>::max());
  const uint64_t pages = std::min(chiwawa::max_pages(memory.type), bytes >> memory.type.page_exponent);
  return memory.type.limits.max ? std::min(pages, *memory.type.limits.max) : pages;
}

uint64_t Store::max_elements(const TableInst& table) const {
  return table.type.limits.max ? std::min(kMaxTableElements, *table.type.limits.max) : kMaxTableElements;
}

std::vector<uint32_t> Store::add_types(const Module& module) {
  std::vector<uint32_t> ids;
  while (ids.size() < module.types.size()) types.add_equal(module.types, static_cast<uint32_t>(ids.size()), ids);
  for (auto i = static_cast<uint32_t>(layouts.size()); i < types.size(); ++i) layouts.emplace_back(types[i]);
  return ids;
}

uint32_t Store::add_type(const FuncType& type) {
  TypeDef def;
  def.func = type;
  const auto added = static_cast<uint32_t>(types.size());
  types.add_group({def});
  layouts.emplace_back(types[added]);
  return types.canonical(added);
}

bool Store::has_type(uint64_t ref, ValType type) const {
  if (ref == kNullRef) return is_nullable(type);
  switch (types.top(type)) {
    case ValType::FuncRef:
      if (is_defined(type)) return types.matches(funcs[static_cast<size_t>(ref - 1)]->type_id, type_index(type));
      return nullable(type) == ValType::FuncRef;
    case ValType::AnyRef: break;
    default: return nullable(type) == types.top(type);
  }
  switch (nullable(type)) {
    case ValType::AnyRef: return true;
    case ValType::EqRef: return is_i31_ref(ref) || is_heap_ref(ref);
    case ValType::I31Ref: return is_i31_ref(ref);
    default: break;
  }
  if (!is_heap_ref(ref)) return false;
  const uint32_t id = heap.header(ref).type;
  if (is_defined(type)) return types.matches(id, type_index(type));
  if (nullable(type) == ValType::StructRef) return types.is(id, TypeDef::Kind::Struct);
  return nullable(type) == ValType::ArrayRef && types.is(id, TypeDef::Kind::Array);
}

bool RefChecker::is_object(uint64_t ref) {
  if (!listed_) store_.for_each_object([this](uint64_t object, ObjectHeader) { objects_.push_back(object); });
  listed_ = true;
  return std::binary_search(objects_.begin(), objects_.end(), ref);
}

bool RefChecker::is_valid(uint64_t ref, ValType type) {
  if (ref == kNullRef) return is_nullable(type);
  const ValType top = store_.types.top(type);
  if (top == ValType::FuncRef) {
    if (ref > store_.funcs.size()) return false;
  } else if (is_heap_ref(ref)) {
    if (!is_object(ref)) return false;
    if ((store_.heap.header(ref).type == kExceptionType) != (top == ValType::ExnRef)) return false;
  } else {
    if (top == ValType::ExnRef) return false;
    if (is_i31_ref(ref) ? ref != i31_ref(static_cast<uint32_t>(ref)) : (ref & kRefKind) != kHostRef) return false;
  }
  return store_.has_type(ref, type);
}

uint64_t Store::object_bytes(ObjectHeader header) const {
  if (header.type == kExceptionType) return uint64_t{slots_of(tags[header.length]->type.params)} * 8;
  return layouts[header.type].bytes_of(header.length);
}

void Store::mark_roots() {
  for (const auto& global : globals) {
    if (is_ref(global->type.type)) heap.mark(global->bits[0]);
  }
  for (const auto& table : tables) {
    for (const uint64_t ref : table->elements) heap.mark(ref);
  }
  for (const auto& elem : elems) {
    for (const uint64_t ref : elem->elements) heap.mark(ref);
  }
}

void Store::finish_collection() {
  heap.collect(
      this,
      [](const void* owner, ObjectHeader header) { return static_cast<const Store*>(owner)->object_bytes(header); },
      [](const void* owner, Heap& heap, ObjectHeader header, const uint8_t* fields) {
        static_cast<const Store*>(owner)->for_each_ref(header, [&](uint64_t offset) {
          uint64_t ref;
          std::memcpy(&ref, fields + offset, sizeof ref);
          heap.mark(ref);
        });
      });
}

}  // namespace chiwawa
