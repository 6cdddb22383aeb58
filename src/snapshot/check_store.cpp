// Are the saved store's lists what instances of these modules could have?
#include <string>
#include <vector>

#include "snapshot/container.hpp"
#include "snapshot/restore.hpp"

namespace chiwawa::snapshot {

namespace {

bool limits_match(const Limits& actual, uint64_t size, const Limits& wanted) {
  // Import matching looks at the size at the time of the import, which can only have grown since.
  return size >= wanted.min && (!wanted.max || (actual.max && *actual.max <= *wanted.max));
}

class StoreChecker {
 public:
  StoreChecker(const Records& records, std::span<const std::shared_ptr<const Module>> modules)
      : records_(records),
        modules_(modules),
        owned_tables_(records.tables.size()),
        owned_memories_(records.memories.size()),
        owned_globals_(records.globals.size()),
        owned_elems_(records.elems.size()),
        owned_datas_(records.datas_dropped.size()),
        owned_tags_(records.tags),
        known_tags_(records.tags) {}

  Result<void> check() {
    for (size_t i = 0; i < records_.funcs.size(); ++i) {
      const FuncRecord& func = records_.funcs[i];
      if (func.instance == kHostInstance) continue;
      const InstanceRecord& instance = records_.instances[func.instance];
      const Module& module = *modules_[instance.module];
      if (func.index < module.imported_functions || func.index >= module.functions.size() ||
          func.index >= instance.funcs.size() || instance.funcs[func.index] != i) {
        return damaged("funcs[" + std::to_string(i) + "] is function " + std::to_string(func.index) + " of instance " +
                       std::to_string(func.instance) + ", which says otherwise");
      }
    }
    for (size_t i = 0; i < records_.instances.size(); ++i) {
      const InstanceRecord& instance = records_.instances[i];
      CHIWAWA_TRY(check_instance(static_cast<uint32_t>(i), instance, *modules_[instance.module]));
    }
    // Its type would not be known.
    for (size_t i = 0; i < known_tags_.size(); ++i) {
      if (!known_tags_[i]) return damaged("no instance has the tag " + std::to_string(i));
    }
    return {};
  }

 private:
  Error differs(uint32_t instance, const char* list, size_t i) const {
    return damaged("instances[" + std::to_string(instance) + "]." + list + "[" + std::to_string(i) +
                   "] differs from what the module declares");
  }

  Error twice(uint32_t instance, const char* list, size_t i) const {
    return damaged("instances[" + std::to_string(instance) + "]." + list + "[" + std::to_string(i) +
                   "] belongs to another instance already");
  }

  Result<void> count(uint32_t instance, const char* list, size_t is, size_t declared) const {
    if (is == declared) return {};
    return damaged("instances[" + std::to_string(instance) + "] has " + std::to_string(is) + " " + list +
                   ", the module declares " + std::to_string(declared));
  }

  static bool claim(std::vector<bool>& owned, uint32_t address) {
    if (owned[address]) return false;
    owned[address] = true;
    return true;
  }

  // Types of references are compared by their hierarchies: that is all that the records say. What is exact is for
  // check_imports and check_references, when there is a store.

  static FuncType declared_type(const Module& module, uint32_t function_index) {
    return module.types.top(module.function_type(function_index));
  }

  FuncType type_of(uint32_t func) const {
    const FuncRecord& record = records_.funcs[func];
    if (record.instance == kHostInstance) return records_.host_funcs[record.index].type;
    return declared_type(*modules_[records_.instances[record.instance].module], record.index);
  }

  Result<void> check_instance(uint32_t number, const InstanceRecord& instance, const Module& module) {
    CHIWAWA_TRY(count(number, "funcs", instance.funcs.size(), module.functions.size()));
    CHIWAWA_TRY(count(number, "tables", instance.tables.size(), module.tables.size()));
    CHIWAWA_TRY(count(number, "memories", instance.memories.size(), module.memories.size()));
    CHIWAWA_TRY(count(number, "globals", instance.globals.size(), module.globals.size()));
    CHIWAWA_TRY(count(number, "elems", instance.elems.size(), module.elems.size()));
    CHIWAWA_TRY(count(number, "datas", instance.datas.size(), module.datas.size()));
    CHIWAWA_TRY(count(number, "tags", instance.tags.size(), module.tags.size()));

    for (uint32_t i = 0; i < instance.funcs.size(); ++i) {
      const uint32_t address = instance.funcs[i];
      if (type_of(address) != declared_type(module, i)) return differs(number, "funcs", i);
      if (i >= module.imported_functions && records_.funcs[address] != FuncRecord{number, i}) {
        return differs(number, "funcs", i);
      }
    }
    for (uint32_t i = 0; i < instance.tables.size(); ++i) {
      const TableRecord& table = records_.tables[instance.tables[i]];
      TableType declared = module.tables[i].type;
      declared.element = module.types.top(declared.element);
      if (i < module.imported_tables) {
        if (table.type.element != declared.element || table.type.address != declared.address ||
            !limits_match(table.type.limits, table.elements.size(), declared.limits)) {
          return differs(number, "tables", i);
        }
      } else {
        if (table.type != declared) return differs(number, "tables", i);
        if (!claim(owned_tables_, instance.tables[i])) return twice(number, "tables", i);
      }
    }
    for (uint32_t i = 0; i < instance.memories.size(); ++i) {
      const MemoryRecord& memory = records_.memories[instance.memories[i]];
      const MemoryType& declared = module.memories[i];
      if (i < module.imported_memories) {
        if (!same_kind(memory.type, declared) || !limits_match(memory.type.limits, memory.pages, declared.limits)) {
          return differs(number, "memories", i);
        }
      } else {
        if (memory.type != declared) return differs(number, "memories", i);
        if (!claim(owned_memories_, instance.memories[i])) return twice(number, "memories", i);
      }
    }
    for (uint32_t i = 0; i < instance.globals.size(); ++i) {
      const uint32_t address = instance.globals[i];
      GlobalType declared = module.globals[i].type;
      declared.type = module.types.top(declared.type);
      if (records_.globals[address].type != declared) return differs(number, "globals", i);
      if (i >= module.imported_globals && !claim(owned_globals_, address)) return twice(number, "globals", i);
    }
    for (uint32_t i = 0; i < instance.elems.size(); ++i) {
      const ElemRecord& elem = records_.elems[instance.elems[i]];
      const ElemSegment& declared = module.elems[i];
      if (elem.type != module.types.top(declared.type) || (!elem.dropped && elem.elements.size() != declared.size())) {
        return differs(number, "elems", i);
      }
      if (!claim(owned_elems_, instance.elems[i])) return twice(number, "elems", i);
    }
    for (uint32_t i = 0; i < instance.tags.size(); ++i) {
      known_tags_[instance.tags[i]] = true;
      if (i >= module.imported_tags && !claim(owned_tags_, instance.tags[i])) return twice(number, "tags", i);
    }
    for (uint32_t i = 0; i < instance.datas.size(); ++i) {
      if (!claim(owned_datas_, instance.datas[i])) return twice(number, "datas", i);
    }
    return {};
  }

  const Records& records_;
  std::span<const std::shared_ptr<const Module>> modules_;
  std::vector<bool> owned_tables_, owned_memories_, owned_globals_, owned_elems_, owned_datas_, owned_tags_,
      known_tags_;
};

}  // namespace

Result<void> check_store(const Records& records, std::span<const std::shared_ptr<const Module>> modules) {
  return StoreChecker(records, modules).check();
}

}  // namespace chiwawa::snapshot
