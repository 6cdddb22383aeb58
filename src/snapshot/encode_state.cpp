#include "snapshot/write.hpp"

#include <algorithm>
#include <cstring>

#include "snapshot/container.hpp"
#include "snapshot/format.hpp"
#include "snapshot_generated.h"

namespace chiwawa::snapshot {

namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using flatbuffers::Vector;

// Empty vectors and strings are left out: there is only one way to write them.

/// A vector filled with what at(i) returns.
template <typename T, typename At>
Offset<Vector<T>> scalars(FlatBufferBuilder& fbb, size_t count, At at) {
  if (count == 0) return 0;
  T* data = nullptr;
  const Offset<Vector<T>> offset = fbb.CreateUninitializedVector(count, &data);
  for (size_t i = 0; i < count; ++i) flatbuffers::WriteScalar(data + i, at(i));
  return offset;
}

template <typename T, typename At>
Offset<Vector<const T*>> structs(FlatBufferBuilder& fbb, size_t count, At at) {
  if (count == 0) return 0;
  T* data = nullptr;
  const Offset<Vector<const T*>> offset = fbb.CreateUninitializedVectorOfStructs(count, &data);
  for (size_t i = 0; i < count; ++i) {
    const T value = at(i);
    std::memcpy(static_cast<void*>(data + i), &value, sizeof value);
  }
  return offset;
}

Offset<Vector<uint32_t>> numbers(FlatBufferBuilder& fbb, const std::vector<uint32_t>& v) {
  return scalars<uint32_t>(fbb, v.size(), [&](size_t i) { return v[i]; });
}

Offset<Vector<uint64_t>> numbers(FlatBufferBuilder& fbb, const std::vector<uint64_t>& v) {
  return scalars<uint64_t>(fbb, v.size(), [&](size_t i) { return v[i]; });
}

Offset<Vector<uint8_t>> numbers(FlatBufferBuilder& fbb, const std::vector<uint8_t>& v) {
  return v.empty() ? Offset<Vector<uint8_t>>(0) : fbb.CreateVector(v);
}

Offset<Vector<schema::ValType>> types(FlatBufferBuilder& fbb, const std::vector<ValType>& v) {
  return scalars<schema::ValType>(fbb, v.size(), [&](size_t i) { return static_cast<schema::ValType>(v[i]); });
}

Offset<Vector<schema::ValType>> value_types(FlatBufferBuilder& fbb, const std::vector<Value>& v) {
  return scalars<schema::ValType>(fbb, v.size(), [&](size_t i) { return static_cast<schema::ValType>(v[i].type); });
}

Offset<Vector<uint64_t>> value_bits(FlatBufferBuilder& fbb, const std::vector<Value>& v) {
  std::vector<uint64_t> bits;
  bits.reserve(v.size());
  for (const Value& value : v) {
    bits.push_back(value.bits);
    if (is_vec(value.type)) bits.push_back(value.high);
  }
  return numbers(fbb, bits);
}

Offset<flatbuffers::String> text(FlatBufferBuilder& fbb, const std::string& s) {
  return s.empty() ? Offset<flatbuffers::String>(0) : fbb.CreateString(s);
}

Offset<Vector<Offset<flatbuffers::String>>> texts(FlatBufferBuilder& fbb, const std::vector<std::string>& v) {
  if (v.empty()) return 0;
  std::vector<Offset<flatbuffers::String>> offsets;
  for (const std::string& s : v) offsets.push_back(fbb.CreateString(s));
  return fbb.CreateVector(offsets);
}

/// A vector of tables, each made by `make(record)`.
template <typename T, typename Record, typename Make>
Offset<Vector<Offset<T>>> tables(FlatBufferBuilder& fbb, const std::vector<Record>& records, Make make) {
  if (records.empty()) return 0;
  std::vector<Offset<T>> offsets;
  offsets.reserve(records.size());
  for (const Record& record : records) offsets.push_back(make(record));
  return fbb.CreateVector(offsets);
}

Offset<schema::Instance> encode(FlatBufferBuilder& fbb, const InstanceRecord& r) {
  const auto funcs = numbers(fbb, r.funcs);
  const auto tables_ = numbers(fbb, r.tables);
  const auto memories = numbers(fbb, r.memories);
  const auto globals = numbers(fbb, r.globals);
  const auto elems = numbers(fbb, r.elems);
  const auto datas = numbers(fbb, r.datas);
  const auto tags = numbers(fbb, r.tags);
  return schema::CreateInstance(fbb, r.module, funcs, tables_, memories, globals, elems, datas, tags);
}

Offset<schema::Machine> encode(FlatBufferBuilder& fbb, const MachineImage& m) {
  const auto frames = structs<schema::Frame>(fbb, m.frames.size(), [&](size_t i) {
    const FrameImage& f = m.frames[i];
    return schema::Frame(raw(f.function), f.position, f.local_count, f.operand_count);
  });
  const auto vtypes = value_types(fbb, m.values);
  const auto vbits = value_bits(fbb, m.values);
  Offset<schema::PendingCall> pending = 0;
  if (m.pending) {
    const auto arg_types = value_types(fbb, m.pending->args);
    const auto arg_bits = value_bits(fbb, m.pending->args);
    pending = schema::CreatePendingCall(fbb, raw(m.pending->function), arg_types, arg_bits);
  }
  Offset<schema::NextCall> next = 0;
  if (m.next) {
    const auto arg_types = value_types(fbb, m.next->args);
    const auto arg_bits = value_bits(fbb, m.next->args);
    next = schema::CreateNextCall(fbb, raw(m.next->function), arg_types, arg_bits);
  }
  return schema::CreateMachine(fbb, frames, vtypes, vbits, pending, raw(m.entry), m.steps, next, m.waited);
}

Offset<schema::Descriptor> encode(FlatBufferBuilder& fbb, const wasi::DescriptorRecord& d) {
  const auto preopen = text(fbb, d.preopen);
  const auto path = text(fbb, d.path);
  const auto address = text(fbb, d.address);
  return schema::CreateDescriptor(fbb, d.number, static_cast<schema::DescriptorKind>(d.kind), d.rights_base,
                                  d.rights_inheriting, d.fdflags, preopen, path, d.offset, d.size, d.mtime, d.device,
                                  d.inode, d.removed_file, d.elsewhere, d.listener, address);
}

Offset<schema::Wasi> encode(FlatBufferBuilder& fbb, const wasi::State& w) {
  const auto args = texts(fbb, w.args);
  const auto environ_ = texts(fbb, w.environ);
  const auto descriptors =
      tables<schema::Descriptor>(fbb, w.descriptors, [&](const auto& d) { return encode(fbb, d); });
  const Offset<schema::Sleep> sleep = w.sleep ? schema::CreateSleep(fbb, w.sleep->elapsed) : Offset<schema::Sleep>(0);
  const auto removed_files = tables<schema::RemovedFile>(
      fbb, w.removed_files, [&](const auto& content) { return schema::CreateRemovedFile(fbb, numbers(fbb, content)); });
  return schema::CreateWasi(fbb, args, environ_, descriptors, w.monotonic, sleep, removed_files, w.random);
}

/// About how many bytes the state takes, never too few.
uint64_t estimate(const Records& r) {
  uint64_t size = 4096 + r.funcs.size() * 8 + r.globals.size() * 16 + r.datas_dropped.size() +
                  r.machine.frames.size() * 16 + r.machine.values.size() * 17 + r.heap.types.size() * 8;
  if (r.base) size += r.base->name.size();
  for (const ModuleRecord& m : r.modules) size += 128 + m.name.size();
  for (const InstanceRecord& i : r.instances) {
    size += 128 + 4 * (i.funcs.size() + i.tables.size() + i.memories.size() + i.globals.size() + i.elems.size() +
                       i.datas.size() + i.tags.size());
  }
  for (const HostFuncRecord& h : r.host_funcs) {
    size += 96 + h.module.size() + h.name.size() + h.type.params.size() + h.type.results.size();
  }
  for (const TableRecord& t : r.tables) size += 64 + 8 * t.elements.size();
  for (const ElemRecord& e : r.elems) size += 64 + 8 * e.elements.size();
  size += r.memories.size() * 64;
  if (r.machine.pending) size += 64 + 9 * r.machine.pending->args.size();
  if (r.machine.next) size += 64 + 9 * r.machine.next->args.size();
  if (r.wasi) {
    for (const std::string& s : r.wasi->args) size += 16 + s.size();
    for (const std::string& s : r.wasi->environ) size += 16 + s.size();
    for (const wasi::DescriptorRecord& d : r.wasi->descriptors) {
      size += 192 + d.preopen.size() + d.path.size() + d.address.size();
    }
    for (const std::vector<uint8_t>& content : r.wasi->removed_files) size += 32 + content.size();
  }
  for (const MonitorState& m : r.monitors) size += 64 + m.name.size() + m.bytes.size();
  return size;
}

}  // namespace

