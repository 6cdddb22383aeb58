// Blocks that were read -> memories.
#pragma once

#include <cstdint>
#include <span>

#include "interp/result.hpp"
#include "snapshot/read.hpp"
#include "snapshot/records.hpp"

namespace chiwawa::snapshot {

/// Puts a batch into memories, which are at least as large as those of the snapshot that it was read from.
/// Phase::Snapshot if a copied block has not the hash that the index says.
Result<void> apply_blocks(const BlockBatch& batch, std::span<const std::span<uint8_t>> memories);

/// Reads the rest of a snapshot into memories, on top of what its base left there.
Result<void> read_blocks(Reader& reader, std::span<const std::span<uint8_t>> memories);

}  // namespace chiwawa::snapshot
