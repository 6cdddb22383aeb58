#include "inspect/diff.hpp"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "inspect/diff_memory.hpp"
#include "inspect/heap_view.hpp"
#include "inspect/open.hpp"

namespace chiwawa::inspect {

namespace {

using snapshot::Records;

/// Collects the changes of one part.
class Part {
 public:
  Part(std::vector<PartChanges>& all, std::string name) : all_(all) { part_.name = std::move(name); }
  ~Part() { all_.push_back(std::move(part_)); }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  void add(std::string what, std::string from, std::string to) {
    if (++part_.count <= PartChanges::kMaxKept) {
      part_.changes.push_back({std::move(what), std::move(from), std::move(to)});
    }
  }
  void changed(const std::string& what, const std::string& from, const std::string& to) {
    if (from != to) add(what, from, to);
  }
  void changed(const std::string& what, uint64_t from, uint64_t to) { changed(what, grouped(from), grouped(to)); }
  void summary(const std::string& text) { part_.summary += (part_.summary.empty() ? "" : ", ") + text; }
  uint64_t count() const { return part_.count; }

 private:
  std::vector<PartChanges>& all_;
  PartChanges part_;
};

std::string item(const char* name, size_t i) { return std::string(name) + " " + std::to_string(i); }

std::string text(const Limits& limits) {
  return std::to_string(limits.min) + "…" + (limits.max ? std::to_string(*limits.max) : "");
}

std::string text(const TableType& type) {
  return std::string(name(type.element)) + " " + text(type.limits) + " by " + std::string(name(type.address));
}

/// A frame and its values.
struct Frame {
  const FrameImage* image = nullptr;
  std::span<const Value> locals;
  std::span<const Value> operands;
};

/// Outermost first.
std::vector<Frame> frames_of(const MachineImage& machine) {
  std::vector<Frame> frames;
  size_t at = 0;
  for (const FrameImage& frame : machine.frames) {
    const auto values = std::span(machine.values).subspan(at, size_t{frame.local_count} + frame.operand_count);
    frames.push_back({&frame, values.first(frame.local_count), values.subspan(frame.local_count)});
    at += values.size();
  }
  return frames;
}

/// How many fields of an object that differs are shown.
constexpr size_t kObjectFields = 12;

class Differ {
 public:
  Differ(const Subject& a, const Subject& b, const DiffOptions& options)
      : a_(a.records),
        b_(b.records),
        modules_a_(a.modules),
        modules_b_(b.modules),
        names_a_(a.names),
        names_b_(b.names),
        options_(options) {}

  Differences diff() {
    program();
    stack();
    globals();
    tables();
    segments();
    heap();
    wasi();
    return std::move(result_);
  }

 private:
  void program() {
    Part part(result_.parts, "program");
    part.changed("modules", a_.modules.size(), b_.modules.size());
    for (size_t i = 0; i < std::min(a_.modules.size(), b_.modules.size()); ++i) {
      part.changed(item("module", i), snapshot::to_hex(a_.modules[i].sha256), snapshot::to_hex(b_.modules[i].sha256));
      texts(part, item("module", i) + " name", a_.modules[i].name, b_.modules[i].name);
    }
    part.changed("deterministic", a_.deterministic ? "yes" : "no", b_.deterministic ? "yes" : "no");
    part.changed("instances", a_.instances.size(), b_.instances.size());
    for (size_t i = 0; i < std::min(a_.instances.size(), b_.instances.size()); ++i) {
      if (a_.instances[i] != b_.instances[i]) part.add(item("instance", i), "addresses", "other addresses");
    }
    part.changed("functions", a_.funcs.size(), b_.funcs.size());
    for (size_t i = 0; i < std::min(a_.funcs.size(), b_.funcs.size()); ++i) {
      if (same_function(static_cast<uint32_t>(i))) continue;
      part.add(item("function address", i), function(a_, names_a_, i), function(b_, names_b_, i));
    }
  }

  bool same_function(uint32_t i) const {
    if (a_.is_host(i) != b_.is_host(i)) return false;
    if (!a_.is_host(i)) return a_.funcs[i] == b_.funcs[i];
    const snapshot::HostFuncRecord& a = a_.host_funcs[a_.funcs[i].index];
    const snapshot::HostFuncRecord& b = b_.host_funcs[b_.funcs[i].index];
    return a.module == b.module && a.name == b.name && a.type == b.type;
  }

  /// Texts of strangers, which are compared before they are made fit for a terminal.
  static void texts(Part& part, const std::string& what, const std::string& a, const std::string& b) {
    if (a != b) part.add(what, printable(a), printable(b));
  }

