// Memory contents in a snapshot: zero blocks, equal blocks, and indices that lie.
#include <algorithm>
#include <functional>

#include <catch2/generators/catch_generators.hpp>

#include "snapshot/apply_blocks.hpp"
#include "snapshot/block_store.hpp"
#include "snapshot_forgery.hpp"
#include "unit/snapshot_fixture.hpp"

using namespace chiwawa;
using namespace chiwawa::snapshot;

namespace {

constexpr uint64_t kPages = 80;  // of 16 blocks each: more than fits one batch

/// Records with one memory of so many bytes, and nothing else that matters here.
Records records_with_memory(uint64_t bytes) {
  Records records;
  const uint8_t exponent = bytes % kPageSize == 0 ? kPageSizeExponent : 0;
  const uint64_t pages = bytes >> exponent;
  records.memories.push_back({{{pages, std::nullopt}, ValType::I32, exponent}, pages});
  records.host_funcs.push_back({"env", "f", {}});
  records.funcs.push_back({kHostInstance, 0});
  return records;
}

/// Memory of which block b is filled with a pattern of its own for every fill(b) that is not 0.
std::vector<uint8_t> memory_of(uint64_t pages, const std::function<uint32_t(uint64_t)>& fill) {
  std::vector<uint8_t> bytes(pages * kPageSize);
  for (uint64_t b = 0; b < bytes.size() / kBlockSize; ++b) {
    uint32_t value = fill(b);
    if (value == 0) continue;
    for (size_t i = 0; i < kBlockSize; i += 4) {
      value = value * 1664525 + 1013904223;
      bytes[b * kBlockSize + i] = static_cast<uint8_t>(value >> 24);
      bytes[b * kBlockSize + i + 1] = static_cast<uint8_t>(value >> 16);
    }
  }
  return bytes;
}

std::vector<uint8_t> write(const std::vector<uint8_t>& memory) {
  MemorySink sink;
  REQUIRE(write_records(
      sink, records_with_memory(memory.size()), [&](uint32_t) { return std::span<const uint8_t>(memory); }, "test"));
  return sink.data;
}

struct Listed {
  std::vector<BlockRun> runs;
  size_t stored = 0;  // blocks
};

Listed list(const std::vector<uint8_t>& file) {
  MemorySource source(file);
  Reader reader(source);
  REQUIRE(reader.open());
  Listed result;
  BlockBatch batch;
  for (;;) {
    const Result<bool> more = reader.next_batch(batch);
    REQUIRE(more);
    if (!*more) break;
    result.runs.insert(result.runs.end(), batch.runs.begin(), batch.runs.end());
    result.stored += batch.bytes.size() / kBlockSize;
  }
  REQUIRE(reader.finish());
  return result;
}

std::vector<uint8_t> read(const std::vector<uint8_t>& file) {
  MemorySource source(file);
  Reader reader(source);
  REQUIRE(reader.open());
  std::vector<uint8_t> bytes(reader.records().memories[0].bytes());
  const std::span<uint8_t> memory = bytes;
  const Result<void> result = read_blocks(reader, std::span(&memory, 1));
  INFO((result ? "" : describe(result.error())));
  REQUIRE(result);
  return bytes;
}

/// A file with that index and those stored blocks.
std::string verdict(const std::vector<BlockRun>& runs, const std::vector<Hash128>& hashes,
                    const std::vector<uint8_t>& bytes, uint64_t size = kPages * kPageSize) {
  MemorySink sink;
  ContainerWriter container(sink);
  REQUIRE(container.header({}));
  REQUIRE(container.frame(FrameKind::State, *encode_state(records_with_memory(size)), 1));
  REQUIRE(container.frame(FrameKind::BlockIndex, encode_block_index({runs, hashes, {}}), 1));
  if (!bytes.empty()) REQUIRE(container.frame(FrameKind::Blocks, encode_blocks(bytes), 1));
  REQUIRE(container.trailer());
  MemorySource source(sink.data);
  Reader reader(source);
  REQUIRE(reader.open());
  std::vector<uint8_t> memory(size);
  const std::span<uint8_t> memories = memory;
  const Result<void> result = read_blocks(reader, std::span(&memories, 1));
  return result ? "" : result.error().cause;
}

}  // namespace

