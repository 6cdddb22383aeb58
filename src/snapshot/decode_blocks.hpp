// The frames behind the state -> checked lists; the inner half of Reader.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "interp/result.hpp"
#include "snapshot/records.hpp"

namespace chiwawa::snapshot {

/// Decodes the block indices of one snapshot, in order.
class BlockIndexDecoder {
 public:
  /// Decodes the next size-prefixed BlockIndex. Then every block is within its memory and comes after all earlier ones,
  /// every source comes before what it is copied to, and there are as many hashes as there should be.
  Result<void> decode(std::span<const uint8_t> bytes, const Records& records);

  const std::vector<BlockRun>& runs() const { return runs_; }
  const std::vector<Hash128>& hashes() const { return hashes_; }
  uint32_t stored() const { return stored_; }  ///< blocks whose contents follow

 private:
  std::vector<BlockRun> runs_;
  std::vector<Hash128> hashes_;
  uint32_t stored_ = 0;
  BlockPlace next_;  // where the next run may begin
};

/// Gives the contents of a size-prefixed Blocks.
Result<std::span<const uint8_t>> decode_blocks(std::span<const uint8_t> bytes);

/// Gives the contents of a size-prefixed Blocks, and checks them against the index.
Result<std::span<const uint8_t>> decode_blocks(std::span<const uint8_t> bytes, const BlockIndexDecoder& index);

/// Appends what a size-prefixed ObjectPart holds.
Result<void> decode_object_part(std::span<const uint8_t> bytes, HeapRecord& heap);

/// Gives the bytes of a size-prefixed ModulePart of that module.
Result<std::span<const uint8_t>> decode_module_part(std::span<const uint8_t> bytes, uint32_t module);

}  // namespace chiwawa::snapshot
