// Memory contents -> block indices and blocks in a container.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "interp/result.hpp"
#include "snapshot/container.hpp"
#include "snapshot/records.hpp"

namespace chiwawa::snapshot {

/// What the base of an increment has in its memories.
class BaseBlocks {
 public:
  /// The reference to it.
  virtual const BaseRecord& record() const = 0;
  /// Whether an increment with these records can build on it.
  virtual Result<void> check(const Records& records) = 0;
  /// The hash of a block, or nothing if it is zero (or beyond the memory's end, there). To be asked in ascending order.
  virtual Result<std::optional<Hash128>> at(BlockPlace place) = 0;
  /// Reads the rest, and says whether the base is what it seemed to be.
  virtual Result<void> finish() = 0;

 protected:
  ~BaseBlocks() = default;
};

/// Writes the contents of `memories` (by address): each block that is not zero and not in the base is stored if no
/// earlier one is equal. Needs less than 12 MiB, whatever the memories' size, and hardly looks at what the guest has
/// not touched; no file may be behind the memories. Errors: the sink's and the base's, and Phase::Io for no memory.
Result<void> write_blocks(ContainerWriter& container, std::span<const std::span<const uint8_t>> memories,
                          BaseBlocks* base);

/// A block index, and the blocks behind it, as size-prefixed FlatBuffers, whatever they say. For tests.
std::vector<uint8_t> encode_block_index(const BlockBatch& batch);
std::vector<uint8_t> encode_blocks(std::span<const uint8_t> bytes);

}  // namespace chiwawa::snapshot
