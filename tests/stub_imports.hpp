// What a module asks for, made up: for running modules that nobody wrote a host for.
#pragma once

#include "interp/module.hpp"
#include "interp/store.hpp"

namespace chiwawa::test {

/// Adds to the store what that import of the module asks for: a function that `make_function(import, type)` gives, an
/// empty table, a memory, a global with `value(type)`, a tag. A limit that is too large fails as in real life.
template <typename MakeFunction, typename ValueOf>
Result<Extern> add_stub_import(Store& store, const Module& module, const Import& import, MakeFunction make_function,
                               ValueOf value) {
  const std::vector<uint32_t> ids = store.add_types(module);
  switch (import.kind) {
    case ExternKind::Func: {
      const FuncType type = TypeSpace::renumber(module.function_type(import.index), ids);
      return Extern{ExternKind::Func, raw(store.add_host_function(make_function(import, type)))};
    }
    case ExternKind::Table: {
      TableType type = module.tables[import.index].type;
      type.element = TypeSpace::renumber(type.element, ids);
      const Result<TableAddr> table = store.add_table(type, kNullRef);
      if (!table) return table.error();
      return Extern{ExternKind::Table, raw(*table)};
    }
    case ExternKind::Memory: {
      const Result<MemAddr> memory = store.add_memory(module.memories[import.index]);
      if (!memory) return memory.error();
      return Extern{ExternKind::Memory, raw(*memory)};
    }
    case ExternKind::Global: {
      GlobalType type = module.globals[import.index].type;
      type.type = TypeSpace::renumber(type.type, ids);
      return Extern{ExternKind::Global, raw(store.add_global(type, value(type.type)))};
    }
    case ExternKind::Tag: return Extern{ExternKind::Tag, raw(store.add_tag(ids[module.tags[import.index].type_index]))};
  }
  return Error{Phase::Link, "unknown kind of import"};
}

}  // namespace chiwawa::test
