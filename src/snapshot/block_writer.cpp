#include "snapshot/block_writer.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "snapshot/format.hpp"
#include "snapshot/untouched.hpp"
#include "snapshot_generated.h"

namespace chiwawa::snapshot {

namespace {

using flatbuffers::FlatBufferBuilder;

bool is_zero(const uint8_t* block) {
  // Most blocks that are not zero say so soon.
  for (size_t i = 0; i < kBlockSize; i += 256) {
    uint64_t words[32];
    std::memcpy(words, block + i, sizeof words);
    uint64_t any = 0;
    for (const uint64_t word : words) any |= word;
    if (any != 0) return false;
  }
  return true;
}

/// Memories as blocks. The last one of a memory that ends in it has zeros behind.
class Blocks {
 public:
  explicit Blocks(std::span<const std::span<const uint8_t>> memories) : memories_(memories), tails_(memories.size()) {
    for (size_t m = 0; m < memories.size(); ++m) {
      const std::span<const uint8_t> tail = memories[m].last(memories[m].size() % kBlockSize);
      if (tail.empty()) continue;
      tails_[m].assign(tail.begin(), tail.end());
      tails_[m].resize(kBlockSize);
    }
  }

  uint32_t memories() const { return static_cast<uint32_t>(memories_.size()); }
  uint64_t count(uint32_t memory) const { return whole(memory) + (tails_[memory].empty() ? 0 : 1); }
  const uint8_t* at(BlockPlace place) const {
    if (place.block == whole(place.memory)) return tails_[place.memory].data();
    return memories_[place.memory].data() + place.block * kBlockSize;
  }

 private:
  uint64_t whole(uint32_t memory) const { return memories_[memory].size() / kBlockSize; }

  std::span<const std::span<const uint8_t>> memories_;
  std::vector<std::vector<uint8_t>> tails_;
};

/// The first of equal blocks. Holds numbers only and compares the blocks themselves, so it is small and never wrong.
class FirstOfEqual {
 public:
  explicit FirstOfEqual(const Blocks& memories) : memories_(memories) {
    for (uint32_t m = 0; m < memories.memories(); ++m) {
      begins_.push_back(blocks_);
      blocks_ += memories.count(m);
    }
    size_ = static_cast<size_t>(std::clamp<uint64_t>(blocks_ + blocks_ / 2, 16, kMostSlots));
    // Zeroed, and without touching what a nearly empty memory does not need.
    slots_.reset(static_cast<uint32_t*>(std::calloc(size_, sizeof(uint32_t))));
  }

  bool allocated() const { return slots_ != nullptr; }

  /// The first block that equals this one, or nothing if this is it. Blocks must come in order.
  std::optional<BlockPlace> find(BlockPlace place, const uint8_t* data, const Hash128& hash) {
    const uint64_t begin = (hash.low >> 32) * size_ >> 32;
    for (size_t slot = static_cast<size_t>(begin);; slot = slot + 1 == size_ ? 0 : slot + 1) {
      if (slots_[slot] == 0) {
        // (All blocks of 6 GiB of memory have room. Behind them only earlier ones are looked for.)
        if (used_ < kMostSlots / 4 * 3) {
          slots_[slot] = static_cast<uint32_t>(begins_[place.memory] + place.block + 1);
          ++used_;
        }
        return std::nullopt;
      }
      const BlockPlace candidate = this->place(slots_[slot] - 1);
      if (std::memcmp(memories_.at(candidate), data, kBlockSize) == 0) return candidate;
    }
  }

 private:
  static constexpr uint64_t kMostSlots = 1u << 21;

  struct Free {
    void operator()(uint32_t* slots) const { std::free(slots); }
  };

  BlockPlace place(uint64_t ordinal) const {
    const auto after = std::upper_bound(begins_.begin(), begins_.end(), ordinal);
    const size_t memory = static_cast<size_t>(after - begins_.begin()) - 1;
    return {static_cast<uint32_t>(memory), ordinal - begins_[memory]};
  }

