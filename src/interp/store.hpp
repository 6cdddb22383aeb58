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
#include "interp/heap.hpp"
#include "interp/host.hpp"
#include "interp/linear_memory.hpp"
#include "interp/module.hpp"
#include "interp/result.hpp"

namespace chiwawa {

class Instrumentation;

// Types of run-time objects are closed: where they refer to a defined type, it is by its number in Store::types.

/// A function instance: one that an instance's module defines, or one of the host's.
struct FuncInst {
  FuncType type;
  uint32_t type_id = 0;  ///< of the type in Store::types
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

/// A kind of exception. Two with equal types are different all the same.
struct TagInst {
  FuncType type;
  uint32_t type_id = 0;  ///< as above
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
  uint32_t number = 0;             ///< its position in Store::instances
  std::vector<uint32_t> type_ids;  ///< in Store::types, of the module's types
  std::vector<FuncAddr> funcs;
  std::vector<TableAddr> tables;
  std::vector<MemAddr> memories;
  std::vector<GlobalAddr> globals;
  std::vector<TagAddr> tags;
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
  } cache;
};

/// An import's or export's value.
struct Extern {
  ExternKind kind = ExternKind::Func;
  uint32_t address = 0;  ///< in the store's list of that kind
};

/// Bytes. What a snapshot can hold of a heap, too.
constexpr uint64_t kMostHeap = uint64_t{4} << 30;

/// What the store's owner allows.
struct StoreLimits {
  /// A memory never grows beyond this many bytes, whatever its type says: memory.grow returns -1.
  uint64_t max_memory = kMostMemory;
  /// Bytes. The heap of structs, arrays and exceptions never grows beyond this: the trap "heap exhausted".
  uint64_t max_heap = kMostHeap;
};

/// Owns all run-time objects. Objects are never removed and never move; addresses are their positions.
class Store {
 public:
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  StoreLimits limits;
  GuestClock clock;                            ///< set it before anything waits or is restored
  CompileOptions compile_options;              ///< for functions compiled from now on; set it before anything runs
  Instrumentation* instrumentation = nullptr;  ///< as compile_options; null: nobody watches

  std::vector<std::unique_ptr<FuncInst>> funcs;
  std::vector<std::unique_ptr<TableInst>> tables;
  std::vector<std::unique_ptr<MemInst>> memories;
  std::vector<std::unique_ptr<GlobalInst>> globals;
  std::vector<std::unique_ptr<TagInst>> tags;
  std::vector<std::unique_ptr<ElemInst>> elems;
  std::vector<std::unique_ptr<DataInst>> datas;
  std::vector<std::unique_ptr<Instance>> instances;
  TypeSpace types;                    ///< of all instances, equal ones once
  std::vector<ObjectLayout> layouts;  ///< by type
  Heap heap;

  FuncAddr add_host_function(HostFunction function);
  FuncAddr add_function(Instance& instance, uint32_t function_index);
  /// Fails (Phase::Instantiate) if the host has no memory for the minimum.
  Result<TableAddr> add_table(const TableType& type, uint64_t initial_ref);
  Result<MemAddr> add_memory(const MemoryType& type);
  GlobalAddr add_global(const GlobalType& type, uint64_t bits, uint64_t high = 0);
  ElemAddr add_elem(ValType type, std::vector<uint64_t> elements);
  TagAddr add_tag(uint32_t type_id);
  DataAddr add_data(std::shared_ptr<const Module> module, ByteRange range);
  /// `type_ids` are what add_types has returned for the module.
  Instance& add_instance(std::shared_ptr<const Module> module, std::vector<uint32_t> type_ids);
  /// The number of each of the module's types in `types`. The module must be valid.
  std::vector<uint32_t> add_types(const Module& module);
  /// The number of a function type whose references are closed.
  uint32_t add_type(const FuncType& type);

  FuncInst& operator[](FuncAddr a) { return *funcs[raw(a)]; }
  TableInst& operator[](TableAddr a) { return *tables[raw(a)]; }
  MemInst& operator[](MemAddr a) { return *memories[raw(a)]; }
  TagInst& operator[](TagAddr a) { return *tags[raw(a)]; }
  const TagInst& operator[](TagAddr a) const { return *tags[raw(a)]; }
  GlobalInst& operator[](GlobalAddr a) { return *globals[raw(a)]; }
  ElemInst& operator[](ElemAddr a) { return *elems[raw(a)]; }
  DataInst& operator[](DataAddr a) { return *datas[raw(a)]; }
  const FuncInst& operator[](FuncAddr a) const { return *funcs[raw(a)]; }

  /// Functions will be compiled again, when they are called next. Nothing may be running.
  void forget_code();
  /// Makes instance.cache from its addresses; call it when they are complete.
  void build_cache(Instance& instance);
  /// The value of an export, or nothing.
  std::optional<Extern> find_export(const Instance& instance, std::string_view name) const;
  /// "name" for messages: the function's name in its module, or "module.field" for the host's.
  std::string function_name(FuncAddr function) const;

  /// The most pages that memory may have: by its type, by `limits`, by the architecture.
  uint64_t max_pages(const MemInst& memory) const;
  uint64_t max_elements(const TableInst& table) const;

  /// Whether the reference is a value of the closed type. It must be one of that type's hierarchy.
  bool has_type(uint64_t ref, ValType type) const;
  /// A new object with zero fields, of a type or tag that exists; 0 if a collection is due or there is no memory.
  uint64_t new_object(ObjectHeader header) { return heap.allocate(header, object_bytes(header), limits.max_heap); }
  /// The same, but 0 only if there is no memory.
  uint64_t new_object_at_once(ObjectHeader header) {
    return heap.allocate_at_once(header, object_bytes(header), limits.max_heap);
  }
  /// The bytes of an object's fields.
  uint64_t object_bytes(ObjectHeader header) const;
  /// Calls f(reference, header) for every object in the heap, also those that nobody refers to, by address.
  template <typename F>
  void for_each_object(F f) const {
    heap.for_each([this](ObjectHeader header) { return object_bytes(header); }, f);
  }
  /// Calls f(offset of a reference in the object's fields) for each.
  template <typename F>
  void for_each_ref(ObjectHeader header, F f) const {
    if (header.type == kExceptionType) {
      uint32_t slot = 0;
      for (const ValType type : tags[header.length]->type.params) {
        if (is_ref(type)) f(slot * uint64_t{8});
        slot += slots_of(type);
      }
      return;
    }
    const ObjectLayout& layout = layouts[header.type];
    if (!layout.has_refs()) return;
    if (layout.kind == TypeDef::Kind::Array) {
      for (uint64_t i = 0; i < header.length; ++i) f(i * layout.bytes);
    } else {
      for (const uint32_t offset : layout.ref_offsets) f(uint64_t{offset});
    }
  }
  /// Finds what is unreachable in the heap. `mark_more` marks what the machine refers to.
  template <typename F>
  void collect(F mark_more) {
    mark_roots();
    mark_more();
    finish_collection();
  }

 private:
  void mark_roots();
  void finish_collection();
};

/// Tells references that somebody made up from those that can be. The store must not change meanwhile.
class RefChecker {
 public:
  explicit RefChecker(const Store& store) : store_(store) {}
  /// Whether it is a reference of the closed type, to something that exists.
  bool is_valid(uint64_t ref, ValType type);

 private:
  bool is_object(uint64_t ref);

  const Store& store_;
  bool listed_ = false;
  std::vector<uint64_t> objects_;  ///< references, ascending
};

}  // namespace chiwawa
