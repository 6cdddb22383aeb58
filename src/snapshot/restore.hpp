// Records + the same modules -> a fresh Store, and the image for a Machine.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "interp/machine.hpp"
#include "interp/result.hpp"
#include "interp/store.hpp"
#include "snapshot/function_ref.hpp"
#include "snapshot/read.hpp"

namespace chiwawa::snapshot {

/// Gives the host function of that module, name and type, or nothing.
using HostResolver =
    FunctionRef<std::optional<HostFunction>(std::string_view module, std::string_view name, const FuncType& type)>;

struct RestoreOptions {
  StoreLimits limits;        ///< of the new store; a memory that is larger already is refused
  CompileOptions compile;    ///< of the new store
  std::string folder = ".";  ///< the snapshot's, where the names of its bases begin
};

struct Restored {
  std::unique_ptr<Store> store;
  /// For Machine::restore, which checks it against the modules' code.
  MachineImage machine;
  std::vector<MonitorState> monitors{};
};

/// Builds the store that `reader` (just opened, no batch read yet) describes, and reads the rest of the file into its
/// memories, after the bases that it builds on. `modules` must be decoded and validated; each module of the snapshot is
/// looked for among them by its SHA-256. The order of a restore is: Reader::open, wasi::Wasi::restore from
/// reader.records().wasi, this, and Machine::restore.
///
/// Everything that could harm is checked before it is used: which instance has which addresses, all types against the
/// modules' declarations, sizes against limits. On failure nothing remains. Errors: Phase::Snapshot naming what differs
/// (a module that is not the one saved, a host function that is missing), Phase::Io.
Result<Restored> restore(Reader& reader, std::span<const std::shared_ptr<const Module>> modules, HostResolver resolve,
                         const RestoreOptions& options = {});

/// Finds the modules that `records` were saved with: one for each of records.modules, in order. Phase::Snapshot with
/// both hashes if one is not there.
Result<std::vector<std::shared_ptr<const Module>>> match_modules(
    const Records& records, std::span<const std::shared_ptr<const Module>> modules);

/// Checks the records against the modules they were saved with (as match_modules returns them): the store's part of
/// what restore() promises. Phase::Snapshot.
Result<void> check_store(const Records& records, std::span<const std::shared_ptr<const Module>> modules);

}  // namespace chiwawa::snapshot
