// The hex dump of a range, and the range itself.
#include "inspect/memory_views.hpp"

#include <algorithm>

namespace chiwawa::inspect {

namespace {

/// Bytes of memory in one JSON document; they take more than twice as many characters.
constexpr uint64_t kMaxJsonBytes = 64u << 20;

Error wrong(std::string cause) { return {Phase::Invoke, std::move(cause), Error::kNoOffset}; }

}  // namespace

Result<MemoryRange> memory_range(const snapshot::Records& records, uint32_t memory,
                                 std::optional<std::pair<uint64_t, uint64_t>> bytes) {
  if (memory >= records.memories.size()) {
    return wrong(records.memories.empty() ? "the program has no memory"
                                          : "there is no memory " + std::to_string(memory));
  }
  const uint64_t size = records.memories[memory].bytes();
  MemoryRange range{memory, 0, size};
  if (bytes) {
    range.begin = bytes->first;
    range.end = bytes->second;
    if (range.begin > range.end) return wrong("the range ends before it begins");
    if (range.end > size) return wrong("the memory ends at " + hex(size));
  }
  return range;
}

Result<void> print_memory(Text& out, const Subject& subject, MemoryRange range) {
  static constexpr uint8_t kZeros[16] = {};
  range.begin &= ~uint64_t{15};
  range.end = (range.end + 15) & ~uint64_t{15};
  HexDump dump(out);
  uint64_t next = range.begin;
  // Two lines of zeros fold like any number of them.
  const auto zeros = [&](uint64_t end) {
    for (int lines = 0; next < end && lines < 2; ++lines, next += 16) dump.add(next, kZeros);
    next = std::max(next, end);
  };
  CHIWAWA_TRY(walk_memory(subject, range, [&](uint64_t offset, std::span<const uint8_t> bytes) {
    zeros(offset);
    dump.add(offset, bytes);
    next = offset + bytes.size();
  }));
  zeros(range.end);
  dump.finish(range.end);
  return {};
}

Result<Json> json_of_memory(const Subject& subject, MemoryRange range) {
  Json pieces = Json::array();
  uint64_t total = 0;
  CHIWAWA_TRY(walk_memory(subject, range, [&](uint64_t offset, std::span<const uint8_t> bytes) {
    total += bytes.size();
    if (total > kMaxJsonBytes) return;
    std::string text = hex_bytes(bytes);
    std::erase(text, ' ');
    pieces.push_back({{"offset", json_number(offset)}, {"hex", std::move(text)}});
  }));
  if (total > kMaxJsonBytes) {
    return wrong("the range holds " + size_in_words(total) +
                 ", too many for one JSON document: give a smaller --range");
  }
  return Json{{"index", range.memory},
              {"begin", json_number(range.begin)},
              {"end", json_number(range.end)},
              {"pieces", std::move(pieces)}};
}

}  // namespace chiwawa::inspect
