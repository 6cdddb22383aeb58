#include "snapshot/apply_blocks.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace chiwawa::snapshot {

namespace {

/// What there is of the blocks from `place` on: less than `count` blocks if the memory ends in the last of them.
std::span<uint8_t> bytes_at(std::span<const std::span<uint8_t>> memories, BlockPlace place, uint32_t count) {
  const std::span<uint8_t> rest = memories[place.memory].subspan(static_cast<size_t>(place.block) * kBlockSize);
  return rest.first(std::min(rest.size(), size_t{count} * kBlockSize));
}

/// Copies `bytes` to `to`, which may be shorter: what is behind must be zero.
bool put(std::span<uint8_t> to, std::span<const uint8_t> bytes) {
  std::memcpy(to.data(), bytes.data(), to.size());
  const auto behind = bytes.subspan(to.size());
  return std::all_of(behind.begin(), behind.end(), [](uint8_t byte) { return byte == 0; });
}

}  // namespace

Result<void> apply_blocks(const BlockBatch& batch, std::span<const std::span<uint8_t>> memories) {
  Result<void> result;
  const auto check = [&result](bool good, const char* cause) {
    if (!good) result = damaged(cause);
  };
  constexpr const char* kBeyond = "a block has bytes beyond the end of its memory";
  batch.for_each_run([&](const BlockRun& run, std::span<const Hash128> hashes, std::span<const uint8_t> bytes) {
    const std::span<uint8_t> to = bytes_at(memories, run.first, run.count);
    switch (run.kind) {
      case BlockKind::Stored: return check(put(to, bytes), kBeyond);
      case BlockKind::Zero: std::memset(to.data(), 0, to.size()); return;
      case BlockKind::Copy:
      case BlockKind::Repeat: break;
    }
    std::array<uint8_t, kBlockSize> block;
    for (uint32_t i = 0; i < run.count; ++i) {
      const std::span<const uint8_t> source = bytes_at(memories, run.source_of(i), 1);
      std::copy(source.begin(), source.end(), block.begin());
      std::fill(block.begin() + static_cast<ptrdiff_t>(source.size()), block.end(), uint8_t{0});
      check(put(bytes_at(memories, {run.first.memory, run.first.block + i}, 1), block), kBeyond);
      const bool repeated = run.kind == BlockKind::Repeat;
      if (repeated && i != 0) continue;
      check(hash128(block) == hashes[i], "a copied block differs from its hash");
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
