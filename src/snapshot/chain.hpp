// Increments and the snapshots that they build on.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "interp/result.hpp"
#include "snapshot/block_writer.hpp"
#include "snapshot/read.hpp"
#include "snapshot/records.hpp"

namespace chiwawa::snapshot {

/// The folder that a file is in, "." if its path says none.
std::string folder_of(const std::string& path);

/// The name by which a file in `folder` says where `path` is. Nothing if only one of them is absolute.
std::optional<std::string> relative_name(const std::string& path, const std::string& folder);

/// The path of what a file in `folder` calls `name`.
std::string join_name(const std::string& folder, const std::string& name);

/// A snapshot of which another one is an increment.
struct Base {
  std::string path;
  Sha256 digest{};
};

/// Follows the chain of bases of a snapshot whose state is in `records`; its file is, or is going to be, in `folder`.
/// The nearest comes first; of a snapshot without base there are none. Each has the digest that is asked for, as far as
/// its trailer can tell, and can be applied: the same modules, the same memories, none larger. Phase::Snapshot if that
/// is not so, for bases that are each other's, and for more than kMaxChain snapshots; Phase::Io.
Result<std::vector<Base>> find_bases(const Records& records, const std::string& folder);

/// Reads the bases (as find_bases() returned them) into memories, the oldest first.
Result<void> read_bases(std::span<const Base> bases, std::span<const std::span<uint8_t>> memories);

/// What a snapshot with all its bases has, for write(): read along while the increment is written. Not copyable.
class ChainBlocks final : public BaseBlocks {
 public:
  ChainBlocks();
  ~ChainBlocks();

  /// Opens the snapshot `path`, which is to be the base of one in `folder`. To be called once.
  Result<void> open(const std::string& path, const std::string& folder);
  const BaseRecord& record() const override { return record_; }
  /// Phase::Snapshot unless the increment has the same modules, and the same memories, none smaller.
  Result<void> check(const Records& records) override;

  Result<std::optional<Hash128>> at(BlockPlace place) override;
  Result<void> finish() override;

 private:
  class Level;
  BaseRecord record_;
  std::vector<std::unique_ptr<Level>> levels_;  // the nearest first
};

}  // namespace chiwawa::snapshot
