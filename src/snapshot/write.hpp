// Store + MachineImage + WASI state -> snapshot file.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "interp/machine.hpp"
#include "interp/result.hpp"
#include "interp/store.hpp"
#include "snapshot/block_writer.hpp"
#include "snapshot/container.hpp"
#include "snapshot/function_ref.hpp"
#include "snapshot/hash.hpp"
#include "snapshot/records.hpp"
#include "snapshot/stream.hpp"
#include "wasi/state.hpp"

namespace chiwawa::snapshot {

struct WriteOptions {
  /// Name and version of the program, for the header; not part of the state's digest. Empty: "chiwawa <version>".
  std::string writer;
  /// Names of the modules for people, by position in Store::instances; missing ones are left out.
  std::vector<std::string> module_names;
  /// When it is written, for the header: nanoseconds since 1970, or 0 to leave it out.
  uint64_t time = 0;
  /// Put the modules into the snapshot, at most kMaxModules.
  bool embed_modules = false;
  /// Write an increment of this snapshot.
  BaseBlocks* base = nullptr;
  /// The guest is one that does the same everywhere.
  bool deterministic = false;
  /// What the guest's monitors need to go on, with different names.
  std::vector<MonitorState> monitors{};
};

/// Writes the whole continuation: every instance of the store, the machine as Machine::capture() returned it, and WASI.
/// The same state gives the same bytes. Nothing is changed; what the sink got before an error is worthless (publish
/// with AtomicFile). Memory contents are compressed piece by piece and never copied as a whole. Phase::Io: the sink's
/// error, or no memory. Phase::Snapshot: the state is too large for the format (kMaxState).
Result<void> write(Sink& sink, const Store& store, MachineImage machine, std::optional<wasi::State> wasi,
                   const WriteOptions& options = {});

// --- The steps of write(), for tests and tools -----------------------------------------------------------------------

/// The bytes of a memory, by address.
using MemoryBytes = FunctionRef<std::span<const uint8_t>(uint32_t memory)>;

/// Gives a module's binary, by position in Records::modules.
using ModuleBytes = FunctionRef<std::span<const uint8_t>(uint32_t module)>;

/// The state's records.
Records collect(const Store& store, MachineImage machine, std::optional<wasi::State> wasi,
                const WriteOptions& options = {});

/// The state as a size-prefixed FlatBuffer. Whatever the records say is encoded, also nonsense.
Result<std::vector<uint8_t>> encode_state(const Records& records);

/// What a file has besides the state and the memories.
struct FileParts {
  ModuleBytes module;          ///< for those of records.modules that are embedded
  uint64_t time = 0;           ///< as in Header
  BaseBlocks* base = nullptr;  ///< with records.base: what that has
};

/// Writes the frames of the heap's objects, which come behind the state. Fails if they are more than kMaxHeap.
Result<void> write_objects(ContainerWriter& container, const HeapRecord& heap);

/// Writes header, state, embedded modules, blocks of the memories (as write_blocks), and trailer.
Result<void> write_records(Sink& sink, const Records& records, MemoryBytes memory, std::string_view writer,
                           const FileParts& parts);
/// Without embedded modules and base.
Result<void> write_records(Sink& sink, const Records& records, MemoryBytes memory, std::string_view writer);

}  // namespace chiwawa::snapshot