Result<std::vector<uint8_t>> encode_state(const Records& r) {
  const uint64_t size = estimate(r);
  if (size > kMaxState) {
    return damaged("the state without memory contents takes " + std::to_string(size) + " bytes, more than the " +
                   std::to_string(kMaxState) + " that a snapshot can hold");
  }
  // FlatBufferBuilder cannot report a lack of memory; asking beforehand finds it in time.
  if (Buffer probe; !probe.allocate(static_cast<size_t>(size) * 2)) {
    return Error{Phase::Io, "out of memory for " + std::to_string(size) + " bytes of state", Error::kNoOffset};
  }
  FlatBufferBuilder fbb(static_cast<size_t>(size));

  const auto modules = tables<schema::Module>(fbb, r.modules, [&](const ModuleRecord& m) {
    const auto sha = fbb.CreateVector(m.sha256.data(), m.sha256.size());
    const auto name = text(fbb, m.name);
    return schema::CreateModule(fbb, sha, m.size, name, m.embedded);
  });
  const auto instances = tables<schema::Instance>(fbb, r.instances, [&](const auto& i) { return encode(fbb, i); });
  const auto funcs = structs<schema::Func>(
      fbb, r.funcs.size(), [&](size_t i) { return schema::Func(r.funcs[i].instance, r.funcs[i].index); });
  const auto host_funcs = tables<schema::HostFunc>(fbb, r.host_funcs, [&](const HostFuncRecord& h) {
    const auto module = fbb.CreateString(h.module);
    const auto name = fbb.CreateString(h.name);
    const auto params = types(fbb, h.type.params);
    const auto results = types(fbb, h.type.results);
    return schema::CreateHostFunc(fbb, module, name, params, results);
  });
  const auto tables_ = tables<schema::TableInstance>(fbb, r.tables, [&](const TableRecord& t) {
    const auto elements = numbers(fbb, t.elements);
    return schema::CreateTableInstance(fbb, static_cast<schema::ValType>(t.type.element), t.type.limits.min,
                                       t.type.limits.max, elements, static_cast<schema::ValType>(t.type.address));
  });
  const auto memories = tables<schema::Memory>(fbb, r.memories, [&](const MemoryRecord& m) {
    return schema::CreateMemory(fbb, m.type.limits.min, m.type.limits.max, m.pages,
                                static_cast<schema::ValType>(m.type.address), m.type.page_exponent, m.type.is_shared);
  });
  const auto globals = structs<schema::Global>(fbb, r.globals.size(), [&](size_t i) {
    const GlobalInst& g = r.globals[i];
    return schema::Global(g.bits[0], static_cast<schema::ValType>(g.type.type), g.type.is_mutable);
  });
  const auto elems = tables<schema::Elem>(fbb, r.elems, [&](const ElemRecord& e) {
    const auto elements = numbers(fbb, e.elements);
    return schema::CreateElem(fbb, static_cast<schema::ValType>(e.type), e.dropped, elements);
  });
  const auto datas = scalars<uint8_t>(fbb, r.datas_dropped.size(), [&](size_t i) { return r.datas_dropped[i]; });
  const auto machine = encode(fbb, r.machine);
  const Offset<schema::Wasi> wasi = r.wasi ? encode(fbb, *r.wasi) : Offset<schema::Wasi>(0);
  std::vector<std::string> features;
  if (r.base) features.emplace_back(kFeatureBase);
  if (!r.heap.objects.empty()) features.emplace_back(kFeatureObjects);
  if (r.deterministic) features.emplace_back(kFeatureDeterministic);
  const auto has_custom_pages = [](const MemoryRecord& m) { return m.type.page_exponent != kPageSizeExponent; };
  if (std::any_of(r.memories.begin(), r.memories.end(), has_custom_pages)) {
    features.emplace_back(kFeatureCustomPageSizes);
  }
  const auto is_shared = [](const MemoryRecord& m) { return m.type.is_shared; };
  if (std::any_of(r.memories.begin(), r.memories.end(), is_shared)) features.emplace_back(kFeatureSharedMemory);
  if (r.machine.waited) features.emplace_back(kFeatureAtomicWait);
  const auto required = texts(fbb, features);
  Offset<schema::Base> base = 0;
  if (r.base) {
    const auto digest = fbb.CreateVector(r.base->digest.data(), r.base->digest.size());
    const auto name = fbb.CreateString(r.base->name);
    base = schema::CreateBase(fbb, digest, name);
  }
  std::vector<uint64_t> halves;
  for (const GlobalInst& global : r.globals) {
    if (is_vec(global.type.type)) halves.push_back(global.bits[1]);
  }
  const auto vector_globals = numbers(fbb, halves);
  Offset<schema::Heap> heap = 0;
  if (!r.heap.objects.empty()) {
    const auto defined = structs<schema::DefinedType>(fbb, r.heap.types.size(), [&](size_t i) {
      return schema::DefinedType(r.heap.types[i].instance, r.heap.types[i].index);
    });
    heap = schema::CreateHeap(fbb, defined, static_cast<uint32_t>(r.heap.objects.size()), r.heap.bytes.size());
  }
  const auto monitors = tables<schema::Monitor>(fbb, r.monitors, [&](const MonitorState& m) {
    const auto name = fbb.CreateString(m.name);
    const auto bytes = numbers(fbb, m.bytes);
    return schema::CreateMonitor(fbb, name, bytes);
  });
  const auto state =
      schema::CreateState(fbb, required, modules, instances, funcs, host_funcs, tables_, memories, globals, elems,
                          datas, machine, wasi, base, r.deterministic, vector_globals, r.tags, heap, monitors);
  fbb.FinishSizePrefixed(state, kStateIdentifier);
  return std::vector<uint8_t>(fbb.GetBufferPointer(), fbb.GetBufferPointer() + fbb.GetSize());
}

}  // namespace chiwawa::snapshot
