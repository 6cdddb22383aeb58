// Which pages exist and how full they are.
#include <algorithm>

#include "inspect/memory_views.hpp"

namespace chiwawa::inspect {

namespace {

constexpr uint64_t kMaxCells = 4096;
constexpr size_t kCellsPerLine = 64;
/// From empty to full: no byte at all, some, …, all.
constexpr const char* kShades[] = {"·", "░", "▒", "▓", "█"};

size_t shade(uint64_t used, uint64_t size) {
  if (used == 0) return 0;
  return std::min<size_t>(4, 1 + static_cast<size_t>(used * 4 / (size + 1)));
}

}  // namespace

Result<PageMap> page_map(const Subject& subject, MemoryRange range) {
  PageMap map;
  const uint64_t block = snapshot::kBlockSize;
  range.begin = range.begin / block * block;
  range.end = (range.end + block - 1) / block * block;
  map.range = range;
  map.cell_bytes = block;
  const uint64_t size = range.end - range.begin;
  while (size / map.cell_bytes > kMaxCells) map.cell_bytes *= 2;
  map.used.resize(static_cast<size_t>((size + map.cell_bytes - 1) / map.cell_bytes));
  CHIWAWA_TRY(walk_memory(subject, range, [&](uint64_t offset, std::span<const uint8_t> bytes) {
    map.used[static_cast<size_t>((offset - range.begin) / map.cell_bytes)] +=
        bytes.size() - static_cast<uint64_t>(std::count(bytes.begin(), bytes.end(), uint8_t{0}));
  }));
  return map;
}

void print_page_map(Text& out, const PageMap& map) {
  out << "memory " << std::to_string(map.range.memory) << ": one character for " << size_in_words(map.cell_bytes);
  out.put(Tone::Dim, "   · only zeros   ░▒▓█ up to a quarter, half, three quarters, all of the bytes in use") << "\n";
  uint64_t folded = 0;
  for (size_t line = 0; line < map.used.size(); line += kCellsPerLine) {
    const size_t count = std::min(kCellsPerLine, map.used.size() - line);
    const auto cells = std::span(map.used).subspan(line, count);
    const bool empty = std::all_of(cells.begin(), cells.end(), [](uint64_t used) { return used == 0; });
    // The first of several empty lines is shown.
    folded = empty ? folded + 1 : 0;
    if (folded > 1 && line + count < map.used.size()) {
      if (folded == 2) out << "*\n";
      continue;
    }
    out.put(Tone::Dim, hex(map.range.begin + line * map.cell_bytes, 8)) << "  ";
    for (const uint64_t used : cells) out << kShades[shade(used, map.cell_bytes)];
    out << "\n";
  }
  out.put(Tone::Dim, hex(map.range.end, 8)) << "\n";
}

Json json_of_page_map(const PageMap& map) {
  Json used = Json::array();
  for (const uint64_t bytes : map.used) used.push_back(json_number(bytes));
  return {{"index", map.range.memory},
          {"begin", json_number(map.range.begin)},
          {"end", json_number(map.range.end)},
          {"cell_bytes", json_number(map.cell_bytes)},
          {"used", std::move(used)}};
}

}  // namespace chiwawa::inspect
