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

}  // namespace

FuncAddr Store::add_host_function(HostFunction function) {
  auto inst = std::make_unique<FuncInst>();
  inst->type = function.type;
  inst->type_id = type_id(function.type);
  inst->host = std::move(function);
  inst->code.function = static_cast<FuncAddr>(funcs.size());
  return append<FuncAddr>(funcs, std::move(inst));
}

FuncAddr Store::add_function(Instance& instance, uint32_t function_index) {
  auto inst = std::make_unique<FuncInst>();
  inst->type = instance.module->function_type(function_index);
  inst->type_id = type_id(inst->type);
  inst->instance = &instance;
  inst->function_index = function_index;
  inst->code.cells = &kCompileStub;
  inst->code.param_slots = slots_of(inst->type.params);
  inst->code.function = static_cast<FuncAddr>(funcs.size());
  inst->code.instance = &instance;
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

DataAddr Store::add_data(std::shared_ptr<const Module> module, ByteRange range) {
  return append<DataAddr>(datas, std::make_unique<DataInst>(DataInst{std::move(module), range, false}));
}

Instance& Store::add_instance(std::shared_ptr<const Module> module) {
  auto inst = std::make_unique<Instance>();
  inst->module = std::move(module);
  inst->number = static_cast<uint32_t>(instances.size());
  instances.push_back(std::move(inst));
  return *instances.back();
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
  cache.type_ids.clear();
  for (const FuncType& type : instance.module->types) cache.type_ids.push_back(type_id(type));
}

std::optional<Extern> Store::find_export(const Instance& instance, std::string_view name) const {
  const Export* const found = instance.module->find_export(name);
  if (found == nullptr) return std::nullopt;
  switch (found->kind) {
    case ExternKind::Func: return Extern{found->kind, raw(instance.funcs[found->index])};
    case ExternKind::Table: return Extern{found->kind, raw(instance.tables[found->index])};
    case ExternKind::Memory: return Extern{found->kind, raw(instance.memories[found->index])};
    case ExternKind::Global: return Extern{found->kind, raw(instance.globals[found->index])};
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

uint32_t Store::type_id(const FuncType& type) {
  std::string key;
  for (const ValType param : type.params) key.push_back(static_cast<char>(param));
  key.push_back('>');  // not the code of a value type
  for (const ValType result : type.results) key.push_back(static_cast<char>(result));
  return type_ids_.try_emplace(std::move(key), static_cast<uint32_t>(type_ids_.size())).first->second;
}

}  // namespace chiwawa