  static std::string function(const Records& records, const Names& names, size_t i) {
    const snapshot::FuncRecord& func = records.funcs[i];
    const std::string text = names.function(static_cast<uint32_t>(i));
    if (func.instance == snapshot::kHostInstance) return text + " " + name(records.host_funcs[func.index].type);
    return text + " (instance " + std::to_string(func.instance) + ", function " + std::to_string(func.index) + ")";
  }

  /// Calls, or none. Two functions of one name are told apart by their addresses.
  void calls(Part& part, const std::string& what, const auto& a, const auto& b) {
    if (!a && !b) return;
    if (a && b && a->function == b->function && a->args == b->args) return;
    const auto describe = [](const auto& call, const Names& names) {
      return call ? describe_call(*call, names) + " at address " + std::to_string(raw(call->function)) : "none";
    };
    part.add(what, describe(a, names_a_), describe(b, names_b_));
  }

  static std::string at(const FrameImage& frame, const Names& names) {
    return names.function(raw(frame.function)) + " at " + hex(frame.position, 6);
  }

  void steps(Part& part) {
    const auto& a = a_.machine.steps;
    const auto& b = b_.machine.steps;
    if (!a || !b) return part.changed("steps", a ? grouped(*a) : "not counted", b ? grouped(*b) : "not counted");
    if (*a != *b) result_.steps = {*a, *b};
  }

  void stack() {
    Part part(result_.parts, "stack");
    const MachineImage& a = a_.machine;
    const MachineImage& b = b_.machine;
    steps(part);
    if (a.entry != b.entry) part.add("entry", names_a_.function(raw(a.entry)), names_b_.function(raw(b.entry)));
    calls(part, "waiting for", a.pending, b.pending);
    const auto waited = [&](const std::optional<uint64_t>& time) {
      if (!time) return std::string("none");
      return options_.ignore_clock ? std::string("under way") : grouped(*time) + " ns";
    };
    part.changed("wait", waited(a.waited), waited(b.waited));
    calls(part, "next comes", a.next, b.next);

    // From the outermost frame (level 0) on, as long as they are calls of the same functions.
    const std::vector<Frame> frames_a = frames_of(a);
    const std::vector<Frame> frames_b = frames_of(b);
    size_t common = 0;
    while (common < std::min(frames_a.size(), frames_b.size()) &&
           frames_a[common].image->function == frames_b[common].image->function) {
      ++common;
    }
    for (size_t i = frames_a.size(); i-- > common;) part.add(item("level", i), at(*frames_a[i].image, names_a_), "");
    for (size_t i = common; i < frames_b.size(); ++i) part.add(item("level", i), "", at(*frames_b[i].image, names_b_));
    if (frames_a.size() > common) part.summary(plural(frames_a.size() - common, "frame", "frames") + " left");
    if (frames_b.size() > common) part.summary(plural(frames_b.size() - common, "frame", "frames") + " entered");
    const uint64_t before = part.count();
    for (size_t i = common; i-- > 0;) {
      const FrameImage& fa = *frames_a[i].image;
      const FrameImage& fb = *frames_b[i].image;
      const std::string where = item("level", i) + ", " + names_b_.function(raw(fb.function));
      if (fa.position != fb.position) part.add(where, "at " + hex(fa.position, 6), "at " + hex(fb.position, 6));
      values(part, where + ": local ", frames_a[i].locals, frames_b[i].locals, raw(fb.function));
      values(part, where + ": operand ", frames_a[i].operands, frames_b[i].operands, std::nullopt);
    }
    const bool moved = std::max(frames_a.size(), frames_b.size()) > common;
    if (moved && part.count() != before) {
      part.summary(plural(part.count() - before, "change", "changes") + " in the others");
    }
  }

  /// `function`: whose locals they are.
  void values(Part& part, const std::string& what, std::span<const Value> a, std::span<const Value> b,
              std::optional<uint32_t> function) {
    for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
      if (i < a.size() && i < b.size() && a[i] == b[i]) continue;
      const std::string local = function ? names_b_.local(*function, static_cast<uint32_t>(i)) : "";
      part.add(what + std::to_string(i) + (local.empty() ? "" : " (" + local + ")"),
               i < a.size() ? names_a_.value(a[i]) : "", i < b.size() ? names_b_.value(b[i]) : "");
    }
  }

  void globals() {
    Part part(result_.parts, "globals");
    for (uint32_t i = 0; i < std::max(a_.globals.size(), b_.globals.size()); ++i) {
      const GlobalInst* a = i < a_.globals.size() ? &a_.globals[i] : nullptr;
      const GlobalInst* b = i < b_.globals.size() ? &b_.globals[i] : nullptr;
      if (a != nullptr && b != nullptr && a->bits == b->bits && a->type == b->type) continue;
      const auto text = [](const GlobalInst* global, const Names& names) {
        if (global == nullptr) return std::string();
        return names.global_value(*global) + (global->type.is_mutable ? "" : " (constant)");
      };
      part.add(names_b_.global(i), text(a, names_a_), text(b, names_b_));
    }
  }

