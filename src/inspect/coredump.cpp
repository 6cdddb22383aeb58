#include "inspect/coredump.hpp"

#include <map>
#include <string_view>
#include <vector>

#include "inspect/memory_walk.hpp"
#include "inspect/stack.hpp"
#include "interp/byte_reader.hpp"

namespace chiwawa::inspect {

namespace {

using Bytes = std::vector<uint8_t>;

enum Section : uint8_t { kCustom = 0, kMemory = 5, kGlobal = 6, kData = 11 };
constexpr uint32_t kCodeSection = 10;
constexpr uint8_t kMissingValue = 0x01;
constexpr uint64_t kMaxSection = 0xFFFF'FFFF;

void put_leb(Bytes& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<uint8_t>(value | 0x80));
  out.push_back(static_cast<uint8_t>(value));
}

void put_signed_leb(Bytes& out, int64_t value) {
  for (;;) {
    const auto byte = static_cast<uint8_t>(value & 0x7F);
    value >>= 7;
    const bool last = value == ((byte & 0x40) != 0 ? -1 : 0);
    out.push_back(last ? byte : byte | 0x80);
    if (last) return;
  }
}

void put_fixed(Bytes& out, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

void put_name(Bytes& out, std::string_view name) {
  put_leb(out, name.size());
  out.insert(out.end(), name.begin(), name.end());
}

void put_indices(Bytes& out, const std::vector<uint32_t>& indices) {
  put_leb(out, indices.size());
  for (const uint32_t index : indices) put_leb(out, index);
}

void put_section(Bytes& out, uint8_t id, const Bytes& contents) {
  out.push_back(id);
  put_leb(out, contents.size());
  out.insert(out.end(), contents.begin(), contents.end());
}

Bytes custom(std::string_view name) {
  Bytes contents;
  put_name(contents, name);
  return contents;
}

/// A number's bits as the binary format writes a constant of its type.
void put_number(Bytes& out, ValType type, uint64_t bits) {
  switch (type) {
    case ValType::I32: return put_signed_leb(out, static_cast<int32_t>(bits));
    case ValType::I64: return put_signed_leb(out, static_cast<int64_t>(bits));
    case ValType::F32: return put_fixed(out, bits, 4);
    default: return put_fixed(out, bits, 8);
  }
}

void put_values(Bytes& out, std::span<const Value> values) {
  put_leb(out, values.size());
  for (const Value& value : values) {
    if (!is_num(value.type)) {
      out.push_back(kMissingValue);
    } else {
      out.push_back(static_cast<uint8_t>(value.type));
      put_number(out, value.type, value.bits);
    }
  }
}

/// Where the bodies of a module's functions begin, with their declarations of locals, in the order of the bodies.
std::vector<uint32_t> body_begins(const Module& module) {
  std::vector<uint32_t> begins;
  if (module.bodies.empty()) return begins;
  ByteReader in(module.bytes, module.section_offsets[kCodeSection], static_cast<uint32_t>(module.bytes.size()));
  const uint32_t count = in.count(1);
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    const uint32_t size = in.u32();
    begins.push_back(in.skip(size, "length out of bounds"));
  }
  return begins;
}

void put_stack(Bytes& out, const Subject& subject) {
  Bytes contents = custom("corestack");
  contents.push_back(0);
  put_name(contents, "main");
  const Stack stack = stack_of(subject, false);
  std::map<const Module*, std::vector<uint32_t>> begins;
  put_leb(contents, stack.frames.size());  // without those omitted: there is no way to say that there are more
  for (const FrameView& frame : stack.frames) {
    const snapshot::FuncRecord& function = subject.records.funcs[frame.function];
    uint32_t offset = 0;
    if (const Module* module = subject.names.module_of(frame.function)) {
      const auto [of_module, fresh] = begins.try_emplace(module);
      if (fresh) of_module->second = body_begins(*module);
      const uint32_t body = function.index - module->imported_functions;
      if (body < of_module->second.size() && frame.begin >= of_module->second[body]) {
        offset = frame.begin - of_module->second[body];
      }
    }
    contents.push_back(0);
    put_leb(contents, function.instance);
    put_leb(contents, function.index);
    put_leb(contents, offset);
    put_values(contents, frame.locals);
    put_values(contents, frame.operands);
  }
  put_section(out, kCustom, contents);
}

void put_process(Bytes& out, const Subject& subject) {
  const snapshot::Records& records = subject.records;
  const std::vector<std::string> none;
  const auto& args = records.wasi ? records.wasi->args : none;
  Bytes core = custom("core");
  core.push_back(0);
  put_name(core, !args.empty() ? args[0] : records.modules.empty() ? "" : records.modules[0].name);
  put_section(out, kCustom, core);

  Bytes modules = custom("coremodules");
  put_leb(modules, records.modules.size());
  for (const snapshot::ModuleRecord& module : records.modules) {
    modules.push_back(0);
    put_name(modules, module.name.empty() ? snapshot::to_hex(module.sha256) : module.name);
  }
  put_section(out, kCustom, modules);

  Bytes instances = custom("coreinstances");
  put_leb(instances, records.instances.size());
  for (const snapshot::InstanceRecord& instance : records.instances) {
    instances.push_back(0);
    put_leb(instances, instance.module);
    put_indices(instances, instance.memories);
    put_indices(instances, instance.globals);
  }
  put_section(out, kCustom, instances);
}

void put_memories(Bytes& out, const snapshot::Records& records) {
  Bytes contents;
  put_leb(contents, records.memories.size());
  for (const snapshot::MemoryRecord& memory : records.memories) {
    const auto& max = memory.type.limits.max;
    constexpr uint8_t kShared = 2, kAddress64 = 4, kHasPageSize = 8;
    const bool custom_pages = memory.type.page_exponent != kPageSizeExponent;
    contents.push_back(static_cast<uint8_t>((max ? 1 : 0) | (memory.type.address == ValType::I64 ? kAddress64 : 0) |
                                            (memory.type.is_shared ? kShared : 0) | (custom_pages ? kHasPageSize : 0)));
    put_leb(contents, memory.pages);
    if (max) put_leb(contents, *max);
    if (custom_pages) put_leb(contents, memory.type.page_exponent);
  }
  put_section(out, kMemory, contents);
}

void put_globals(Bytes& out, const snapshot::Records& records) {
  Bytes contents;
  put_leb(contents, records.globals.size());
  for (const GlobalInst& global : records.globals) {
    const ValType type = global.type.type;
    contents.push_back(static_cast<uint8_t>(type));
    contents.push_back(0);  // immutable
    switch (type) {
      case ValType::I32: contents.push_back(0x41); break;
      case ValType::I64: contents.push_back(0x42); break;
      case ValType::F32: contents.push_back(0x43); break;
      case ValType::F64: contents.push_back(0x44); break;
      case ValType::V128:
        contents.push_back(0xFD);
        contents.push_back(0x0C);
        put_fixed(contents, value_of(global).bits, 8);
        put_fixed(contents, value_of(global).high, 8);
        break;
      default: contents.push_back(0xD0); break;  // ref.null
    }
    if (is_ref(type)) {
      contents.push_back(static_cast<uint8_t>(type));
    } else if (is_num(type)) {
      put_number(contents, type, value_of(global).bits);
    }
    contents.push_back(0x0B);  // end
  }
  put_section(out, kGlobal, contents);
}

/// Adjacent stored blocks of a memory.
struct Run {
  uint32_t memory = 0;
  uint64_t offset = 0;
  uint64_t size = 0;
};

Bytes segment_header(const Run& run) {
  Bytes header;
  if (run.memory == 0) {
    header.push_back(0);
  } else {
    header.push_back(2);
    put_leb(header, run.memory);
  }
  header.push_back(0x41);  // i32.const
  put_signed_leb(header, static_cast<int32_t>(static_cast<uint32_t>(run.offset)));
  header.push_back(0x0B);  // end
  put_leb(header, run.size);
  return header;
}

std::vector<Run> find_runs(const Subject& subject) {
  std::vector<Run> runs;
  for (uint32_t memory = 0; memory < subject.records.memories.size(); ++memory) {
    bool adjacent = false;
    for (uint64_t block = 0; block < subject.blocks.end(memory); ++block) {
      const bool used = subject.blocks.hash({memory, block}).has_value();
      if (used && !adjacent) runs.push_back({memory, block * snapshot::kBlockSize, 0});
      if (used) runs.back().size += snapshot::kBlockSize;
      adjacent = used;
    }
    // The memory may end in its last block.
    if (adjacent) {
      runs.back().size = std::min(runs.back().size, subject.records.memories[memory].bytes() - runs.back().offset);
    }
  }
  return runs;
}

}  // namespace