TEST_CASE("Zero blocks are not in a snapshot", "[snapshot][blocks]") {
  const std::vector<uint8_t> file = write(memory_of(kPages, [](uint64_t) { return 0; }));
  CHECK(list(file).runs.empty());
  CHECK(file.size() < 500);
  CHECK(read(file) == std::vector<uint8_t>(kPages * kPageSize));
}

TEST_CASE("Equal blocks are stored once", "[snapshot][blocks]") {
  // A long run of one pattern, then a stretch of different ones, then the stretch again.
  const auto memory = memory_of(kPages, [](uint64_t b) -> uint32_t {
    if (b < 700) return 5;
    if (b < 800) return static_cast<uint32_t>(100 + b);
    if (b >= 900 && b < 1000) return static_cast<uint32_t>(b - 100);
    return 0;
  });
  const std::vector<uint8_t> file = write(memory);
  const Listed listed = list(file);
  CHECK(listed.stored == 101);
  const std::vector<BlockRun> expected = {
      {BlockKind::Stored, {0, 0}, 1, {}},
      {BlockKind::Repeat, {0, 1}, 699, {0, 0}},
      {BlockKind::Stored, {0, 700}, 100, {}},
      {BlockKind::Copy, {0, 900}, 100, {0, 700}},
  };
  CHECK(listed.runs == expected);
  CHECK(read(file) == memory);
  MemorySource source(file);
  CHECK(verify(source));
}

TEST_CASE("Memory of many batches comes back", "[snapshot][blocks]") {
  const auto memory = memory_of(kPages, [](uint64_t b) { return static_cast<uint32_t>(b % 7 == 3 ? 0 : b + 1); });
  const std::vector<uint8_t> file = write(memory);
  CHECK(read(file) == memory);

  MemorySource source(file);
  Reader reader(source);
  const bool seeks = GENERATE(true, false);
  if (seeks) REQUIRE(*reader.seek_over());
  REQUIRE(reader.open());
  BlockStore store;
  REQUIRE(store.load(reader, "."));
  std::vector<uint8_t> block(kBlockSize);
  for (uint64_t b = kPages * 16; b-- > 0;) {
    REQUIRE(store.read({0, b}, block));
    REQUIRE(std::equal(block.begin(), block.end(), memory.begin() + static_cast<ptrdiff_t>(b * kBlockSize)));
  }
  CHECK(store.end(0) == kPages * 16);
  CHECK(store.stored_blocks() == store.used_blocks());
}

