#include "snapshot/block_store.hpp"

#include <algorithm>
#include <cstring>

#include "snapshot/chain.hpp"

namespace chiwawa::snapshot {

namespace {

/// Blocks of 64 GiB, in all memories together: what the tables for them may take is bounded, whatever a file says.
constexpr uint64_t kMostBlocks = 1u << 24;

}  // namespace

struct BlockStore::File {
  FileSource source;
  Reader reader{source};
};

BlockStore::BlockStore() = default;
BlockStore::~BlockStore() = default;

Result<void> BlockStore::load(Reader& reader, const std::string& folder) {
  const Result<std::vector<Base>> bases = find_bases(reader.records(), folder);
  if (!bases) return bases.error();
  memories_.resize(reader.records().memories.size());
  for (size_t i = bases->size(); i-- > 0;) {
    const Base& base = (*bases)[i];
    files_.push_back(std::make_unique<File>());
    File& file = *files_.back();
    CHIWAWA_TRY(file.source.open(base.path));
    if (const Result<bool> seeks = file.reader.seek_over(); !seeks) return seeks.error();
    CHIWAWA_TRY(file.reader.open());
    readers_.push_back(&file.reader);
    CHIWAWA_TRY(load_file(static_cast<uint32_t>(readers_.size() - 1), true));
    if (file.reader.state_digest() != base.digest) return damaged(base.path + " has changed");
  }
  readers_.push_back(&reader);
  return load_file(static_cast<uint32_t>(readers_.size() - 1), reader.seeks());
}

Result<void> BlockStore::load_file(uint32_t file, bool seeks) {
  Reader& reader = *readers_[file];
  for (;;) {
    BlockBatch batch;
    const Result<bool> more = reader.next_batch(batch, !seeks);
    if (!more) return more.error();
    if (!*more) return reader.finish();
    batches_.push_back({file, reader.last_blocks(), {}});
    if (!seeks) batches_.back().kept.assign(batch.bytes.begin(), batch.bytes.end());
    CHIWAWA_TRY(add(batch));
  }
}

Result<void> BlockStore::add(const BlockBatch& batch) {
  Result<void> result;
  uint32_t index = 0;
  batch.for_each_run([&](const BlockRun& run, std::span<const Hash128> hashes, std::span<const uint8_t>) {
    auto& memory = memories_[run.first.memory];
    const uint64_t end = run.first.block + run.count;
    if (memory.size() < end) {
      listed_ += end - memory.size();
      if (listed_ > kMostBlocks) {
        result = damaged("more blocks of memory than this can look through");
        return;
      }
      memory.resize(static_cast<size_t>(end));
    }
    for (uint32_t i = 0; i < run.count; ++i) {
      uint32_t& entry = memory[static_cast<size_t>(run.first.block) + i];
      if (run.kind == BlockKind::Zero) {
        entry = 0;
      } else if (run.kind == BlockKind::Stored) {
        entries_.push_back({hashes[i], static_cast<uint32_t>(batches_.size() - 1), index++});
        entry = static_cast<uint32_t>(entries_.size());
        ++stored_;
      } else {
        const BlockPlace from = run.source_of(i);
        const auto& source = memories_[from.memory];
        entry = from.block < source.size() ? source[static_cast<size_t>(from.block)] : 0;
        const Hash128 wanted = hashes[run.kind == BlockKind::Repeat ? 0 : i];
        if (entry == 0 || entries_[entry - 1].hash != wanted) {
          result = damaged("a copied block has another hash than its source");
        }
      }
    }
  });
  return result;
}

std::optional<Hash128> BlockStore::hash(BlockPlace place) const {
  if (place.block >= end(place.memory)) return std::nullopt;
  const uint32_t entry = memories_[place.memory][static_cast<size_t>(place.block)];
  return entry == 0 ? std::nullopt : std::optional(entries_[entry - 1].hash);
}

uint64_t BlockStore::used_blocks() const {
  uint64_t used = 0;
  for (const auto& memory : memories_) {
    used += memory.size() - static_cast<uint64_t>(std::count(memory.begin(), memory.end(), 0u));
  }
  return used;
}

Result<void> BlockStore::read(BlockPlace place, std::span<uint8_t> into) {
  if (!hash(place)) {
    std::memset(into.data(), 0, kBlockSize);
    return {};
  }
  const Entry& entry = entries_[memories_[place.memory][static_cast<size_t>(place.block)] - 1];
  const Batch& batch = batches_[entry.batch];
  if (current_ != entry.batch) {
    current_.reset();
    if (batch.kept.empty()) {
      const Result<std::span<const uint8_t>> bytes = readers_[batch.file]->blocks_at(batch.frame, content_);
      if (!bytes) return bytes.error();
      bytes_ = *bytes;
    } else {
      bytes_ = batch.kept;
    }
    current_ = entry.batch;
  }
  const uint64_t at = uint64_t{entry.index} * kBlockSize;
  if (at + kBlockSize > bytes_.size()) return damaged("there are not as many blocks as the index says");
  const std::span<const uint8_t> block = bytes_.subspan(static_cast<size_t>(at), kBlockSize);
  if (hash128(block) != entry.hash) return damaged("a block differs from its hash in the index");
  std::memcpy(into.data(), block.data(), kBlockSize);
  return {};
}

}  // namespace chiwawa::snapshot
