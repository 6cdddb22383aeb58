#include <algorithm>

#include "inspect/heap_view.hpp"
#include "inspect/memory_walk.hpp"
#include "inspect/views.hpp"

namespace chiwawa::inspect {

namespace {

using snapshot::Records;

constexpr size_t kFrames = 8;
constexpr size_t kMaxCommand = 200;  // bytes
constexpr size_t kItems = 4;         // memories, descriptors

/// At most kItems lines, then how many more there are.
template <typename F>
void lines(Text& out, const char* title, size_t count, const char* view, F line) {
  for (size_t i = 0; i < std::min(count, kItems); ++i) {
    out.part(i == 0 ? title : "");
    line(i);
    out << "\n";
  }
  if (count > kItems) {
    out.part("").put(Tone::Dim, "… and " + grouped(count - kItems) + " more (" + view + ")") << "\n";
  }
}

void print_program(Text& out, const Subject& subject) {
  const Records& records = subject.records;
  out.part("snapshot");
  if (!subject.file.name.empty()) out.put(Tone::Name, printable(subject.file.name)) << ", ";
  const snapshot::Header& header = subject.file.header;
  out << size_in_words(subject.file.size) << ", format " << std::to_string(header.major) << "."
      << std::to_string(header.minor) << ", written by "
      << (header.writer.empty() ? "an unnamed program" : printable(header.writer));
  if (header.time != 0) out << " on " << date(header.time);
  out << "\n";
  if (records.base) {
    out.part("base");
    out.put(Tone::Name, printable(records.base->name));
    out << ", of which this is an increment (state " << snapshot::to_hex(records.base->digest).substr(0, 16) << "…)\n";
  }
  lines(out, "module", records.modules.size(), "--json", [&](size_t i) {
    const snapshot::ModuleRecord& module = records.modules[i];
    if (!module.name.empty()) out.put(Tone::Name, printable(module.name)) << ", ";
    out << size_in_words(module.size) << ", SHA-256 " << snapshot::to_hex(module.sha256).substr(0, 16) << "…";
    if (module.embedded) out << ", embedded";
  });
  if (records.instances.size() > 1) {
    out.part("") << plural(records.instances.size(), "instance", "instances") << "\n";
  }
  if (!records.wasi) return;
  std::string command;
  for (const std::string& arg : records.wasi->args) command += (command.empty() ? "" : " ") + printable(arg);
  if (command.size() > kMaxCommand) {
    size_t end = kMaxCommand;
    while (end > 0 && (command[end] & 0xC0) == 0x80) --end;  // not within a character
    command = command.substr(0, end) + "…";
  }
  out.part("run as");
  out.put(Tone::Name, command) << "  ("
                               << plural(records.wasi->environ.size(), "environment variable", "environment variables")
                               << ")\n";
}

void print_stack(Text& out, const Subject& subject) {
  const MachineImage& machine = subject.records.machine;
  const Stack stack = stack_of(subject, true);
  out.part("stopped");
  if (machine.steps) out << "after " << plural(*machine.steps, "step", "steps") << ", ";
  if (machine.pending) {
    out << "waiting for ";
    out.put(Tone::Name, describe_call(*machine.pending, subject.names));
  } else if (!stack.frames.empty() && !stack.frames.front().instruction.empty()) {
    out << "before ";
    out.put(Tone::Name, stack.frames.front().instruction);
  } else if (!stack.frames.empty()) {
    out << "at " << hex(stack.frames.front().position, 6);
  }
  if (machine.waited) out << ", asleep for " << duration(*machine.waited) << " so far";
  if (subject.records.wasi && subject.records.wasi->sleep) {
    out << ", asleep for " << duration(subject.records.wasi->sleep->elapsed) << " so far";
  }
  if (machine.next) out << "; next comes " << describe_call(*machine.next, subject.names);
  out << "\n";
  if (stack.frames.empty()) return;
  out.part("stack") << plural(stack.frames.size() + stack.omitted, "frame", "frames") << ", innermost first\n";
  const size_t shown = stack.frames.size() <= kFrames + 1 ? stack.frames.size() : kFrames;
  for (size_t i = 0; i < shown; ++i) {
    const FrameView& frame = stack.frames[i];
    out.part("").put(Tone::Dim, padded("#" + std::to_string(frame.depth), 4));
    out.put(Tone::Name, frame.name);
    out << (frame.source ? " at " + short_place(*frame.source) : " at " + hex(frame.position, 6)) << "\n";
  }
  if (shown < stack.frames.size()) {
    out.part("").put(Tone::Dim,
                     "… and " + grouped(stack.frames.size() + stack.omitted - shown) + " more (backtrace), from ");
    out.put(Tone::Name, stack.frames.back().name) << "\n";
  }
}

void print_store(Text& out, const Subject& subject) {
  const Records& records = subject.records;
  lines(out, "memory", records.memories.size(), "memory", [&](size_t m) {
    const snapshot::MemoryRecord& memory = records.memories[m];
    const uint64_t used = used_blocks(subject, static_cast<uint32_t>(m));
    if (records.memories.size() > 1) out << subject.names.memory(static_cast<uint32_t>(m)) << ": ";
    out << size_in_words(memory.bytes()) << " (" << pages_in_words(memory) << ", " << maximum(memory.type.limits)
        << "), " << size_in_words(used * snapshot::kBlockSize) << " in use (" << plural(used, "block", "blocks")
        << " of 4 KiB)";
  });
  size_t elements = 0;
  for (const snapshot::TableRecord& table : records.tables) elements += table.elements.size();
  out.part("store") << plural(records.globals.size(), "global", "globals") << ", "
                    << plural(records.tables.size(), "table", "tables");
  if (elements != 0) out << " with " << plural(elements, "element", "elements");
  const auto dropped = std::count_if(records.elems.begin(), records.elems.end(), [](auto& e) { return e.dropped; }) +
                       std::count(records.datas_dropped.begin(), records.datas_dropped.end(), uint8_t{1});
  const size_t segments = records.elems.size() + records.datas_dropped.size();
  out << ", " << plural(segments, "segment", "segments");
  if (dropped != 0) out << " (" << grouped(static_cast<uint64_t>(dropped)) << " dropped)";
  out << "\n";
  if (!records.heap.objects.empty()) out.part("heap") << heap_in_words(records.heap) << "\n";
}

void print_descriptors(Text& out, const wasi::State& wasi) {
  // The standard streams share a line; usually there is nothing more to say of them.
  std::string streams;
  std::vector<const wasi::DescriptorRecord*> others;
  for (const wasi::DescriptorRecord& d : wasi.descriptors) {
    if (d.kind <= wasi::DescriptorKind::Stderr) {
      streams += (streams.empty() ? "" : ", ") + describe(d);
    } else {
      others.push_back(&d);
    }
  }
  const size_t first = streams.empty() ? 0 : 1;
  lines(out, "open", others.size() + first, "wasi",
        [&](size_t i) { out << (i < first ? streams : describe(*others[i - first])); });
}

}  // namespace

void print_overview(Text& out, const Subject& subject) {
  print_program(out, subject);
  print_stack(out, subject);
  print_store(out, subject);
  if (subject.records.wasi) print_descriptors(out, *subject.records.wasi);
}

}  // namespace chiwawa::inspect