Result<void> write_coredump(snapshot::Sink& sink, const Subject& subject) {
  const std::vector<Run> runs = find_runs(subject);
  Bytes out = {0x00, 0x61, 0x73, 0x6D, 0x01, 0x00, 0x00, 0x00};
  put_process(out, subject);
  put_stack(out, subject);
  put_memories(out, subject.records);
  put_globals(out, subject.records);
  Bytes count;
  put_leb(count, runs.size());
  uint64_t size = count.size();
  for (const Run& run : runs) size += segment_header(run).size() + run.size;
  if (size > kMaxSection) {
    return Error{Phase::Invoke, "the memories hold more than a core dump can: " + size_in_words(size),
                 Error::kNoOffset};
  }
  out.push_back(kData);
  put_leb(out, size);
  out.insert(out.end(), count.begin(), count.end());
  CHIWAWA_TRY(sink.write(out));
  for (const Run& run : runs) {
    CHIWAWA_TRY(sink.write(segment_header(run)));
    Result<void> written;
    const MemoryRange range{run.memory, run.offset, run.offset + run.size};
    CHIWAWA_TRY(walk_memory(subject, range, [&](uint64_t, std::span<const uint8_t> bytes) {
      if (written) written = sink.write(bytes);
    }));
    if (!written) return written.error();
  }
  return {};
}

}  // namespace chiwawa::inspect
