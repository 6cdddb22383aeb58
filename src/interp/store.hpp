// Store: every function, table, memory, global and segment that exists at run time, by address.
// https://webassembly.github.io/spec/core/exec/runtime.html#store
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "interp/code.hpp"
#include "interp/host.hpp"
#include "interp/linear_memory.hpp"
#include "interp/module.hpp"
#include "interp/result.hpp"

namespace chiwawa {

/// A function instance: one that an instance's module defines, or one of the host's.
struct FuncInst {
  FuncType type;
  uint32_t type_id = 0;  ///< equal numbers mean equal types, in this store (call_indirect compares them)
  /// The defining instance (null for a host function) and the function's index in its module.
  Instance* instance = nullptr;
  uint32_t function_index = 0;
  HostFunction host;  ///< meaningful only when instance is null
  Code code;          ///< compiled at the first call; a cache, never saved

  bool is_host() const { return instance == nullptr; }
};

struct TableInst {
  TableType type;                  ///< limits.min is the size it was declared with, not the current one
  std::vector<uint64_t> elements;  ///< references
};

struct MemInst {
  MemoryType type;  ///< as above
  LinearMemory memory;

  uint64_t size_pages() const { return memory.size_bytes() >> type.page_exponent; }
  /// As LinearMemory::grow_to, in the type's pages. Requires pages <= max_pages(type).
  [[nodiscard]] bool grow_to(uint64_t pages) { return memory.grow_to(pages << type.page_exponent); }
};

struct GlobalInst {
  GlobalType type;
  std::array<uint64_t, 2> bits{};  ///< the second half is a vector's, otherwise 0

  Value value() const { return {type.type, bits[0], bits[1]}; }
};

/// A passive or not yet dropped element segment's references; empty after elem.drop.
struct ElemInst {
  ValType type = ValType::FuncRef;
  std::vector<uint64_t> elements;
  bool dropped = false;
};

/// A data segment: its bytes stay in the module.
struct DataInst {
  std::shared_ptr<const Module> module;
  ByteRange range;  ///< empty after data.drop
  bool dropped = false;
};

/// A module instance: which addresses its index spaces mean.
struct Instance {
  std::shared_ptr<const Module> module;
  uint32_t number = 0;  ///< its position in Store::instances
  std::vector<FuncAddr> funcs;
  std::vector<TableAddr> tables;
  std::vector<MemAddr> memories;
  std::vector<GlobalAddr> globals;
  std::vector<ElemAddr> elems;
  std::vector<DataAddr> datas;

  /// The same as pointers, for the executors; made by Store::build_cache.
  struct Cache {
    std::vector<Code*> codes;
    std::vector<TableInst*> tables;
    std::vector<MemInst*> memories;
    std::vector<uint64_t*> globals;  ///< the globals' bits
    std::vector<ElemInst*> elems;
    std::vector<DataInst*> datas;
    std::vector<uint32_t> type_ids;  ///< of the module's types
  } cache;
};

/// An import's or export's value.
struct Extern {
  ExternKind kind = ExternKind::Func;
  uint32_t address = 0;  ///< in the store's list of that kind
};

/// What the store's owner allows.
struct StoreLimits {
  /// A memory never grows beyond this many bytes, whatever its type says: memory.grow returns -1.
  uint64_t max_memory = kMostMemory;
};

/// Owns all run-time objects. Objects are never removed and never move; addresses are their positions.
class Store {
 public:
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  StoreLimits limits;
  GuestClock clock;                ///< set it before anything waits or is restored
  CompileOptions compile_options;  ///< for functions compiled from now on; set it before anything runs

  std::vector<std::unique_ptr<FuncInst>> funcs;
  std::vector<std::unique_ptr<TableInst>> tables;
  std::vector<std::unique_ptr<MemInst>> memories;
  std::vector<std::unique_ptr<GlobalInst>> globals;
  std::vector<std::unique_ptr<ElemInst>> elems;
  std::vector<std::unique_ptr<DataInst>> datas;
  std::vector<std::unique_ptr<Instance>> instances;

  FuncAddr add_host_function(HostFunction function);
  FuncAddr add_function(Instance& instance, uint32_t function_index);
  /// Fails (Phase::Instantiate) if the host has no memory for the minimum.
  Result<TableAddr> add_table(const TableType& type, uint64_t initial_ref);
  Result<MemAddr> add_memory(const MemoryType& type);
  GlobalAddr add_global(const GlobalType& type, uint64_t bits, uint64_t high = 0);
  ElemAddr add_elem(ValType type, std::vector<uint64_t> elements);
  DataAddr add_data(std::shared_ptr<const Module> module, ByteRange range);
  Instance& add_instance(std::shared_ptr<const Module> module);

  FuncInst& operator[](FuncAddr a) { return *funcs[raw(a)]; }
  TableInst& operator[](TableAddr a) { return *tables[raw(a)]; }
  MemInst& operator[](MemAddr a) { return *memories[raw(a)]; }
  GlobalInst& operator[](GlobalAddr a) { return *globals[raw(a)]; }
  ElemInst& operator[](ElemAddr a) { return *elems[raw(a)]; }
  DataInst& operator[](DataAddr a) { return *datas[raw(a)]; }
  const FuncInst& operator[](FuncAddr a) const { return *funcs[raw(a)]; }

  /// Makes instance.cache from its addresses; call it when they are complete.
  void build_cache(Instance& instance);
  /// The value of an export, or nothing.
  std::optional<Extern> find_export(const Instance& instance, std::string_view name) const;
  /// "name" for messages: the function's name in its module, or "module.field" for the host's.
  std::string function_name(FuncAddr function) const;

  /// The most pages that memory may have: by its type, by `limits`, by the architecture.
  uint64_t max_pages(const MemInst& memory) const;
  uint64_t max_elements(const TableInst& table) const;

 private:
  uint32_t type_id(const FuncType& type);
  std::unordered_map<std::string, uint32_t> type_ids_;  // by the type's spelling
};

}  // namespace chiwawa
