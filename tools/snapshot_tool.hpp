// What snapshot-inspect and snapshot-diff share: opening files, modules for names, messages.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "interp/module.hpp"
#include "interp/result.hpp"
#include "snapshot/describe.hpp"
#include "snapshot/file.hpp"
#include "snapshot/read.hpp"

namespace chiwawa::tools {

/// An opened snapshot. `path` may be "-" for standard input.
struct SnapshotFile {
  explicit SnapshotFile(std::string file_path) : path(std::move(file_path)) {}

  /// Reads header and state. Errors as snapshot::Reader::open.
  Result<void> open();
  /// Takes those of `candidates` that the snapshot was saved with, for names; the others are ignored.
  void take_modules(const std::vector<std::shared_ptr<const Module>>& candidates);
  snapshot::Names names() const { return snapshot::Names(reader.records(), modules); }

  std::string path;
  snapshot::FileSource source;
  snapshot::Reader reader{source};
  std::vector<std::shared_ptr<const Module>> modules;  ///< for each of the snapshot's modules, null if it is not known
};

/// Reads and decodes modules; only their names are used, so they are not validated. On failure the problem has been
/// printed, and nothing is returned.
std::optional<std::vector<std::shared_ptr<const Module>>> read_modules(std::string_view program,
                                                                       const std::vector<std::string>& paths);

/// "<program>: <file>: <description>" on stderr.
void print_problem(std::string_view program, const std::string& file, const Error& error);

/// On stdout. False if it cannot be written.
bool print_text(const std::string& text);

}  // namespace chiwawa::tools
