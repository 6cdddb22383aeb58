// What the views look at: a snapshot's records, the file around them, and the modules that are at hand.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "inspect/describe.hpp"
#include "snapshot/block_store.hpp"
#include "snapshot/read.hpp"

namespace chiwawa::inspect {

/// What is known about the file besides the records.
struct FileFacts {
  std::string name;   ///< may be empty
  uint64_t size = 0;  ///< bytes
  snapshot::Header header;
  snapshot::Sha256 state_digest{};
  std::vector<snapshot::FrameEntry> frames;  ///< where its compressed parts are
};

/// Refers to its creator's objects.
struct Subject {
  const FileFacts& file;
  const snapshot::Records& records;
  std::span<const KnownModule> modules;  ///< one for each of records.modules, or none
  const Names& names;
  snapshot::BlockStore& blocks;  ///< the memories' contents
};

}  // namespace chiwawa::inspect