  void elements(Part& part, const std::string& what, ValType type, const std::vector<uint64_t>& a,
                const std::vector<uint64_t>& b) {
    part.changed(what + " elements", a.size(), b.size());
    for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
      const uint64_t ref_a = i < a.size() ? a[i] : kNullRef;
      const uint64_t ref_b = i < b.size() ? b[i] : kNullRef;
      if (ref_a == ref_b) continue;
      part.add(what + "[" + std::to_string(i) + "]", names_a_.reference(type, ref_a), names_b_.reference(type, ref_b));
    }
  }

  void tables() {
    Part part(result_.parts, "tables");
    part.changed("tables", a_.tables.size(), b_.tables.size());
    for (uint32_t i = 0; i < std::min(a_.tables.size(), b_.tables.size()); ++i) {
      const snapshot::TableRecord& a = a_.tables[i];
      const snapshot::TableRecord& b = b_.tables[i];
      part.changed(names_b_.table(i) + " type", text(a.type), text(b.type));
      elements(part, names_b_.table(i), a.type.element, a.elements, b.elements);
    }
  }

  void segments() {
    Part part(result_.parts, "segments");
    const auto state = [](bool dropped) { return dropped ? "dropped" : "there"; };
    part.changed("element segments", a_.elems.size(), b_.elems.size());
    for (uint32_t i = 0; i < std::min(a_.elems.size(), b_.elems.size()); ++i) {
      part.changed(names_b_.elem(i), state(a_.elems[i].dropped), state(b_.elems[i].dropped));
      part.changed(names_b_.elem(i) + " type", std::string(name(a_.elems[i].type)),
                   std::string(name(b_.elems[i].type)));
      if (a_.elems[i].dropped || b_.elems[i].dropped) continue;
      elements(part, names_b_.elem(i), a_.elems[i].type, a_.elems[i].elements, b_.elems[i].elements);
    }
    part.changed("data segments", a_.datas_dropped.size(), b_.datas_dropped.size());
    for (uint32_t i = 0; i < std::min(a_.datas_dropped.size(), b_.datas_dropped.size()); ++i) {
      part.changed(names_b_.data(i), state(a_.datas_dropped[i] != 0), state(b_.datas_dropped[i] != 0));
    }
  }

  /// Objects are compared by their numbers, which follow from where they are found: an object that comes in between
  /// changes the numbers of those behind it.
  void heap() {
    Part part(result_.parts, "heap");
    const snapshot::HeapRecord& a = a_.heap;
    const snapshot::HeapRecord& b = b_.heap;
    if (a == b) return;
    part.changed("objects", a.objects.size(), b.objects.size());
    part.changed("bytes", a.bytes.size(), b.bytes.size());
    HeapWalk walk_a(a_, modules_a_), walk_b(b_, modules_b_);
    for (;;) {
      const auto object_a = walk_a.next();
      const auto object_b = walk_b.next();
      if (!object_a && !object_b) break;
      if (object_a && object_b && same_object(*object_a, *object_b)) continue;
      const uint64_t number = object_a ? object_a->number : object_b->number;
      // What is beyond the limit is counted only.
      const size_t fields = part.count() < PartChanges::kMaxKept ? kObjectFields : 0;
      part.add(item("object", static_cast<size_t>(number)),
               object_a ? describe_object(walk_a, *object_a, names_a_, fields) : "",
               object_b ? describe_object(walk_b, *object_b, names_b_, fields) : "");
    }
    if (part.count() == 0) part.add("contents", "of types that are not at hand", "others");
  }

  static bool same_object(const HeapWalk::Object& a, const HeapWalk::Object& b) {
    return a.known == b.known && std::strcmp(a.kind, b.kind) == 0 && a.type == b.type && a.length == b.length &&
           std::ranges::equal(a.bytes, b.bytes);
  }

