#include "snapshot/decode_blocks.hpp"

#include <string>

#include "snapshot/container.hpp"
#include "snapshot/flat_root.hpp"
#include "snapshot/format.hpp"
#include "snapshot_generated.h"

namespace chiwawa::snapshot {

namespace {

/// "block 5 of memory 0"
std::string text(BlockPlace place) {
  return "block " + std::to_string(place.block) + " of memory " + std::to_string(place.memory);
}

bool is_aligned(const void* data) { return reinterpret_cast<uintptr_t>(data) % 8 == 0; }

}  // namespace

Result<void> BlockIndexDecoder::decode(std::span<const uint8_t> bytes, const Records& records) {
  const auto* const index = flat_root<schema::BlockIndex>(bytes, kBlockIndexIdentifier);
  if (index == nullptr || index->runs() == nullptr || index->runs()->size() == 0 ||
      !is_aligned(index->runs()->Data()) || (index->hashes() != nullptr && !is_aligned(index->hashes()->Data()))) {
    return damaged("a block index is malformed");
  }
  if (index->runs()->size() > kMaxBatchRuns) return damaged("a block index has too many runs");
  runs_.clear();
  hashes_.clear();
  stored_ = 0;
  uint64_t hashes = 0;
  uint64_t stored = 0;
  for (const schema::BlockRun* from : *index->runs()) {
    const BlockRun run{static_cast<BlockKind>(from->kind()),
                       {from->memory(), from->first()},
                       from->count(),
                       {from->source_memory(), from->source()}};
    if (run.kind > BlockKind::Zero) {
      return damaged("a block index has the unknown kind " + std::to_string(static_cast<int>(run.kind)));
    }
    if (run.first.memory >= records.memories.size()) {
      return damaged("a block index has memory " + std::to_string(run.first.memory) + ", which is not there");
    }
    const uint64_t blocks = records.memories[run.first.memory].blocks();
    if (run.count == 0 || run.first.block >= blocks || run.count > blocks - run.first.block) {
      return damaged(text(run.first) + " begins a run of " + std::to_string(run.count) +
                     ", which is not in the memory");
    }
    if (run.first < next_) return damaged(text(run.first) + " is not in ascending order");
    next_ = {run.first.memory, run.first.block + run.count};
    const bool copied = run.kind == BlockKind::Copy || run.kind == BlockKind::Repeat;
    if (copied) {
      // That it comes before the run keeps a copy's last source within the memory, too, if that is the same; another
      // memory's end must be looked at.
      const uint64_t last = run.source_of(run.count - 1).block;
      if (run.source >= run.first || last < run.source.block || last >= records.memories[run.source.memory].blocks()) {
        return damaged(text(run.first) + " is copied from " + text(run.source) + ", which is not before it");
      }
    } else if (run.source != BlockPlace{}) {
      return damaged(text(run.first) + " is not copied, but has a source");
    }
    if (run.kind == BlockKind::Zero && !records.base) {
      return damaged(text(run.first) + " is listed as zero without a base");
    }
    hashes += run.hash_count();
    if (run.kind == BlockKind::Stored) stored += run.count;
    if (hashes > kMaxBatchHashes || stored > kMaxBatchBlocks) return damaged("a block index lists too many blocks");
    runs_.push_back(run);
  }
  const uint64_t have = index->hashes() == nullptr ? 0 : index->hashes()->size();
  if (have != hashes) return damaged("a block index has not as many hashes as blocks");
  for (uint32_t i = 0; i < hashes; ++i) {
    const schema::BlockHash* const hash = index->hashes()->Get(i);
    hashes_.push_back({hash->low(), hash->high()});
  }
  stored_ = static_cast<uint32_t>(stored);
  return {};
}

Result<std::span<const uint8_t>> decode_blocks(std::span<const uint8_t> bytes) {
  const auto* const blocks = flat_root<schema::Blocks>(bytes, kBlocksIdentifier);
  if (blocks == nullptr || blocks->bytes() == nullptr) return damaged("blocks are malformed");
  return std::span<const uint8_t>(blocks->bytes()->data(), blocks->bytes()->size());
}

Result<std::span<const uint8_t>> decode_blocks(std::span<const uint8_t> bytes, const BlockIndexDecoder& index) {
  const Result<std::span<const uint8_t>> decoded = decode_blocks(bytes);
  if (!decoded) return decoded.error();
  const std::span<const uint8_t> contents = *decoded;
  if (contents.size() != uint64_t{index.stored()} * kBlockSize) {
    return damaged("there are not as many blocks as the index says");
  }
  size_t hash = 0;
  size_t at = 0;
  for (const BlockRun& run : index.runs()) {
    if (run.kind != BlockKind::Stored) {
      hash += run.hash_count();
      continue;
    }
    for (uint32_t i = 0; i < run.count; ++i, ++hash, at += kBlockSize) {
      if (hash128(contents.subspan(at, kBlockSize)) != index.hashes()[hash]) {
        return damaged(text({run.first.memory, run.first.block + i}) + " differs from its hash in the index");
      }
    }
  }
  return contents;
}

Result<void> decode_object_part(std::span<const uint8_t> bytes, HeapRecord& heap) {
  const auto* const part = flat_root<schema::ObjectPart>(bytes, kObjectPartIdentifier);
  if (part == nullptr) return damaged("a part of the heap is malformed");
  if (part->objects() != nullptr) {
    for (const schema::Object* object : *part->objects()) heap.objects.push_back({object->type(), object->length()});
  }
  if (part->bytes() != nullptr) heap.bytes.insert(heap.bytes.end(), part->bytes()->begin(), part->bytes()->end());
  return {};
}

Result<std::span<const uint8_t>> decode_module_part(std::span<const uint8_t> bytes, uint32_t module) {
  const auto* const part = flat_root<schema::ModulePart>(bytes, kModulePartIdentifier);
  if (part == nullptr || part->bytes() == nullptr || part->bytes()->size() == 0) {
    return damaged("a part of a module is malformed");
  }
  if (part->module_() != module) return damaged("a part of a module is not of the one that comes here");
  return std::span<const uint8_t>(part->bytes()->data(), part->bytes()->size());
}

}  // namespace chiwawa::snapshot
