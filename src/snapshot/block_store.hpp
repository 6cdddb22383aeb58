// Any block of a snapshot's memories, by its place: for tools.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "interp/result.hpp"
#include "snapshot/file.hpp"
#include "snapshot/read.hpp"
#include "snapshot/records.hpp"

namespace chiwawa::snapshot {

/// The blocks of one snapshot together with those of its bases. With sources that can seek (Reader::seek_over) contents
/// are read only when they are asked for, and about 28 bytes are kept for each block that is not zero; otherwise all
/// contents are kept. Not copyable.
class BlockStore {
 public:
  BlockStore();
  ~BlockStore();

  /// Reads the indices of `reader` (just opened) to the end, checking everything but contents that are not read, and
  /// those of its bases, which are looked for from `folder` on. The reader must outlive the store. To be called once.
  /// Errors as Reader and find_bases().
  Result<void> load(Reader& reader, const std::string& folder);

  /// The hash of a block; nothing if it is zero or not there.
  std::optional<Hash128> hash(BlockPlace place) const;
  /// One more than the last block of a memory that is not zero.
  uint64_t end(uint32_t memory) const { return memory < memories_.size() ? memories_[memory].size() : 0; }
  /// Reads a block, checked against its hash, into 4096 bytes.
  Result<void> read(BlockPlace place, std::span<uint8_t> into);

  /// Blocks that are not zero, in all memories; and how many of them are stored, here or in a base.
  uint64_t used_blocks() const;
  uint64_t stored_blocks() const { return stored_; }

 private:
  struct File;
  struct Entry {
    Hash128 hash;
    uint32_t batch = 0;  // in batches_
    uint32_t index = 0;  // among the batch's blocks
  };
  struct Batch {
    uint32_t file = 0;
    FrameEntry frame;
    std::vector<uint8_t> kept;  // without seeking
  };

  Result<void> load_file(uint32_t file, bool seeks);
  Result<void> add(const BlockBatch& batch);

  std::vector<std::unique_ptr<File>> files_;
  std::vector<Reader*> readers_;
  std::vector<std::vector<uint32_t>> memories_;  // by block: position in entries_ plus 1, 0 for zero
  std::vector<Entry> entries_;
  std::vector<Batch> batches_;
  uint64_t stored_ = 0;
  uint64_t listed_ = 0;              // in memories_
  std::optional<uint32_t> current_;  // the batch in content_
  Buffer content_;
  std::span<const uint8_t> bytes_;
};

}  // namespace chiwawa::snapshot
