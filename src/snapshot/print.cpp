#include "snapshot/print.hpp"

#include <algorithm>

#include "snapshot/block_store.hpp"

namespace chiwawa::snapshot {

namespace {

constexpr size_t kOverviewFrames = 10;
constexpr size_t kOverviewLines = 8;  // of descriptors, memories, …

/// "name      " before the first line of a part, blanks before the others.
class Lines {
 public:
  explicit Lines(std::string& out) : out_(out) {}
  void part(const char* title) { title_ = title; }
  void add(const std::string& text) {
    std::string line(title_);
    line.resize(10, ' ');
    out_ += line + text + "\n";
    title_ = "";
  }

 private:
  std::string& out_;
  const char* title_ = "";
};

std::string plural(uint64_t count, const char* one, const char* many) {
  return grouped(count) + " " + (count == 1 ? one : many);
}

std::string size_of(const Limits& limits) {
  return limits.max ? "at most " + grouped(*limits.max) : std::string("no maximum");
}

std::string arguments(const std::vector<Value>& args, const Names& names) {
  std::string text = "(";
  for (const Value& arg : args) text += (text.size() > 1 ? ", " : "") + names.value(arg);
  return text + ")";
}

std::string frame_line(const Records& records, const Names& names, size_t depth) {
  const FrameImage& frame = records.machine.frames[records.machine.frames.size() - 1 - depth];
  std::string number = "#" + std::to_string(depth);
  number.resize(std::max<size_t>(number.size(), 4), ' ');
  return number + hex(frame.position, 6) + "  " + names.function(raw(frame.function)) + "  (" +
         plural(frame.local_count, "local", "locals") + ", " + plural(frame.operand_count, "operand", "operands") + ")";
}

void add_stack(Lines& lines, const Records& records, const Names& names) {
  const MachineImage& machine = records.machine;
  lines.part("stopped");
  std::string where = machine.steps ? "after " + plural(*machine.steps, "step", "steps") + ", " : "";
  where += plural(machine.frames.size(), "frame", "frames") + " deep, ";
  where += "in a call of " + names.function(raw(machine.entry));
  lines.add(where);
  if (machine.pending) {
    lines.add("waiting for " + names.function(raw(machine.pending->function)) +
              arguments(machine.pending->args, names));
  }
  for (size_t depth = 0; depth < std::min(machine.frames.size(), kOverviewFrames); ++depth) {
    lines.add(frame_line(records, names, depth));
  }
  if (machine.frames.size() > kOverviewFrames) {
    lines.add("… and " + grouped(machine.frames.size() - kOverviewFrames) + " more (--frames)");
  }
  if (machine.next) {
    lines.add("then " + names.function(raw(machine.next->function)) + arguments(machine.next->args, names));
  }
}

void add_store(Lines& lines, const Records& records) {
  lines.part("memory");
  for (uint32_t m = 0; m < records.memories.size(); ++m) {
    if (m == kOverviewLines) {
      lines.add("… and " + grouped(records.memories.size() - m) + " more");
      break;
    }
    const MemoryRecord& memory = records.memories[m];
    const uint64_t blocks = memory.listed_blocks;
    lines.add("#" + std::to_string(m) + " " + plural(memory.pages, "page", "pages") + " (" +
              size_in_words(memory.pages * kPageSize) + ", " + size_of(memory.type.limits) + "), " + grouped(blocks) +
              " of " + grouped(memory.pages * kPageSize / kBlockSize) + " 4-KiB blocks are not zero");
  }
  lines.part("tables");
  for (size_t t = 0; t < records.tables.size(); ++t) {
    if (t == kOverviewLines) {
      lines.add("… and " + grouped(records.tables.size() - t) + " more");
      break;
    }
    const TableRecord& table = records.tables[t];
    const auto used = static_cast<uint64_t>(
        std::count_if(table.elements.begin(), table.elements.end(), [](uint64_t ref) { return ref != kNullRef; }));
    lines.add("#" + std::to_string(t) + " " + grouped(table.elements.size()) + " " +
              std::string(name(table.type.element)) + " (" + size_of(table.type.limits) + "), " + grouped(used) +
              " not null");
  }
  lines.part("others");
  const auto dropped_elems =
      std::count_if(records.elems.begin(), records.elems.end(), [](auto& e) { return e.dropped; });
  const auto dropped_datas = std::count_if(records.datas_dropped.begin(), records.datas_dropped.end(),
                                           [](uint8_t dropped) { return dropped != 0; });
  lines.add(plural(records.globals.size(), "global", "globals") + ", " +
            plural(records.machine.values.size(), "value", "values") + " on the stack, " +
            plural(records.datas_dropped.size(), "data segment", "data segments") + " (" +
            std::to_string(dropped_datas) + " dropped), " +
            plural(records.elems.size(), "element segment", "element segments") + " (" + std::to_string(dropped_elems) +
            " dropped)");
}

void add_wasi(Lines& lines, const wasi::State& wasi) {
  lines.part("wasi");
  std::string command;
  for (const std::string& arg : wasi.args) command += (command.empty() ? "" : " ") + printable(arg);
  lines.add("run as: " + command + "  (" +
            plural(wasi.environ.size(), "environment variable", "environment variables") + ")");
  if (wasi.sleep) lines.add("asleep for " + grouped(wasi.sleep->elapsed / 1'000'000) + " ms so far");
  std::string streams;
  size_t shown = 0;
  for (const wasi::DescriptorRecord& d : wasi.descriptors) {
    if (d.kind <= wasi::DescriptorKind::Stderr) {
      streams += (streams.empty() ? "" : ", ") + describe(d);
    }
  }
  if (!streams.empty()) lines.add(streams);
  for (const wasi::DescriptorRecord& d : wasi.descriptors) {
    if (d.kind <= wasi::DescriptorKind::Stderr) continue;
    if (++shown > kOverviewLines) continue;
    lines.add(describe(d));
  }
  if (shown > kOverviewLines) lines.add("… and " + std::to_string(shown - kOverviewLines) + " more");
}

}  // namespace

std::string print_overview(const FileFacts& file, const Records& records, const Names& names) {
  std::string out;
  Lines lines(out);
  lines.part("snapshot");
  lines.add((file.name.empty() ? "" : printable(file.name) + ", ") + size_in_words(file.size) + ", format " +
            std::to_string(file.header.major) + "." + std::to_string(file.header.minor) + ", written by " +
            (file.header.writer.empty() ? "an unnamed program" : printable(file.header.writer)));
  lines.add("state " + to_hex(file.state_digest));
  lines.part("module");
  for (const ModuleRecord& module : records.modules) {
    lines.add((module.name.empty() ? "" : printable(module.name) + ", ") + size_in_words(module.size) + ", SHA-256 " +
              to_hex(module.sha256));
  }
  if (records.instances.size() > 1) lines.add(plural(records.instances.size(), "instance", "instances"));
  add_stack(lines, records, names);
  add_store(lines, records);
  if (records.wasi) add_wasi(lines, *records.wasi);
  return out;
}

std::string print_frames(const Records& records, const Names& names) {
  const MachineImage& machine = records.machine;
  std::string out;
  if (machine.pending) {
    out += "waiting for " + names.function(raw(machine.pending->function)) + arguments(machine.pending->args, names) +
           "\n";
  }
  size_t end = machine.values.size();  // of the frame's values
  for (size_t depth = 0; depth < machine.frames.size(); ++depth) {
    const FrameImage& frame = machine.frames[machine.frames.size() - 1 - depth];
    const size_t operands = end - frame.operand_count;
    const size_t locals = operands - frame.local_count;
    out += frame_line(records, names, depth) + "\n";
    for (size_t i = locals; i < operands; ++i) {
      out += "      local " + std::to_string(i - locals) + "    " + names.value(machine.values[i]) + "\n";
    }
    for (size_t i = operands; i < end; ++i) {
      out += "      operand " + std::to_string(i - operands) + "  " + names.value(machine.values[i]) + "\n";
    }
    end = locals;
  }
  return out;
}

Result<std::string> dump_memory(Reader& reader, std::optional<MemoryRange> range, const std::string& folder) {
  std::string out;
  if (!range) {
    CHIWAWA_TRY(verify_rest(reader));
    return out;
  }
  const auto& memories = reader.records().memories;
  if (range->memory >= memories.size()) {
    return Error{Phase::Invoke, "there is no memory " + std::to_string(range->memory), Error::kNoOffset};
  }
  const uint64_t size = memories[range->memory].pages * kPageSize;
  if (range->begin > range->end || range->end > size) {
    return Error{Phase::Invoke, "the memory ends at " + hex(size), Error::kNoOffset};
  }
  range->begin &= ~uint64_t{15};
  range->end = (range->end + 15) & ~uint64_t{15};
  BlockStore blocks;
  CHIWAWA_TRY(blocks.load(reader, folder));
  HexDump dump(out);
  std::vector<uint8_t> bytes(kBlockSize);
  for (uint64_t next = range->begin; next < range->end;) {
    const uint64_t block = next / kBlockSize;
    const uint64_t end = std::min((block + 1) * kBlockSize, range->end);
    CHIWAWA_TRY(blocks.read({range->memory, block}, bytes));
    dump.add(next, std::span<const uint8_t>(bytes).subspan(static_cast<size_t>(next % kBlockSize),
                                                           static_cast<size_t>(end - next)));
    next = end;
  }
  dump.finish(range->end);
  return out;
}

}  // namespace chiwawa::snapshot
