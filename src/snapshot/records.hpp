// What a snapshot says, as plain records: schema/snapshot.fbs in C++. Made by collect() from a store and by Reader from
// a file; nothing in them refers to anything live.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "interp/machine.hpp"
#include "interp/types.hpp"
#include "snapshot/format.hpp"
#include "snapshot/hash.hpp"
#include "wasi/state.hpp"

namespace chiwawa::snapshot {

struct ModuleRecord {
  Sha256 sha256{};
  uint64_t size = 0;  ///< bytes
  std::string name;   ///< a hint for people; may be empty
};

/// Addresses are raw, in index order.
struct InstanceRecord {
  uint32_t module = 0;  ///< position in Records::modules
  std::vector<uint32_t> funcs;
  std::vector<uint32_t> tables;
  std::vector<uint32_t> memories;
  std::vector<uint32_t> globals;
  std::vector<uint32_t> elems;
  std::vector<uint32_t> datas;
  bool operator==(const InstanceRecord&) const = default;
};

struct FuncRecord {
  uint32_t instance = 0;  ///< or kHostInstance
  uint32_t index = 0;     ///< in the instance's module; host: in Records::host_funcs
  bool operator==(const FuncRecord&) const = default;
};

struct HostFuncRecord {
  std::string module;
  std::string name;
  FuncType type;
};

struct TableRecord {
  TableType type;  ///< as declared
  std::vector<uint64_t> elements;
};

struct MemoryRecord {
  MemoryType type;     ///< as declared
  uint64_t pages = 0;  ///< now
};

struct ElemRecord {
  ValType type = ValType::FuncRef;
  bool dropped = false;
  std::vector<uint64_t> elements;
};

/// One entry of the page index.
struct PageGroupRecord {
  uint32_t memory = 0;  ///< address
  uint32_t group = 0;   ///< number of the 1-MiB span
  uint32_t blocks = 0;  ///< blocks of 4 KiB that are stored
  Hash128 hash;
  bool operator==(const PageGroupRecord&) const = default;
};

struct Records {
  std::vector<ModuleRecord> modules;
  std::vector<InstanceRecord> instances;
  // By address:
  std::vector<FuncRecord> funcs;
  std::vector<HostFuncRecord> host_funcs;
  std::vector<TableRecord> tables;
  std::vector<MemoryRecord> memories;
  std::vector<GlobalInst> globals;
  std::vector<ElemRecord> elems;
  std::vector<uint8_t> datas_dropped;

  MachineImage machine;
  std::optional<wasi::State> wasi;
  std::vector<PageGroupRecord> page_groups;

  /// Whether the function at that address, which must exist, is one of the host's.
  bool is_host(uint32_t func) const { return funcs[func].instance == kHostInstance; }
};

/// Blocks [first, first + count) of a page group.
struct BlockRun {
  uint32_t first = 0;
  uint32_t count = 0;
  bool operator==(const BlockRun&) const = default;
};

/// The blocks of a page group that are not all zero. Refers to bytes of somebody else's.
struct PageGroupView {
  uint32_t memory = 0;  ///< address
  uint32_t group = 0;
  std::span<const BlockRun> runs;
  std::span<const uint8_t> bytes;  ///< the runs' blocks, one after the other

  /// Calls f(byte offset in the memory, bytes) for every run.
  template <typename F>
  void for_each_run(F f) const {
    size_t at = 0;
    for (const BlockRun& run : runs) {
      const size_t size = size_t{run.count} * kBlockSize;
      f(uint64_t{group} * kGroupSize + uint64_t{run.first} * kBlockSize, bytes.subspan(at, size));
      at += size;
    }
  }
};

}  // namespace chiwawa::snapshot
