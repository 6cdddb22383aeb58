#include "inspect/diff_memory.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace chiwawa::inspect {

namespace {

constexpr uint64_t kBlock = snapshot::kBlockSize;
constexpr uint64_t kLine = 16;

using Block = std::array<uint8_t, snapshot::kBlockSize>;

/// Empty if there is no such memory.
snapshot::MemoryRecord record(const Subject& subject, uint32_t memory) {
  return memory < subject.records.memories.size() ? subject.records.memories[memory] : snapshot::MemoryRecord{};
}

std::string type(const Subject& subject, uint32_t memory) {
  if (memory >= subject.records.memories.size()) return {};
  const MemoryType& type = subject.records.memories[memory].type;
  const Limits& limits = type.limits;
  return std::string(type.address == ValType::I64 ? "64-bit, " : "") + std::to_string(limits.min) + "…" +
         (limits.max ? std::to_string(*limits.max) : "") + (type.page_exponent == 0 ? " of 1 byte" : "") +
         (type.is_shared ? ", shared" : "");
}

/// The block's bytes, zeros if it is not stored.
Result<void> read(const Subject& subject, snapshot::BlockPlace place, Block& into) {
  if (subject.blocks.hash(place)) return subject.blocks.read(place, into);
  into.fill(0);
  return {};
}

/// The part of a line that is within a memory of `size` bytes.
std::vector<uint8_t> line_of(const Block& block, size_t at, uint64_t offset, uint64_t size) {
  const uint64_t count = offset >= size ? 0 : std::min(kLine, size - offset);
  const auto begin = block.begin() + static_cast<ptrdiff_t>(at);
  return {begin, begin + static_cast<ptrdiff_t>(count)};
}

void compare_block(uint64_t number, const Block& a, const Block& b, MemoryRange range, MemoryChanges& changes) {
  bool differs = false;
  for (size_t line = 0; line < kBlock; line += kLine) {
    if (std::memcmp(a.data() + line, b.data() + line, kLine) == 0) continue;
    const uint64_t offset = number * kBlock + line;
    uint64_t bytes = 0;
    for (size_t i = 0; i < kLine; ++i) {
      const bool inside = offset + i >= range.begin && offset + i < range.end;
      bytes += inside && a[line + i] != b[line + i] ? 1 : 0;
    }
    if (bytes == 0) continue;
    differs = true;
    changes.bytes += bytes;
    if (++changes.lines > MemoryChanges::kMaxLines) continue;
    changes.shown.push_back(
        {offset, line_of(a, line, offset, changes.bytes_a), line_of(b, line, offset, changes.bytes_b)});
  }
  if (differs) changes.blocks.push_back(number);
}

}  // namespace

Result<void> diff_memories(const Subject& a, const Subject& b, const DiffOptions& options,
                           std::vector<MemoryChanges>& memories, int& which) {
  const auto count = static_cast<uint32_t>(std::max(a.records.memories.size(), b.records.memories.size()));
  Block bytes_a;
  Block bytes_b;
  for (uint32_t memory = 0; memory < count; ++memory) {
    MemoryChanges changes;
    changes.memory = memory;
    changes.name = b.names.memory(memory);
    changes.pages_a = record(a, memory).pages;
    changes.pages_b = record(b, memory).pages;
    changes.bytes_a = record(a, memory).bytes();
    changes.bytes_b = record(b, memory).bytes();
    changes.type_a = type(a, memory);
    changes.type_b = type(b, memory);
    changes.compared = !options.range || options.range->memory == memory;
    MemoryRange range{memory, 0, std::max(changes.bytes_a, changes.bytes_b)};
    if (options.range && changes.compared)
      range = {memory, options.range->begin, std::min(options.range->end, range.end)};
    const uint64_t end = std::max(a.blocks.end(memory), b.blocks.end(memory));
    const uint64_t last = changes.compared ? std::min(end, (range.end + kBlock - 1) / kBlock) : 0;
    for (uint64_t block = range.begin / kBlock; block < last; ++block) {
      if (a.blocks.hash({memory, block}) == b.blocks.hash({memory, block})) continue;
      which = 0;
      CHIWAWA_TRY(read(a, {memory, block}, bytes_a));
      which = 1;
      CHIWAWA_TRY(read(b, {memory, block}, bytes_b));
      compare_block(block, bytes_a, bytes_b, range, changes);
    }
    memories.push_back(std::move(changes));
  }
  return {};
}

}  // namespace chiwawa::inspect