  void wasi() {
    Part part(result_.parts, "wasi");
    part.changed("state", a_.wasi ? "there" : "none", b_.wasi ? "there" : "none");
    if (!a_.wasi || !b_.wasi) return;
    const wasi::State& a = *a_.wasi;
    const wasi::State& b = *b_.wasi;
    strings(part, "argument", a.args, b.args);
    strings(part, "environment", a.environ, b.environ);
    if (!options_.ignore_clock) {
      part.changed("monotonic clock", grouped(a.monotonic) + " ns", grouped(b.monotonic) + " ns");
      part.changed("sleep", a.sleep ? grouped(a.sleep->elapsed) + " ns" : "none",
                   b.sleep ? grouped(b.sleep->elapsed) + " ns" : "none");
    } else {
      part.changed("sleep", a.sleep ? "under way" : "none", b.sleep ? "under way" : "none");
    }
    if (!options_.ignore_random) {
      part.changed("random numbers", a.random ? hex(*a.random) : "the host's",
                   b.random ? hex(*b.random) : "the host's");
    }
    removed_files(part, a, b);
    size_t i = 0;
    size_t j = 0;
    while (i < a.descriptors.size() || j < b.descriptors.size()) {
      if (j == b.descriptors.size() ||
          (i < a.descriptors.size() && a.descriptors[i].number < b.descriptors[j].number)) {
        part.add("descriptor closed", describe(a.descriptors[i++]), "");
      } else if (i == a.descriptors.size() || b.descriptors[j].number < a.descriptors[i].number) {
        part.add("descriptor opened", "", describe(b.descriptors[j++]));
      } else {
        descriptor(part, a.descriptors[i++], b.descriptors[j++]);
      }
    }
  }

  static void removed_files(Part& part, const wasi::State& a, const wasi::State& b) {
    part.changed("removed files", a.removed_files.size(), b.removed_files.size());
    for (size_t i = 0; i < std::min(a.removed_files.size(), b.removed_files.size()); ++i) {
      if (a.removed_files[i] == b.removed_files[i]) continue;
      part.add(item("removed file", i), size_in_words(a.removed_files[i].size()),
               "other " + size_in_words(b.removed_files[i].size()));
    }
  }

  static void strings(Part& part, const char* what, const std::vector<std::string>& a,
                      const std::vector<std::string>& b) {
    for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
      if (i < a.size() && i < b.size() && a[i] == b[i]) continue;
      part.add(item(what, i), i < a.size() ? printable(a[i]) : "", i < b.size() ? printable(b[i]) : "");
    }
  }

  void descriptor(Part& part, const wasi::DescriptorRecord& a, const wasi::DescriptorRecord& b) const {
    const std::string what = item("descriptor", a.number);
    const auto place = [](const wasi::DescriptorRecord& d) {
      return std::tie(d.kind, d.preopen, d.path, d.offset, d.size, d.removed_file, d.elsewhere, d.listener, d.address);
    };
    if (place(a) != place(b)) part.add(what, describe(a), describe(b));
    part.changed(what + " flags", hex(a.fdflags), hex(b.fdflags));
    part.changed(what + " rights", hex(a.rights_base) + " " + hex(a.rights_inheriting),
                 hex(b.rights_base) + " " + hex(b.rights_inheriting));
    if (!options_.ignore_clock) part.changed(what + " mtime", grouped(a.mtime), grouped(b.mtime));
    part.changed(what + " identity", hex(a.device) + " " + hex(a.inode), hex(b.device) + " " + hex(b.inode));
  }

  const Records& a_;
  const Records& b_;
  std::span<const KnownModule> modules_a_;
  std::span<const KnownModule> modules_b_;
  const Names& names_a_;
  const Names& names_b_;
  const DiffOptions& options_;
  Differences result_;
};

}  // namespace

bool Differences::empty() const {
  return !steps && std::all_of(parts.begin(), parts.end(), [](const PartChanges& part) { return part.count == 0; }) &&
         std::all_of(memories.begin(), memories.end(), [](const MemoryChanges& memory) { return memory.empty(); });
}

Result<Differences> diff(const Subject& a, const Subject& b, const DiffOptions& options, int& which) {
  Differences result = Differ(a, b, options).diff();
  CHIWAWA_TRY(diff_memories(a, b, options, result.memories, which));
  return result;
}

void share_modules(OpenSnapshot& a, OpenSnapshot& b) {
  a.take_modules(b.modules());
  b.take_modules(a.modules());
}

std::string explain_difference(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b,
                               std::span<const std::shared_ptr<const Module>> modules) {
  OpenSnapshot first;
  OpenSnapshot second;
  if (const auto opened = first.open_bytes(a, "the first"); !opened) return "the first: " + describe(opened.error());
  if (const auto opened = second.open_bytes(b, "the second"); !opened) return "the second: " + describe(opened.error());
  first.take_modules(modules);
  second.take_modules(modules);
  share_modules(first, second);
  int which = 0;
  const auto differences = diff(first.subject(), second.subject(), {}, which);
  if (!differences) return std::string(which == 0 ? "the first: " : "the second: ") + describe(differences.error());
  return text_of([&](Text& out) { print_diff(out, *differences); });
}

}  // namespace chiwawa::inspect
