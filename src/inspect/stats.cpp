#include "inspect/stats.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "snapshot/format.hpp"

namespace chiwawa::inspect {

namespace {

using snapshot::FrameKind;

const char* name(FrameKind kind) {
  switch (kind) {
    case FrameKind::State: return "state";
    case FrameKind::ModulePart: return "modules";
    case FrameKind::ObjectPart: return "objects";
    case FrameKind::BlockIndex: return "block index";
    case FrameKind::Blocks: return "blocks";
  }
  return "?";
}

void add_frames(Stats& stats, const FileFacts& file) {
  const uint64_t header = file.frames.empty() ? file.size : file.frames.front().offset;
  stats.parts.push_back({"header", 0, header, header});
  uint64_t end = header;
  for (const FrameKind kind :
       {FrameKind::State, FrameKind::ObjectPart, FrameKind::ModulePart, FrameKind::BlockIndex, FrameKind::Blocks}) {
    Stats::Part part{name(kind), 0, 0, 0};
    for (const snapshot::FrameEntry& frame : file.frames) {
      if (frame.kind != kind) continue;
      ++part.frames;
      part.bytes += frame.compressed_size;
      part.content += frame.content_size;
      end = std::max(end, frame.offset + frame.compressed_size);
    }
    if (part.frames != 0) stats.parts.push_back(std::move(part));
  }
  const uint64_t trailer = file.size > end ? file.size - end : 0;
  stats.parts.push_back({"trailer", 0, trailer, trailer});
}

uint64_t size_of(const std::vector<std::string>& strings) {
  uint64_t size = 0;
  for (const std::string& string : strings) size += string.size();
  return size;
}

/// The sizes of schema/snapshot.fbs: a frame 16, a value 9, a function 8, an address 4, a reference 8, a global 16.
void add_state(Stats& stats, const snapshot::Records& records) {
  const auto add = [&](const char* name, uint64_t bytes) {
    if (bytes != 0) stats.state.push_back({name, 0, 0, bytes});
  };
  add("stack", records.machine.frames.size() * 16 + records.machine.values.size() * 9);
  uint64_t addresses = 0;
  for (const snapshot::InstanceRecord& i : records.instances) {
    addresses +=
        i.funcs.size() + i.tables.size() + i.memories.size() + i.globals.size() + i.elems.size() + i.datas.size();
  }
  add("functions", records.funcs.size() * 8);
  add("instances", addresses * 4);
  uint64_t elements = 0;
  for (const snapshot::TableRecord& table : records.tables) elements += table.elements.size();
  add("tables", elements * 8);
  elements = 0;
  for (const snapshot::ElemRecord& elem : records.elems) elements += elem.elements.size();
  add("segments", elements * 8 + records.datas_dropped.size());
  add("globals", records.globals.size() * 16);
  if (!records.wasi) return;
  const wasi::State& wasi = *records.wasi;
  uint64_t bytes = size_of(wasi.args) + size_of(wasi.environ);
  for (const wasi::DescriptorRecord& d : wasi.descriptors) bytes += 64 + d.preopen.size() + d.path.size();
  add("wasi", bytes);
  bytes = 0;
  for (const std::vector<uint8_t>& file : wasi.removed_files) bytes += file.size();
  add("removed files", bytes);
}

}  // namespace

Result<Stats> stats_of(const Subject& subject) {
  Stats stats;
  stats.file_bytes = subject.file.size;
  add_frames(stats, subject.file);
  add_state(stats, subject.records);
  std::set<std::array<uint64_t, 2>> seen;
  for (uint32_t m = 0; m < subject.records.memories.size(); ++m) {
    Stats::MemoryPart part;
    part.name = subject.names.memory(m);
    part.bytes = subject.records.memories[m].bytes();
    for (uint64_t block = 0; block < subject.blocks.end(m); ++block) {
      const auto hash = subject.blocks.hash({m, block});
      if (!hash) continue;
      ++part.used_blocks;
      part.distinct_blocks += seen.insert({hash->low, hash->high}).second ? 1 : 0;
    }
    CHIWAWA_TRY(walk_memory(subject, whole_memory(subject.records, m), [&](uint64_t, std::span<const uint8_t> bytes) {
      part.used_bytes += bytes.size() - static_cast<uint64_t>(std::count(bytes.begin(), bytes.end(), uint8_t{0}));
    }));
    stats.memories.push_back(std::move(part));
  }
  return stats;
}

void print_stats(Text& out, const Stats& stats) {
  const auto percent = [&](uint64_t bytes) {
    return stats.file_bytes == 0 ? std::string() : std::to_string(bytes * 100 / stats.file_bytes) + " %";
  };
  const auto right = [](const std::string& text, size_t width) {
    return std::string(text.size() < width ? width - text.size() : 0, ' ') + text;
  };
  out.put(Tone::Title, "The file") << "  " << right(grouped(stats.file_bytes), 16) << " bytes\n";
  for (const Stats::Part& part : stats.parts) {
    out << "  " << padded(part.name, 14) << right(grouped(part.bytes), 10) << right(percent(part.bytes), 7);
    if (part.frames != 0) {
      out << "   " << right(grouped(part.content), 13) << " before compression, "
          << plural(part.frames, "frame", "frames");
    }
    out << "\n";
  }
  if (!stats.state.empty()) out.put(Tone::Title, "The state") << ", about, before compression\n";
  for (const Stats::Part& part : stats.state) {
    out << "  " << padded(part.name, 14) << right(grouped(part.content), 10) << "\n";
  }
  for (const Stats::MemoryPart& part : stats.memories) {
    const uint64_t all = part.bytes / snapshot::kBlockSize;
    out.put(Tone::Title, part.name) << ", " << size_in_words(part.bytes) << ", " << plural(all, "block", "blocks")
                                    << " of 4 KiB\n";
    out << "  zero          " << right(grouped(all - part.used_blocks), 10) << " blocks, which cost nothing\n";
    out << "  repeated      " << right(grouped(part.used_blocks - part.distinct_blocks), 10)
        << " blocks, equal to others\n";
    out << "  distinct      " << right(grouped(part.distinct_blocks), 10) << " blocks\n";
    out << "  in use        " << right(grouped(part.used_bytes), 10) << " bytes that are not zero\n";
  }
}

Json json_of_stats(const Stats& stats) {
  const auto of_parts = [](const std::vector<Stats::Part>& parts, bool file) {
    Json list = Json::array();
    for (const Stats::Part& part : parts) {
      Json json = {{"name", part.name}, {"content_bytes", json_number(part.content)}};
      if (file) json["bytes"] = json_number(part.bytes);
      if (file) json["frames"] = json_number(part.frames);
      list.push_back(std::move(json));
    }
    return list;
  };
  Json memories = Json::array();
  for (const Stats::MemoryPart& part : stats.memories) {
    memories.push_back({{"bytes", json_number(part.bytes)},
                        {"used_blocks", json_number(part.used_blocks)},
                        {"distinct_blocks", json_number(part.distinct_blocks)},
                        {"used_bytes", json_number(part.used_bytes)}});
  }
  return {{"file_bytes", json_number(stats.file_bytes)},
          {"parts", of_parts(stats.parts, true)},
          {"state", of_parts(stats.state, false)},
          {"memories", std::move(memories)}};
}

}  // namespace chiwawa::inspect