  const Blocks& memories_;
  std::vector<uint64_t> begins_;  // of each memory: the number of blocks in those before
  uint64_t blocks_ = 0;
  size_t size_ = 0;  // slots
  uint64_t used_ = 0;
  std::unique_ptr<uint32_t[], Free> slots_;
};

std::span<const uint8_t> built(const FlatBufferBuilder& fbb) { return {fbb.GetBufferPointer(), fbb.GetSize()}; }

void build_index(FlatBufferBuilder& fbb, std::span<const BlockRun> batch_runs, std::span<const Hash128> batch_hashes) {
  fbb.Clear();
  schema::BlockRun* runs_data = nullptr;
  const auto runs = fbb.CreateUninitializedVectorOfStructs(batch_runs.size(), &runs_data);
  for (size_t i = 0; i < batch_runs.size(); ++i) {
    const BlockRun& run = batch_runs[i];
    const schema::BlockRun value(run.first.block, run.source.block, run.count, run.first.memory, run.source.memory,
                                 static_cast<schema::BlockKind>(run.kind));
    std::memcpy(static_cast<void*>(runs_data + i), &value, sizeof value);
  }
  flatbuffers::Offset<flatbuffers::Vector<const schema::BlockHash*>> hashes = 0;
  if (!batch_hashes.empty()) {
    schema::BlockHash* hashes_data = nullptr;
    hashes = fbb.CreateUninitializedVectorOfStructs(batch_hashes.size(), &hashes_data);
    for (size_t i = 0; i < batch_hashes.size(); ++i) {
      const schema::BlockHash value(batch_hashes[i].low, batch_hashes[i].high);
      std::memcpy(static_cast<void*>(hashes_data + i), &value, sizeof value);
    }
  }
  fbb.FinishSizePrefixed(schema::CreateBlockIndex(fbb, runs, hashes), kBlockIndexIdentifier);
}

/// Room for `size` bytes in a Blocks buffer; finish_blocks() makes it one.
flatbuffers::Offset<flatbuffers::Vector<uint8_t>> begin_blocks(FlatBufferBuilder& fbb, size_t size, uint8_t** data) {
  fbb.Clear();
  return fbb.CreateUninitializedVector<uint8_t>(size, data);
}

void finish_blocks(FlatBufferBuilder& fbb, flatbuffers::Offset<flatbuffers::Vector<uint8_t>> bytes) {
  fbb.FinishSizePrefixed(schema::CreateBlocks(fbb, bytes), kBlocksIdentifier);
}

/// Collects blocks until a batch is full.
class BatchWriter {
 public:
  explicit BatchWriter(ContainerWriter& container) : container_(container) {}

  Result<void> add(BlockKind kind, BlockPlace place, BlockPlace source, const Hash128& hash, const uint8_t* data) {
    if (extend(kind, place, source, hash, data)) return {};
    if (runs_.size() == kMaxBatchRuns || hashes_.size() == kMaxBatchHashes || stored_.size() == kMaxBatchBlocks) {
      CHIWAWA_TRY(flush());
    }
    runs_.push_back({kind, place, 1, source});
    if (kind != BlockKind::Zero) hashes_.push_back(hash);
    if (kind == BlockKind::Stored) stored_.push_back(data);
    return {};
  }

  Result<void> flush() {
    if (runs_.empty()) return {};
    build_index(index_, runs_, hashes_);
    CHIWAWA_TRY(container_.frame(FrameKind::BlockIndex, built(index_), kMemoryLevel));
    if (!stored_.empty()) {
      uint8_t* to = nullptr;
      const auto bytes = begin_blocks(blocks_, stored_.size() * kBlockSize, &to);
      for (const uint8_t* block : stored_) {
        std::memcpy(to, block, kBlockSize);
        to += kBlockSize;
      }
      finish_blocks(blocks_, bytes);
      CHIWAWA_TRY(container_.frame(FrameKind::Blocks, built(blocks_), kMemoryLevel));
    }
    runs_.clear();
    hashes_.clear();
    stored_.clear();
    return {};
  }

