// Differences as text and JSON.
#include <algorithm>

#include "inspect/diff.hpp"

namespace chiwawa::inspect {

namespace {

constexpr uint64_t kMaxCells = 4096;
constexpr size_t kCellsPerLine = 64;

std::string steps_text(std::pair<uint64_t, uint64_t> steps) {
  const auto [from, to] = steps;
  return plural(from < to ? to - from : from - to, "step", "steps") + (from < to ? " later" : " earlier") + " (" +
         grouped(from) + " → " + grouped(to) + ")";
}

std::string summary(const PartChanges& part) {
  if (part.count == 0) return "equal";
  return part.summary.empty() ? plural(part.count, "change", "changes") : part.summary;
}

std::string summary(const MemoryChanges& memory) {
  std::string text;
  if (memory.pages_a != memory.pages_b) {
    text = memory.pages_a < memory.pages_b ? "grown from " : "shrunk from ";
    text += grouped(memory.pages_a) + " to " + plural(memory.pages_b, "page", "pages");
  }
  if (memory.type_a != memory.type_b) {
    text += (text.empty() ? "" : ", ") + std::string("declared ") +
            (memory.type_a.empty() ? "nowhere" : memory.type_a) + " → " +
            (memory.type_b.empty() ? "nowhere" : memory.type_b);
  }
  if (memory.bytes != 0) {
    text += (text.empty() ? "" : ", ") + plural(memory.bytes, "byte differs", "bytes differ") + " in " +
            plural(memory.blocks.size(), "block", "blocks") + " of 4 KiB";
  }
  if (!memory.compared) return text.empty() ? "not compared" : text + ", contents not compared";
  return text.empty() ? "equal" : text;
}

void print_change(Text& out, const Change& change) {
  out << "  " << change.what;
  if (change.from.empty()) {
    out << "  ";
    out.put(Tone::Good, "+ " + change.to) << "\n";
  } else if (change.to.empty()) {
    out << "  ";
    out.put(Tone::Bad, "- " + change.from) << "\n";
  } else {
    out << ": ";
    out.put(Tone::Bad, change.from) << " → ";
    out.put(Tone::Good, change.to) << "\n";
  }
}

void print_more(Text& out, uint64_t count, const char* what) {
  out << "  ";
  out.put(Tone::Dim, "… and " + grouped(count) + " more" + what) << "\n";
}

void print_memory_lines(Text& out, const MemoryChanges& memory, size_t max_lines) {
  const size_t shown = std::min(max_lines, memory.shown.size());
  uint64_t next = 0;
  for (size_t i = 0; i < shown; ++i) {
    const LineChange& line = memory.shown[i];
    if (i != 0 && line.offset != next) out.put(Tone::Dim, "  …") << "\n";
    next = line.offset + 16;
    if (!line.a.empty()) out.put(Tone::Bad, "  - " + hex_line(line.offset, line.a)) << "\n";
    if (!line.b.empty()) out.put(Tone::Good, "  + " + hex_line(line.offset, line.b)) << "\n";
  }
  if (memory.lines > shown) print_more(out, memory.lines - shown, " lines");
}

}  // namespace

void print_diff(Text& out, const Differences& differences, DiffStyle style) {
  if (differences.steps) out.part("time") << steps_text(*differences.steps) << "\n";
  const auto print_part = [&](const PartChanges& part) {
    if (part.count == 0) return;
    out.part(part.name) << summary(part) << "\n";
    const size_t shown = std::min(style.max_changes, part.changes.size());
    for (size_t i = 0; i < shown; ++i) print_change(out, part.changes[i]);
    if (part.count > shown) print_more(out, part.count - shown, "");
  };
  for (const PartChanges& part : differences.parts) {
    if (part.name != "wasi") print_part(part);
  }
  for (const MemoryChanges& memory : differences.memories) {
    if (memory.empty()) continue;
    out.part(memory.name) << summary(memory) << "\n";
    print_memory_lines(out, memory, style.max_lines);
  }
  for (const PartChanges& part : differences.parts) {
    if (part.name == "wasi") print_part(part);
  }
}

void print_diff_stat(Text& out, const Differences& differences) {
  out.part("time") << (differences.steps ? steps_text(*differences.steps) : "no steps apart, or not counted") << "\n";
  const auto line = [&](const std::string& name, bool equal, const std::string& text) {
    out.part(name).put(equal ? Tone::Dim : Tone::Changed, text) << "\n";
  };
  for (const PartChanges& part : differences.parts) line(part.name, part.count == 0, summary(part));
  for (const MemoryChanges& memory : differences.memories) line(memory.name, memory.empty(), summary(memory));
}

void print_diff_pages(Text& out, const Differences& differences) {
  for (const MemoryChanges& memory : differences.memories) {
    const uint64_t size = std::max(memory.bytes_a, memory.bytes_b);
    const uint64_t common = std::min(memory.bytes_a, memory.bytes_b);
    uint64_t cell = snapshot::kBlockSize;
    while (size / cell > kMaxCells) cell *= 2;
    std::vector<uint64_t> changed(static_cast<size_t>((size + cell - 1) / cell));
    for (const uint64_t block : memory.blocks) ++changed[static_cast<size_t>(block * snapshot::kBlockSize / cell)];
    out.put(Tone::Title, memory.name) << ": " << summary(memory) << "; one character for " << size_in_words(cell);
    out.put(Tone::Dim, "   · equal   ░▒▓█ up to a quarter, half, three quarters, all of its blocks differ   + grown")
        << "\n";
    bool folding = false;
    for (size_t begin = 0; begin < changed.size(); begin += kCellsPerLine) {
      const size_t end = std::min(begin + kCellsPerLine, changed.size());
      std::string line;
      bool equal = true;
      for (size_t i = begin; i < end; ++i) {
        const uint64_t blocks = cell / snapshot::kBlockSize;
        if (changed[i] != 0) {
          constexpr const char* kShades[] = {"░", "▒", "▓", "█"};
          line += kShades[std::min<uint64_t>(3, (changed[i] * 4 - 1) / blocks)];
        } else {
          line += i * cell >= common ? "+" : "·";
        }
        equal = equal && changed[i] == 0 && i * cell < common;
      }
      if (equal && begin != 0 && end != changed.size()) {
        if (!folding) out << "*\n";
        folding = true;
        continue;
      }
      folding = false;
      out.put(Tone::Dim, hex(begin * cell, 8)) << "  ";
      out.put(equal ? Tone::Plain : Tone::Changed, line) << "\n";
    }
    out.put(Tone::Dim, hex(size, 8)) << "\n";
  }
}

Json json_of_diff(const Differences& differences) {
  Json json = {{"equal", differences.empty()}};
  if (differences.steps) {
    json["steps"] = {{"from", json_number(differences.steps->first)}, {"to", json_number(differences.steps->second)}};
  }
  Json parts = Json::array();
  for (const PartChanges& part : differences.parts) {
    Json changes = Json::array();
    for (const Change& change : part.changes) {
      Json entry = {{"what", change.what}};
      if (!change.from.empty()) entry["from"] = change.from;
      if (!change.to.empty()) entry["to"] = change.to;
      changes.push_back(std::move(entry));
    }
    parts.push_back({{"name", part.name}, {"count", json_number(part.count)}, {"changes", std::move(changes)}});
  }
  json["parts"] = std::move(parts);
  Json memories = Json::array();
  for (const MemoryChanges& memory : differences.memories) {
    Json blocks = Json::array();
    for (const uint64_t block : memory.blocks) blocks.push_back(json_number(block));
    Json lines = Json::array();
    for (const LineChange& line : memory.shown) {
      lines.push_back({{"offset", json_number(line.offset)}, {"from", hex_bytes(line.a)}, {"to", hex_bytes(line.b)}});
    }
    memories.push_back({{"index", memory.memory},
                        {"pages", {{"from", json_number(memory.pages_a)}, {"to", json_number(memory.pages_b)}}},
                        {"compared", memory.compared},
                        {"bytes", json_number(memory.bytes)},
                        {"blocks", std::move(blocks)},
                        {"lines", std::move(lines)}});
  }
  json["memories"] = std::move(memories);
  return json;
}

}  // namespace chiwawa::inspect
