#include "snapshot/write.hpp"

#include <algorithm>

#include "snapshot/container.hpp"
#include "snapshot/format.hpp"
#include "snapshot/objects.hpp"
#include "snapshot_generated.h"

namespace chiwawa::snapshot {

namespace {

template <typename Addr>
std::vector<uint32_t> raw_addresses(const std::vector<Addr>& addresses) {
  std::vector<uint32_t> numbers;
  numbers.reserve(addresses.size());
  for (const Addr address : addresses) numbers.push_back(raw(address));
  return numbers;
}

Result<void> write_modules(ContainerWriter& container, const Records& records, ModuleBytes bytes) {
  for (uint32_t m = 0; m < records.modules.size(); ++m) {
    if (!records.modules[m].embedded) continue;
    const std::span<const uint8_t> module = bytes(m);
    for (size_t at = 0; at < module.size(); at += kModulePartSize) {
      const auto part = module.subspan(at, std::min<size_t>(kModulePartSize, module.size() - at));
      flatbuffers::FlatBufferBuilder fbb(part.size() + 128);
      const auto vector = fbb.CreateVector(part.data(), part.size());
      fbb.FinishSizePrefixed(schema::CreateModulePart(fbb, m, vector), kModulePartIdentifier);
      CHIWAWA_TRY(container.frame(FrameKind::ModulePart, {fbb.GetBufferPointer(), fbb.GetSize()}, kStateLevel));
    }
  }
  return {};
}

}  // namespace

Result<void> write_objects(ContainerWriter& container, const HeapRecord& heap) {
  if (uint64_t{heap.bytes.size()} > kMaxHeap) {
    return damaged("the heap has objects of " + std::to_string(heap.bytes.size()) + " bytes, more than the " +
                   std::to_string(kMaxHeap) + " that a snapshot can hold");
  }
  size_t object = 0, byte = 0;
  while (object < heap.objects.size() || byte < heap.bytes.size()) {
    const size_t objects = std::min<size_t>(kObjectPartObjects, heap.objects.size() - object);
    const size_t bytes = std::min<size_t>(kObjectPartBytes, heap.bytes.size() - byte);
    flatbuffers::FlatBufferBuilder fbb(objects * sizeof(schema::Object) + bytes + 128);
    std::vector<schema::Object> list;
    list.reserve(objects);
    for (size_t i = object; i < object + objects; ++i) list.emplace_back(heap.objects[i].type, heap.objects[i].length);
    // Empty vectors are left out, as everywhere.
    const auto list_offset = objects == 0 ? 0 : fbb.CreateVectorOfStructs(list);
    const auto bytes_offset = bytes == 0 ? 0 : fbb.CreateVector(heap.bytes.data() + byte, bytes);
    fbb.FinishSizePrefixed(schema::CreateObjectPart(fbb, list_offset, bytes_offset), kObjectPartIdentifier);
    CHIWAWA_TRY(container.frame(FrameKind::ObjectPart, {fbb.GetBufferPointer(), fbb.GetSize()}, kStateLevel));
    object += objects;
    byte += bytes;
  }
  return {};
}

Records collect(const Store& store, MachineImage machine, std::optional<wasi::State> wasi,
                const WriteOptions& options) {
  Records records;
  std::vector<const Module*> seen;  // by position in `modules`, as far as pointers tell modules apart
  std::vector<uint32_t> seen_as;
  for (const auto& instance : store.instances) {
    const Module* const module = instance->module.get();
    const auto found = std::find(seen.begin(), seen.end(), module);
    uint32_t number;
    if (found != seen.end()) {
      number = seen_as[static_cast<size_t>(found - seen.begin())];
    } else {
      ModuleRecord record{sha256(module->bytes), module->bytes.size(), {}};
      if (instance->number < options.module_names.size()) record.name = options.module_names[instance->number];
      const auto same = std::find_if(records.modules.begin(), records.modules.end(),
                                     [&](const ModuleRecord& m) { return m.sha256 == record.sha256; });
      number = static_cast<uint32_t>(same - records.modules.begin());
      if (same == records.modules.end()) records.modules.push_back(std::move(record));
      seen.push_back(module);
      seen_as.push_back(number);
    }
    records.instances.push_back({number, raw_addresses(instance->funcs), raw_addresses(instance->tables),
                                 raw_addresses(instance->memories), raw_addresses(instance->globals),
                                 raw_addresses(instance->elems), raw_addresses(instance->datas),
                                 raw_addresses(instance->tags)});
  }
  for (const auto& func : store.funcs) {
    if (func->is_host()) {
      records.funcs.push_back({kHostInstance, static_cast<uint32_t>(records.host_funcs.size())});
      records.host_funcs.push_back({func->host.module, func->host.name, store.types.top(func->type)});
    } else {
      records.funcs.push_back({func->instance->number, func->function_index});
    }
  }
  for (const auto& table : store.tables) {
    records.tables.push_back({table->type, table->elements});
    records.tables.back().type.element = store.types.top(table->type.element);
  }
  for (const auto& memory : store.memories) records.memories.push_back({memory->type, memory->size_pages()});
  for (const auto& global : store.globals) {
    records.globals.push_back(*global);
    records.globals.back().type.type = store.types.top(global->type.type);
  }
  for (const auto& elem : store.elems) {
    records.elems.push_back({store.types.top(elem->type), elem->dropped, elem->elements});
  }
  for (const auto& data : store.datas) records.datas_dropped.push_back(data->dropped ? 1 : 0);
  records.tags = static_cast<uint32_t>(store.tags.size());
  records.machine = std::move(machine);
  records.wasi = std::move(wasi);
  if (options.base != nullptr) records.base = options.base->record();
  records.deterministic = options.deterministic;
  records.monitors = options.monitors;
  std::ranges::sort(records.monitors, {}, &MonitorState::name);
  collect_objects(store, records);
  return records;
}

Result<void> write_records(Sink& sink, const Records& records, MemoryBytes memory, std::string_view writer,
                           const FileParts& parts) {
  if (parts.base != nullptr) CHIWAWA_TRY(parts.base->check(records));
  ContainerWriter container(sink);
  CHIWAWA_TRY(container.header({kMajor, kMinor, 0, parts.time, std::string(writer)}));
  {
    Result<std::vector<uint8_t>> state = encode_state(records);
    if (!state) return state.error();
    CHIWAWA_TRY(container.frame(FrameKind::State, *state, kStateLevel));
  }
  CHIWAWA_TRY(write_objects(container, records.heap));
  CHIWAWA_TRY(write_modules(container, records, parts.module));
  std::vector<std::span<const uint8_t>> memories;
  for (uint32_t m = 0; m < records.memories.size(); ++m) memories.push_back(memory(m));
  CHIWAWA_TRY(write_blocks(container, memories, parts.base));
  return container.trailer();
}

Result<void> write_records(Sink& sink, const Records& records, MemoryBytes memory, std::string_view writer) {
  const auto none = [](uint32_t) { return std::span<const uint8_t>(); };
  return write_records(sink, records, memory, writer, {none});
}

Result<void> write(Sink& sink, const Store& store, MachineImage machine, std::optional<wasi::State> wasi,
                   const WriteOptions& options) {
  // Vectors cannot report a lack of memory; asking beforehand finds it in time.
  const uint64_t heap = store.heap.used_bytes();
  if (Buffer probe; heap != 0 && (heap > SIZE_MAX / 2 || !probe.allocate(static_cast<size_t>(heap * 2)))) {
    return Error{Phase::Io, "out of memory for the heap's objects", Error::kNoOffset};
  }
  Records records = collect(store, std::move(machine), std::move(wasi), options);
  const auto memory = [&](uint32_t address) -> std::span<const uint8_t> {
    return std::as_const(*store.memories[address]).memory.bytes();
  };
  const auto module = [&](uint32_t number) -> std::span<const uint8_t> {
    for (size_t i = 0; i < records.instances.size(); ++i) {
      if (records.instances[i].module == number) return store.instances[i]->module->bytes;
    }
    return {};
  };
  if (options.embed_modules) {
    uint64_t size = 0;
    for (ModuleRecord& record : records.modules) {
      record.embedded = true;
      size += record.size;
    }
    if (size > kMaxModules) {
      return damaged("the modules have " + std::to_string(size) + " bytes, more than the " +
                     std::to_string(kMaxModules) + " that a snapshot can hold");
    }
  }
#ifdef CHIWAWA_VERSION
  constexpr std::string_view kWriter = "chiwawa " CHIWAWA_VERSION;
#else
  constexpr std::string_view kWriter = "chiwawa";
#endif
  return write_records(sink, records, memory, options.writer.empty() ? kWriter : std::string_view(options.writer),
                       {module, options.time, options.base});
}

}  // namespace chiwawa::snapshot