 private:
  /// Makes the last run one block longer, if that says the same.
  bool extend(BlockKind kind, BlockPlace place, BlockPlace source, const Hash128& hash, const uint8_t* data) {
    if (runs_.empty()) return false;
    BlockRun& run = runs_.back();
    if (run.first.memory != place.memory || run.first.block + run.count != place.block || run.count == ~uint32_t{0}) {
      return false;
    }
    if (kind == BlockKind::Copy && (run.kind == BlockKind::Repeat || (run.kind == kind && run.count == 1)) &&
        run.source == source) {
      run.kind = BlockKind::Repeat;
      ++run.count;
      return true;
    }
    if (run.kind != kind) return false;
    if (kind == BlockKind::Copy && run.source_of(run.count) != source) return false;
    if (kind != BlockKind::Zero && hashes_.size() == kMaxBatchHashes) return false;
    if (kind == BlockKind::Stored && stored_.size() == kMaxBatchBlocks) return false;
    ++run.count;
    if (kind != BlockKind::Zero) hashes_.push_back(hash);
    if (kind == BlockKind::Stored) stored_.push_back(data);
    return true;
  }

  ContainerWriter& container_;
  std::vector<BlockRun> runs_;
  std::vector<Hash128> hashes_;
  std::vector<const uint8_t*> stored_;
  FlatBufferBuilder index_;
  FlatBufferBuilder blocks_;
};

}  // namespace

Result<void> write_blocks(ContainerWriter& container, std::span<const std::span<const uint8_t>> memories,
                          BaseBlocks* base) {
  const Blocks blocks(memories);
  FirstOfEqual firsts(blocks);
  if (!firsts.allocated()) return Error{Phase::Io, "out of memory for a table of blocks", Error::kNoOffset};
  BatchWriter batch(container);
  UntouchedPages untouched;
  for (uint32_t m = 0; m < blocks.memories(); ++m) {
    for (uint64_t b = 0; b < blocks.count(m); ++b) {
      const BlockPlace place{m, b};
      const uint8_t* const data = blocks.at(place);
      std::optional<Hash128> before;
      if (base != nullptr) {
        Result<std::optional<Hash128>> found = base->at(place);
        if (!found) return found.error();
        before = *found;
      }
      if (untouched.contain(data, kBlockSize) || is_zero(data)) {
        if (before) CHIWAWA_TRY(batch.add(BlockKind::Zero, place, {}, {}, nullptr));
        continue;
      }
      const Hash128 hash = hash128({data, kBlockSize});
      const std::optional<BlockPlace> first = firsts.find(place, data, hash);
      if (before == hash) continue;
      const BlockKind kind = first ? BlockKind::Copy : BlockKind::Stored;
      CHIWAWA_TRY(batch.add(kind, place, first.value_or(BlockPlace{}), hash, data));
    }
  }
  CHIWAWA_TRY(batch.flush());
  if (base != nullptr) return base->finish();
  return {};
}

std::vector<uint8_t> encode_block_index(const BlockBatch& batch) {
  FlatBufferBuilder fbb;
  build_index(fbb, batch.runs, batch.hashes);
  const std::span<const uint8_t> bytes = built(fbb);
  return {bytes.begin(), bytes.end()};
}

std::vector<uint8_t> encode_blocks(std::span<const uint8_t> blocks) {
  FlatBufferBuilder fbb;
  uint8_t* to = nullptr;
  const auto vector = begin_blocks(fbb, blocks.size(), &to);
  std::copy(blocks.begin(), blocks.end(), to);
  finish_blocks(fbb, vector);
  const std::span<const uint8_t> bytes = built(fbb);
  return {bytes.begin(), bytes.end()};
}

}  // namespace chiwawa::snapshot
