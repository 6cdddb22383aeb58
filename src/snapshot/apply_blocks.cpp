#include "snapshot/apply_blocks.hpp"

#include <cstring>

namespace chiwawa::snapshot {

Result<void> apply_blocks(const BlockBatch& batch, std::span<const std::span<uint8_t>> memories) {
  Result<void> result;
  const auto data = [&](BlockPlace place) { return memories[place.memory].data() + place.block * kBlockSize; };
  batch.for_each_run([&](const BlockRun& run, std::span<const Hash128> hashes, std::span<const uint8_t> bytes) {
    uint8_t* const to = data(run.first);
    switch (run.kind) {
      case BlockKind::Stored: std::memcpy(to, bytes.data(), bytes.size()); return;
      case BlockKind::Zero: std::memset(to, 0, size_t{run.count} * kBlockSize); return;
      case BlockKind::Copy:
      case BlockKind::Repeat: break;
    }
    for (uint32_t i = 0; i < run.count; ++i) {
      uint8_t* const block = to + size_t{i} * kBlockSize;
      std::memcpy(block, data(run.source_of(i)), kBlockSize);
      const bool repeated = run.kind == BlockKind::Repeat;
      if (repeated && i != 0) continue;
      if (hash128({block, kBlockSize}) != hashes[i]) result = damaged("a copied block differs from its hash");
    }
  });
  return result;
}

Result<void> read_blocks(Reader& reader, std::span<const std::span<uint8_t>> memories) {
  for (;;) {
    BlockBatch batch;
    const Result<bool> more = reader.next_batch(batch);
    if (!more) return more.error();
    if (!*more) return reader.finish();
    CHIWAWA_TRY(apply_blocks(batch, memories));
  }
}

}  // namespace chiwawa::snapshot
