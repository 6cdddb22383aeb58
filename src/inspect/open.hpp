// Opening a snapshot to look at it: file, modules, names and memory in one object.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "inspect/subject.hpp"
#include "snapshot/block_store.hpp"
#include "snapshot/file.hpp"
#include "snapshot/read.hpp"

namespace chiwawa::inspect {

/// One snapshot, with the bases that it builds on. Not copyable; what subject() returns refers to it.
class OpenSnapshot {
 public:
  /// How much of the file is checked before anything is shown. Whatever is shown later is checked in any case.
  enum class Check : uint8_t {
    Whole,      ///< the file is read to its end and compared with its digest
    OnlyShown,  ///< what is not asked for is not even read: for comparing large snapshots quickly
  };

  OpenSnapshot() = default;

  /// `path` may be "-": standard input, which is read as a whole. Errors as snapshot::Reader, and Phase::Io. To be
  /// called once, as the next.
  Result<void> open(const std::string& path, Check check = Check::Whole);
  /// The same with a file's bytes. Bases are looked for from the current folder on.
  Result<void> open_bytes(std::vector<uint8_t> bytes, std::string name, Check check = Check::Whole);

  /// Whether opening failed because the file is of a version, or needs a feature, that this program does not know.
  bool unsupported() const { return unsupported_; }

  /// Takes those of `candidates` (null ones are skipped) that the snapshot was saved with, for names and source lines.
  /// Returns how many.
  size_t take_modules(std::span<const std::shared_ptr<const Module>> candidates);

  /// Requires that opening succeeded, as all below.
  Subject subject() { return {facts_, reader_->records(), modules_, *names_, blocks_}; }
  const snapshot::Records& records() const { return reader_->records(); }
  /// Of the snapshot's modules those that are at hand, others null.
  std::vector<std::shared_ptr<const Module>> modules() const;
  /// Where the bases are looked for.
  const std::string& folder() const { return folder_; }

 private:
  Result<void> load(Check check);
  Result<void> check_whole();
  snapshot::Source& source() { return bytes_ ? static_cast<snapshot::Source&>(*bytes_) : *file_; }
  Result<void> rewind();

  std::string path_;
  std::string folder_ = ".";
  std::vector<uint8_t> kept_;
  std::optional<snapshot::MemorySource> bytes_;
  std::optional<snapshot::FileSource> file_;
  std::optional<snapshot::Reader> reader_;
  snapshot::BlockStore blocks_;
  FileFacts facts_;
  std::vector<KnownModule> modules_;
  std::optional<Names> names_;
  bool unsupported_ = false;
};

/// All of standard input. Phase::Io.
Result<std::vector<uint8_t>> read_standard_input();

/// Reads a module from a file and decodes it. Only its names and positions are used, so it is not validated.
Result<std::shared_ptr<const Module>> read_module(const std::string& path);

}  // namespace chiwawa::inspect