TEST_CASE("A block index that lies is refused", "[snapshot][blocks]") {
  const std::vector<uint8_t> bytes = memory_of(1, [](uint64_t b) { return static_cast<uint32_t>(b + 1); });
  const std::vector<uint8_t> one(bytes.begin(), bytes.begin() + kBlockSize);
  const Hash128 hash = hash128(one);
  const BlockRun stored{BlockKind::Stored, {0, 3}, 1, {}};
  const auto contains = [](const std::string& text, std::string_view part) {
    UNSCOPED_INFO(text);
    return text.find(part) != std::string::npos;
  };
  CHECK(verdict({stored}, {hash}, one).empty());
  CHECK(verdict({stored, {BlockKind::Repeat, {0, 9}, 5, {0, 3}}}, {hash, hash}, one).empty());

  CHECK(contains(verdict({}, {}, {}), "malformed"));
  CHECK(contains(verdict({stored}, {{hash.low ^ 1, hash.high}}, one), "differs from its hash"));
  CHECK(contains(verdict({stored}, {}, one), "as many hashes"));
  CHECK(contains(verdict({stored}, {hash, hash}, one), "as many hashes"));
  CHECK(contains(verdict({stored}, {hash}, bytes), "not as many blocks"));
  CHECK(contains(verdict({stored}, {hash}, {}), "expected a compressed frame"));
  CHECK(contains(verdict({{BlockKind::Stored, {0, 3}, 0, {}}}, {}, {}), "not in the memory"));
  CHECK(contains(verdict({{BlockKind::Stored, {1, 3}, 1, {}}}, {hash}, one), "has memory 1, which is not there"));
  CHECK(contains(verdict({{BlockKind::Stored, {0, kPages * 16}, 1, {}}}, {hash}, one), "not in the memory"));
  CHECK(contains(verdict({{BlockKind::Stored, {0, ~uint64_t{0}}, 2, {}}}, {hash, hash}, one), "not in the memory"));
  CHECK(contains(verdict({stored, stored}, {hash, hash}, one), "ascending"));
  CHECK(contains(verdict({{BlockKind::Stored, {0, 3}, 1, {0, 1}}}, {hash}, one), "has a source"));
  CHECK(contains(verdict({{BlockKind::Zero, {0, 3}, 1, {}}}, {}, {}), "without a base"));
  CHECK(contains(verdict({{static_cast<BlockKind>(4), {0, 3}, 1, {}}}, {}, {}), "unknown kind 4"));
  CHECK(contains(verdict({{BlockKind::Stored, {0, 3}, 257, {}}}, std::vector<Hash128>(257), one), "too many blocks"));
  CHECK(contains(verdict({{BlockKind::Copy, {0, 3}, 1, {0, 3}}}, {hash}, {}), "not before it"));
  CHECK(contains(verdict({{BlockKind::Copy, {0, 3}, 1, {1, 0}}}, {hash}, {}), "not before it"));
  CHECK(contains(verdict({{BlockKind::Copy, {0, 3}, 2, {0, ~uint64_t{0}}}}, {hash, hash}, {}), "not before it"));
  CHECK(
      contains(verdict({stored, {BlockKind::Copy, {0, 9}, 1, {0, 3}}}, {hash, {1, 2}}, one), "differs from its hash"));
  // A copy that overlaps its source repeats it.
  CHECK(verdict({stored, {BlockKind::Copy, {0, 4}, 2, {0, 3}}}, {hash, hash, hash}, one).empty());
}

TEST_CASE("A memory may end within a block, which has zeros behind", "[snapshot][blocks]") {
  constexpr size_t kEnd = 3 * kBlockSize + 100;
  std::vector<uint8_t> memory(kEnd);
  std::fill_n(memory.begin(), 100, uint8_t{7});
  std::fill_n(memory.begin() + 3 * kBlockSize, 100, uint8_t{7});
  const std::vector<uint8_t> file = write(memory);
  CHECK(list(file).runs ==
        std::vector<BlockRun>{{BlockKind::Stored, {0, 0}, 1, {}}, {BlockKind::Copy, {0, 3}, 1, {0, 0}}});
  CHECK(read(file) == memory);
  memory[kEnd - 1] = 8;
  CHECK(list(write(memory)).stored == 2);
  CHECK(read(write(memory)) == memory);

  std::vector<uint8_t> block(kBlockSize, 1);
  Hash128 hash = hash128(block);
  constexpr const char* kBeyond = "a block has bytes beyond the end of its memory";
  CHECK(verdict({{BlockKind::Stored, {0, 3}, 1, {}}}, {hash}, block, kEnd) == kBeyond);
  CHECK(verdict({{BlockKind::Stored, {0, 0}, 1, {}}, {BlockKind::Copy, {0, 3}, 1, {0, 0}}}, {hash, hash}, block,
                kEnd) == kBeyond);
  CHECK(verdict({{BlockKind::Stored, {0, 0}, 1, {}}, {BlockKind::Repeat, {0, 2}, 2, {0, 0}}}, {hash, hash}, block,
                kEnd) == kBeyond);
  std::fill(block.begin() + 100, block.end(), uint8_t{0});
  hash = hash128(block);
  CHECK(verdict({{BlockKind::Stored, {0, 3}, 1, {}}}, {hash}, block, kEnd).empty());
}
