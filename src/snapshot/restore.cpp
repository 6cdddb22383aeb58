#include "snapshot/restore.hpp"

#include <string>
#include <vector>

#include "interp/instantiate.hpp"
#include "snapshot/apply_blocks.hpp"
#include "snapshot/chain.hpp"
#include "snapshot/container.hpp"
#include "snapshot/objects.hpp"

namespace chiwawa::snapshot {

namespace {

template <typename Addr>
std::vector<Addr> typed_addresses(const std::vector<uint32_t>& numbers) {
  std::vector<Addr> addresses;
  addresses.reserve(numbers.size());
  for (const uint32_t number : numbers) addresses.push_back(Addr{number});
  return addresses;
}

/// "environment.print [i32] -> []"
std::string describe_host(const HostFuncRecord& host) { return host.module + "." + host.name + " " + name(host.type); }

Result<std::vector<HostFunction>> resolve_hosts(const Records& records, HostResolver resolve) {
  std::vector<HostFunction> hosts;
  std::string missing;
  for (const HostFuncRecord& wanted : records.host_funcs) {
    std::optional<HostFunction> found = resolve(wanted.module, wanted.name, wanted.type);
    if (!found || found->type != wanted.type || found->call == nullptr) {
      missing += missing.empty() ? "" : ", ";
      missing += describe_host(wanted);
      if (missing.size() > 400) break;
      continue;
    }
    hosts.push_back(std::move(*found));
  }
  if (!missing.empty()) return damaged("the snapshot needs host functions that are not here: " + missing);
  return hosts;
}

/// Types as the modules declare them, by address. What an instance imports from the embedder has the type that it is
/// imported with; what nobody has, that of the records.
struct DeclaredTypes {
  std::vector<ValType> tables, globals, elems;
  std::vector<uint32_t> tags;  ///< in the store
};

DeclaredTypes declared_types(const Records& records, const Store& store) {
  DeclaredTypes types;
  for (const TableRecord& table : records.tables) types.tables.push_back(table.type.element);
  for (const GlobalInst& global : records.globals) types.globals.push_back(global.type.type);
  for (const ElemRecord& elem : records.elems) types.elems.push_back(elem.type);
  types.tags.resize(records.tags);
  for (const bool own : {false, true}) {
    for (size_t i = 0; i < records.instances.size(); ++i) {
      const InstanceRecord& record = records.instances[i];
      const Module& module = *store.instances[i]->module;
      const std::vector<uint32_t>& ids = store.instances[i]->type_ids;
      for (size_t n = own ? module.imported_tables : 0; n < record.tables.size(); ++n) {
        types.tables[record.tables[n]] = TypeSpace::renumber(module.tables[n].type.element, ids);
      }
      for (size_t n = own ? module.imported_globals : 0; n < record.globals.size(); ++n) {
        types.globals[record.globals[n]] = TypeSpace::renumber(module.globals[n].type.type, ids);
      }
      for (size_t n = 0; n < record.elems.size(); ++n) {
        types.elems[record.elems[n]] = TypeSpace::renumber(module.elems[n].type, ids);
      }
      for (size_t n = own ? module.imported_tags : 0; n < record.tags.size(); ++n) {
        types.tags[record.tags[n]] = ids[module.tags[n].type_index];
      }
    }
  }
  return types;
}

/// Whether every instance imports what its module asks for.
Result<void> check_all_imports(const Records& records, const Store& store) {
  for (size_t i = 0; i < store.instances.size(); ++i) {
    const InstanceRecord& record = records.instances[i];
    const Module& module = *store.instances[i]->module;
    std::vector<Extern> imports;
    for (const Import& import : module.imports) {
      const auto address = [&]() -> uint32_t {
        switch (import.kind) {
          case ExternKind::Func: return record.funcs[import.index];
          case ExternKind::Table: return record.tables[import.index];
          case ExternKind::Memory: return record.memories[import.index];
          case ExternKind::Global: return record.globals[import.index];
          case ExternKind::Tag: return record.tags[import.index];
        }
        return 0;
      };
      imports.push_back({import.kind, address()});
    }
    if (const Result<void> checked = check_imports(store, module, store.instances[i]->type_ids, imports); !checked) {
      return damaged("instances[" + std::to_string(i) + "]: " + checked.error().cause);
    }
  }
  return {};
}

/// Builds the store except for the memories' contents. Requires that check_store found nothing.
Result<std::unique_ptr<Store>> build(Records& records, std::span<const std::shared_ptr<const Module>> modules,
                                     std::vector<HostFunction> hosts, const RestoreOptions& options) {
  auto store = std::make_unique<Store>();
  store->limits = options.limits;
  store->compile_options = options.compile;

  std::vector<ByteRange> data_ranges(records.datas_dropped.size());
  std::vector<std::shared_ptr<const Module>> data_modules(records.datas_dropped.size());
  for (const InstanceRecord& record : records.instances) {
    const std::shared_ptr<const Module>& module = modules[record.module];
    store->add_instance(module, store->add_types(*module));
    for (size_t i = 0; i < record.datas.size(); ++i) {
      data_ranges[record.datas[i]] = module->datas[i].bytes;
      data_modules[record.datas[i]] = module;
    }
  }
  for (const FuncRecord& record : records.funcs) {
    if (record.instance == kHostInstance) {
      store->add_host_function(std::move(hosts[record.index]));
    } else {
      store->add_function(*store->instances[record.instance], record.index);
    }
  }
  const DeclaredTypes types = declared_types(records, *store);
  for (const uint32_t type : types.tags) store->add_tag(type);
  CHIWAWA_TRY(restore_objects(records, *store));
  for (size_t i = 0; i < records.tables.size(); ++i) {
    TableRecord& record = records.tables[i];
    record.type.element = types.tables[i];
    Result<TableAddr> table = store->add_table(record.type, kNullRef);
    if (!table) return table.error();
    (*store)[*table].elements = std::move(record.elements);
  }
  for (size_t i = 0; i < records.memories.size(); ++i) {
    const MemoryRecord& record = records.memories[i];
    const std::string what = "memory " + std::to_string(i) + " has " + std::to_string(record.pages) + " pages, ";
    if (const uint64_t most = options.limits.max_memory >> record.type.page_exponent; record.pages > most) {
      return damaged(what + "more than the " + std::to_string(most) + " allowed");
    }
    Result<MemAddr> memory = store->add_memory(record.type);
    if (!memory) return memory.error();
    if (!(*store)[*memory].grow_to(record.pages)) {
      return Error{Phase::Instantiate, what + "more than the host can give", Error::kNoOffset};
    }
  }
  for (size_t i = 0; i < records.globals.size(); ++i) {
    const GlobalInst& record = records.globals[i];
    store->add_global({types.globals[i], record.type.is_mutable}, record.bits[0], record.bits[1]);
  }
  for (size_t i = 0; i < records.elems.size(); ++i) {
    ElemRecord& record = records.elems[i];
    const ElemAddr elem = store->add_elem(types.elems[i], std::move(record.elements));
    (*store)[elem].dropped = record.dropped;
  }
  for (size_t i = 0; i < records.datas_dropped.size(); ++i) {
    const bool dropped = records.datas_dropped[i] != 0;
    const DataAddr data = store->add_data(data_modules[i], dropped ? ByteRange{} : data_ranges[i]);
    (*store)[data].dropped = dropped;
  }
  for (size_t i = 0; i < records.instances.size(); ++i) {
    const InstanceRecord& record = records.instances[i];
    Instance& instance = *store->instances[i];
    instance.funcs = typed_addresses<FuncAddr>(record.funcs);
    instance.tables = typed_addresses<TableAddr>(record.tables);
    instance.memories = typed_addresses<MemAddr>(record.memories);
    instance.globals = typed_addresses<GlobalAddr>(record.globals);
    instance.elems = typed_addresses<ElemAddr>(record.elems);
    instance.datas = typed_addresses<DataAddr>(record.datas);
    instance.tags = typed_addresses<TagAddr>(record.tags);
    store->build_cache(instance);
  }
  CHIWAWA_TRY(check_all_imports(records, *store));
  CHIWAWA_TRY(check_references(*store));
  return store;
}

Result<void> read_memories(Reader& reader, std::span<const Base> bases, Store& store) {
  std::vector<std::span<uint8_t>> memories;
  for (const auto& memory : store.memories) memories.push_back(memory->memory.bytes());
  CHIWAWA_TRY(read_bases(bases, memories));
  return read_blocks(reader, memories);
}

}  // namespace

Result<std::vector<std::shared_ptr<const Module>>> match_modules(
    const Records& records, std::span<const std::shared_ptr<const Module>> modules) {
  std::vector<Sha256> hashes;
  for (const auto& module : modules) hashes.push_back(sha256(module->bytes));
  std::vector<std::shared_ptr<const Module>> matched;
  for (const ModuleRecord& wanted : records.modules) {
    const std::shared_ptr<const Module>* found = nullptr;
    for (size_t i = 0; i < modules.size() && found == nullptr; ++i) {
      if (hashes[i] == wanted.sha256 && modules[i]->bytes.size() == wanted.size) found = &modules[i];
    }
    if (found != nullptr) {
      matched.push_back(*found);
      continue;
    }
    std::string cause = "the module given is not the one that was saved: the snapshot needs ";
    if (!wanted.name.empty()) cause += wanted.name + " with ";
    cause += "SHA-256 " + to_hex(wanted.sha256) + " (" + std::to_string(wanted.size) + " bytes), given";
    if (modules.empty()) cause += " is none";
    for (size_t i = 0; i < modules.size() && i < 8; ++i) {
      cause +=
          (i == 0 ? " is " : ", ") + to_hex(hashes[i]) + " (" + std::to_string(modules[i]->bytes.size()) + " bytes)";
    }
    return damaged(std::move(cause));
  }
  return matched;
}

Result<Restored> restore(Reader& reader, std::span<const std::shared_ptr<const Module>> modules, HostResolver resolve,
                         const RestoreOptions& options) {
  Records& records = reader.records();
  auto matched = match_modules(records, modules);
  if (!matched) return matched.error();
  CHIWAWA_TRY(check_store(records, *matched));
  const auto bases = find_bases(records, options.folder);
  if (!bases) return bases.error();
  auto hosts = resolve_hosts(records, resolve);
  if (!hosts) return hosts.error();
  auto store = build(records, *matched, std::move(*hosts), options);
  if (!store) return store.error();
  CHIWAWA_TRY(read_memories(reader, *bases, **store));
  return Restored{std::move(*store), std::move(records.machine), std::move(records.monitors)};
}

}  // namespace chiwawa::snapshot
