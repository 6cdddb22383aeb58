// What a snapshot says, as plain records: schema/snapshot.fbs in C++. Made by collect() from a store and by Reader from
// a file; nothing in them refers to anything live.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "interp/machine.hpp"
#include "interp/monitor_state.hpp"
#include "interp/types.hpp"
#include "snapshot/format.hpp"
#include "snapshot/hash.hpp"
#include "wasi/state.hpp"

namespace chiwawa::snapshot {

struct ModuleRecord {
  Sha256 sha256{};
  uint64_t size = 0;      ///< bytes
  std::string name;       ///< a hint for people; may be empty
  bool embedded = false;  ///< its bytes are in the snapshot
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
  std::vector<uint32_t> tags;
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
  /// Blocks that Reader has come across so far: those that are not zero or, in an increment, not as in the base.
  uint64_t listed_blocks = 0;
  uint64_t bytes() const { return pages << type.page_exponent; }
  /// The last one may be longer than the memory, which ends in it.
  uint64_t blocks() const { return (bytes() + kBlockSize - 1) / kBlockSize; }
};

struct ElemRecord {
  ValType type = ValType::FuncRef;
  bool dropped = false;
  std::vector<uint64_t> elements;
};

/// A defined type: which of an instance's module.
struct TypeRecord {
  uint32_t instance = 0;
  uint32_t index = 0;
  auto operator<=>(const TypeRecord&) const = default;
};

struct ObjectRecord {
  uint32_t type = 0;    ///< position in HeapRecord::types, or kExceptionObject
  uint32_t length = 0;  ///< an array's; an exception's tag address
  bool operator==(const ObjectRecord&) const = default;
};

/// The objects that can be reached, numbered in the order in which they are found from the roots (FORMAT.md). A
/// reference to one is kHeapRefBit plus its number.
struct HeapRecord {
  std::vector<TypeRecord> types;
  std::vector<ObjectRecord> objects;
  std::vector<uint8_t> bytes;  ///< the fields of all objects in turn, each object's filled up to a multiple of 8
  bool operator==(const HeapRecord&) const = default;
};

/// The snapshot that an increment builds on.
struct BaseRecord {
  Sha256 digest{};   ///< its state digest
  std::string name;  ///< its file, relative to the folder of the increment
};

/// Types of references are the greatest of their hierarchies: what exactly is declared is in the modules.
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
  uint32_t tags = 0;  ///< how many addresses of tags there are

  HeapRecord heap;
  MachineImage machine;
  std::optional<wasi::State> wasi;
  std::optional<BaseRecord> base;
  bool deterministic = false;
  std::vector<MonitorState> monitors;  ///< by name, ascending

  /// Whether the function at that address, which must exist, is one of the host's.
  bool is_host(uint32_t func) const { return funcs[func].instance == kHostInstance; }
};

/// The numbers are those of the schema.
enum class BlockKind : uint8_t {
  Stored = 0,
  Copy = 1,    ///< each equals the block at source, source + 1, …
  Repeat = 2,  ///< all equal the one at source
  Zero = 3,    ///< only in increments
};

/// A block of 4096 bytes, by the memory's address and its number there.
struct BlockPlace {
  uint32_t memory = 0;
  uint64_t block = 0;
  auto operator<=>(const BlockPlace&) const = default;
};

/// Blocks [first, first + count) of a memory.
struct BlockRun {
  BlockKind kind = BlockKind::Stored;
  BlockPlace first;
  uint32_t count = 0;
  BlockPlace source;  ///< Copy, Repeat: a block before `first`
  bool operator==(const BlockRun&) const = default;

  /// How many hashes the index has for it.
  uint32_t hash_count() const { return kind == BlockKind::Zero ? 0 : kind == BlockKind::Repeat ? 1 : count; }
  /// Where the block with that number within the run is copied from.
  BlockPlace source_of(uint32_t i) const { return {source.memory, source.block + (kind == BlockKind::Copy ? i : 0)}; }
};

/// A block index and the contents that belong to it. Refers to bytes of somebody else's.
struct BlockBatch {
  std::span<const BlockRun> runs;   ///< by place
  std::span<const Hash128> hashes;  ///< of the runs in turn, see BlockRun::hash_count
  std::span<const uint8_t> bytes;   ///< the blocks of the runs that are Stored, one after the other

  /// Calls f(run, hashes of it, bytes of it (if stored)) for every run.
  template <typename F>
  void for_each_run(F f) const {
    size_t hash = 0;
    size_t at = 0;
    for (const BlockRun& run : runs) {
      const size_t size = run.kind == BlockKind::Stored && !bytes.empty() ? size_t{run.count} * kBlockSize : 0;
      f(run, hashes.subspan(hash, run.hash_count()), bytes.subspan(at, size));
      hash += run.hash_count();
      at += size;
    }
  }
};

}  // namespace chiwawa::snapshot
