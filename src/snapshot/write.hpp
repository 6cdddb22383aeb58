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

/// Everything except the page index.
Records collect(const Store& store, MachineImage machine, std::optional<wasi::State> wasi,
                const WriteOptions& options = {});

/// Looks through the memories and fills records.page_groups.
void index_pages(Records& records, MemoryBytes memory);

/// The state as a size-prefixed FlatBuffer. Whatever the records say is encoded, also nonsense.
Result<std::vector<uint8_t>> encode_state(const Records& records);

/// One page group as a size-prefixed FlatBuffer.
std::vector<uint8_t> encode_page_group(const PageGroupView& group);

/// The same, of the memory with that address and those bytes.
std::vector<uint8_t> encode_page_group(std::span<const uint8_t> bytes, uint32_t memory, uint32_t group);

/// The page index's hash of a group.
Hash128 hash_page_group(const PageGroupView& group);

/// Writes header, state, the groups that records.page_groups lists, and trailer.
Result<void> write_records(Sink& sink, const Records& records, MemoryBytes memory, std::string_view writer);

}  // namespace chiwawa::snapshot
