#include "snapshot/diff.hpp"

#include <algorithm>

#include "snapshot/block_store.hpp"

namespace chiwawa::snapshot {

namespace {

constexpr size_t kMaxRanges = 6;      // of a memory that are shown
constexpr size_t kShownBytes = 16;    // of a range
constexpr uint64_t kJoinedBytes = 8;  // equal bytes between two differences that do not part a range

/// Collects the details of one part.
class Part {
 public:
  Part(std::vector<Difference>& all, std::string name) : all_(all), difference_{std::move(name), {}} {}
  ~Part() {
    if (count_ > Difference::kMaxDetails) {
      difference_.details.push_back("… and " + grouped(count_ - Difference::kMaxDetails) + " more");
    }
    if (count_ != 0) all_.push_back(std::move(difference_));
  }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  void add(std::string text) {
    if (++count_ <= Difference::kMaxDetails) difference_.details.push_back(std::move(text));
  }
  void changed(const std::string& what, const std::string& from, const std::string& to) {
    if (from != to) add(what + ": " + from + " → " + to);
  }
  void changed(const std::string& what, uint64_t from, uint64_t to) { changed(what, grouped(from), grouped(to)); }

 private:
  std::vector<Difference>& all_;
  Difference difference_;
  size_t count_ = 0;
};

std::string item(const char* name, size_t i) { return std::string(name) + " " + std::to_string(i); }

std::string text(const Limits& limits) {
  return std::to_string(limits.min) + ".." + (limits.max ? std::to_string(*limits.max) : "");
}

class Differ {
 public:
  Differ(Reader& a, Reader& b, const Names& names_a, const Names& names_b, int& which, const std::string& folder_a,
         const std::string& folder_b)
      : reader_a_(a),
        reader_b_(b),
        a_(a.records()),
        b_(b.records()),
        names_a_(names_a),
        names_b_(names_b),
        which_(which),
        folder_a_(folder_a),
        folder_b_(folder_b) {}

  Result<std::vector<Difference>> diff() {
    program();
    stack();
    globals();
    tables();
    segments();
    CHIWAWA_TRY(memories());
    wasi();
    if (all_.empty() && reader_a_.state_digest() != reader_b_.state_digest()) {
      Part(all_, "state")
          .add("digests differ: " + to_hex(reader_a_.state_digest()) + " → " + to_hex(reader_b_.state_digest()));
    }
    return std::move(all_);
  }

 private:
  void program() {
    Part part(all_, "program");
    part.changed("modules", a_.modules.size(), b_.modules.size());
    for (size_t i = 0; i < std::min(a_.modules.size(), b_.modules.size()); ++i) {
      part.changed(item("module", i), to_hex(a_.modules[i].sha256), to_hex(b_.modules[i].sha256));
      part.changed(item("module", i) + " name", printable(a_.modules[i].name), printable(b_.modules[i].name));
    }
    part.changed("instances", a_.instances.size(), b_.instances.size());
    for (size_t i = 0; i < std::min(a_.instances.size(), b_.instances.size()); ++i) {
      if (a_.instances[i] != b_.instances[i]) part.add(item("instance", i) + " has other addresses");
    }
    part.changed("functions", a_.funcs.size(), b_.funcs.size());
    for (size_t i = 0; i < std::min(a_.funcs.size(), b_.funcs.size()); ++i) {
      const std::string a = function(a_, names_a_, i);
      const std::string b = function(b_, names_b_, i);
      if (a_.funcs[i] == b_.funcs[i] && a == b) continue;
      std::string text = item("function address", i);
      text.append(": ").append(a).append(" → ").append(b);
      part.add(std::move(text));
    }
  }

  static std::string function(const Records& records, const Names& names, size_t i) {
    const FuncRecord& func = records.funcs[i];
    const std::string text = names.function(static_cast<uint32_t>(i));
    return func.instance == kHostInstance ? text + " " + name(records.host_funcs[func.index].type) : text;
  }

  std::string call(const auto& call, const Names& names) const {
    if (!call) return "none";
    std::string text = names.function(raw(call->function)) + "(";
    for (size_t i = 0; i < call->args.size(); ++i) text += (i == 0 ? "" : ", ") + names.value(call->args[i]);
    return text + ")";
  }

  static std::string at(const FrameImage& frame, const Names& names) {
    return names.function(raw(frame.function)) + " at " + hex(frame.position, 6);
  }

  void stack() {
    Part part(all_, "stack");
    const MachineImage& a = a_.machine;
    const MachineImage& b = b_.machine;
    if (a.steps && b.steps) {
      if (*a.steps != *b.steps) {
        const uint64_t apart = *a.steps < *b.steps ? *b.steps - *a.steps : *a.steps - *b.steps;
        part.add("steps: " + grouped(*a.steps) + " → " + grouped(*b.steps) + " (" + grouped(apart) +
                 (*a.steps < *b.steps ? " later)" : " earlier)"));
      }
    } else {
      part.changed("steps", a.steps ? grouped(*a.steps) : "not counted", b.steps ? grouped(*b.steps) : "not counted");
    }
    part.changed("entry", names_a_.function(raw(a.entry)), names_b_.function(raw(b.entry)));
    part.changed("waiting for", call(a.pending, names_a_), call(b.pending, names_b_));
    part.changed("then", call(a.next, names_a_), call(b.next, names_b_));

    // From the outermost frame (level 0) on, as long as they are calls of the same functions.
    size_t common = 0;
    while (common < std::min(a.frames.size(), b.frames.size()) &&
           a.frames[common].function == b.frames[common].function) {
      ++common;
    }
    part.changed("frames", a.frames.size(), b.frames.size());
    for (size_t i = a.frames.size(); i-- > common;)
      part.add("left     " + item("level", i) + "  " + at(a.frames[i], names_a_));
    for (size_t i = common; i < b.frames.size(); ++i) {
      part.add("entered  " + item("level", i) + "  " + at(b.frames[i], names_b_));
    }
    size_t from_a = 0;
    size_t from_b = 0;
    for (size_t i = 0; i < common; ++i) {
      const FrameImage& fa = a.frames[i];
      const FrameImage& fb = b.frames[i];
      const auto va = std::span(a.values).subspan(from_a, fa.local_count + fa.operand_count);
      const auto vb = std::span(b.values).subspan(from_b, fb.local_count + fb.operand_count);
      from_a += va.size();
      from_b += vb.size();
      const std::string where = item("level", i) + "  " + names_b_.function(raw(fb.function));
      if (fa.position != fb.position) part.add(where + ": " + hex(fa.position, 6) + " → " + hex(fb.position, 6));
      values(part, where + " local ", va.first(fa.local_count), vb.first(fb.local_count));
      values(part, where + " operand ", va.subspan(fa.local_count), vb.subspan(fb.local_count));
    }
  }

  void values(Part& part, const std::string& what, std::span<const Value> a, std::span<const Value> b) {
    for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
      if (i < a.size() && i < b.size() && a[i] == b[i]) continue;
      part.add(what + std::to_string(i) + ": " + (i < a.size() ? names_a_.value(a[i]) : "none") + " → " +
               (i < b.size() ? names_b_.value(b[i]) : "none"));
    }
  }

  void globals() {
    Part part(all_, "globals");
    part.changed("count", a_.globals.size(), b_.globals.size());
    for (size_t i = 0; i < std::min(a_.globals.size(), b_.globals.size()); ++i) {
      const GlobalInst& a = a_.globals[i];
      const GlobalInst& b = b_.globals[i];
      if (a.bits != b.bits || a.type != b.type) {
        part.add(item("global", i) + ": " + names_a_.global(a) + " → " + names_b_.global(b));
      }
    }
  }

  void elements(Part& part, const std::string& what, ValType type, const std::vector<uint64_t>& a,
                const std::vector<uint64_t>& b) {
    part.changed(what + " elements", a.size(), b.size());
    for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
      const uint64_t ref_a = i < a.size() ? a[i] : kNullRef;
      const uint64_t ref_b = i < b.size() ? b[i] : kNullRef;
      if (ref_a == ref_b) continue;
      part.add(what + "[" + std::to_string(i) + "]: " + names_a_.reference(type, ref_a) + " → " +
               names_b_.reference(type, ref_b));
    }
  }

  void tables() {
    Part part(all_, "tables");
    part.changed("count", a_.tables.size(), b_.tables.size());
    for (size_t i = 0; i < std::min(a_.tables.size(), b_.tables.size()); ++i) {
      const TableRecord& a = a_.tables[i];
      const TableRecord& b = b_.tables[i];
      part.changed(item("table", i) + " type", std::string(name(a.type.element)) + " " + text(a.type.limits),
                   std::string(name(b.type.element)) + " " + text(b.type.limits));
      elements(part, item("table", i), a.type.element, a.elements, b.elements);
    }
  }

  void segments() {
    Part part(all_, "segments");
    const auto state = [](bool dropped) { return dropped ? "dropped" : "there"; };
    part.changed("element segments", a_.elems.size(), b_.elems.size());
    for (size_t i = 0; i < std::min(a_.elems.size(), b_.elems.size()); ++i) {
      part.changed(item("element segment", i), state(a_.elems[i].dropped), state(b_.elems[i].dropped));
      if (a_.elems[i].dropped || b_.elems[i].dropped) continue;
      elements(part, item("element segment", i), a_.elems[i].type, a_.elems[i].elements, b_.elems[i].elements);
    }
    part.changed("data segments", a_.datas_dropped.size(), b_.datas_dropped.size());
    for (size_t i = 0; i < std::min(a_.datas_dropped.size(), b_.datas_dropped.size()); ++i) {
      part.changed(item("data segment", i), state(a_.datas_dropped[i] != 0), state(b_.datas_dropped[i] != 0));
    }
  }

  /// What is known of one memory's differing bytes so far.
  struct MemoryDifference {
    uint64_t bytes = 0;
    uint64_t blocks = 0;
    uint64_t ranges = 0;
    uint64_t last_end = 0;
    std::vector<std::string> shown;
  };

  void compare_block(MemoryDifference& difference, uint64_t base, std::span<const uint8_t> a,
                     std::span<const uint8_t> b) {
    ++difference.blocks;
    for (size_t i = 0; i < kBlockSize; ++i) {
      if (a[i] == b[i]) continue;
      ++difference.bytes;
      const bool joined = difference.ranges != 0 && base + i - difference.last_end <= kJoinedBytes;
      difference.last_end = base + i + 1;
      if (joined) continue;
      if (++difference.ranges > kMaxRanges) continue;
      const size_t count = std::min<size_t>(kShownBytes, kBlockSize - i);
      difference.shown.push_back(hex(base + i, 8) + ": " + hex_bytes(a.subspan(i, count)) + " →");
      difference.shown.push_back("            " + hex_bytes(b.subspan(i, count)));
    }
  }

  Result<void> memories() {
    std::vector<MemoryDifference> differences(std::max(a_.memories.size(), b_.memories.size()));
    which_ = 0;
    BlockStore store_a;
    CHIWAWA_TRY(store_a.load(reader_a_, folder_a_));
    which_ = 1;
    BlockStore store_b;
    CHIWAWA_TRY(store_b.load(reader_b_, folder_b_));
    std::vector<uint8_t> bytes_a(kBlockSize);
    std::vector<uint8_t> bytes_b(kBlockSize);
    for (uint32_t m = 0; m < differences.size(); ++m) {
      for (uint64_t block = 0; block < std::max(store_a.end(m), store_b.end(m)); ++block) {
        const BlockPlace place{m, block};
        if (store_a.hash(place) == store_b.hash(place)) continue;
        which_ = 0;
        CHIWAWA_TRY(store_a.read(place, bytes_a));
        which_ = 1;
        CHIWAWA_TRY(store_b.read(place, bytes_b));
        compare_block(differences[m], block * kBlockSize, bytes_a, bytes_b);
      }
    }
    for (size_t m = 0; m < differences.size(); ++m) {
      Part part(all_, item("memory", m));
      const MemoryDifference& difference = differences[m];
      const uint64_t pages_a = m < a_.memories.size() ? a_.memories[m].pages : 0;
      const uint64_t pages_b = m < b_.memories.size() ? b_.memories[m].pages : 0;
      part.changed("pages", pages_a, pages_b);
      if (m < std::min(a_.memories.size(), b_.memories.size())) {
        part.changed("type", text(a_.memories[m].type.limits), text(b_.memories[m].type.limits));
      }
      if (difference.bytes == 0) continue;
      part.add(grouped(difference.bytes) + " bytes differ, in " + grouped(difference.blocks) + " blocks of 4 KiB");
      for (const std::string& line : difference.shown) part.add(line);
      if (difference.ranges > kMaxRanges) part.add("… and " + grouped(difference.ranges - kMaxRanges) + " more places");
    }
    return {};
  }

  void wasi() {
    Part part(all_, "wasi");
    part.changed("state", a_.wasi ? "there" : "none", b_.wasi ? "there" : "none");
    if (!a_.wasi || !b_.wasi) return;
    const wasi::State& a = *a_.wasi;
    const wasi::State& b = *b_.wasi;
    strings(part, "argument", a.args, b.args);
    strings(part, "environment", a.environ, b.environ);
    part.changed("monotonic clock", grouped(a.monotonic) + " ns", grouped(b.monotonic) + " ns");
    part.changed("sleep", a.sleep ? grouped(a.sleep->elapsed) + " ns" : "none",
                 b.sleep ? grouped(b.sleep->elapsed) + " ns" : "none");
    if (a.removed_files != b.removed_files) part.add("removed files: contents differ");
    size_t i = 0;
    size_t j = 0;
    while (i < a.descriptors.size() || j < b.descriptors.size()) {
      if (j == b.descriptors.size() ||
          (i < a.descriptors.size() && a.descriptors[i].number < b.descriptors[j].number)) {
        part.add("closed  " + describe(a.descriptors[i++]));
      } else if (i == a.descriptors.size() || b.descriptors[j].number < a.descriptors[i].number) {
        part.add("opened  " + describe(b.descriptors[j++]));
      } else {
        descriptor(part, a.descriptors[i++], b.descriptors[j++]);
      }
    }
  }

  static void strings(Part& part, const char* what, const std::vector<std::string>& a,
                      const std::vector<std::string>& b) {
    for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
      part.changed(item(what, i), i < a.size() ? printable(a[i]) : "none", i < b.size() ? printable(b[i]) : "none");
    }
  }

  static void descriptor(Part& part, const wasi::DescriptorRecord& a, const wasi::DescriptorRecord& b) {
    const std::string what = item("descriptor", a.number);
    part.changed(what, describe(a), describe(b));
    part.changed(what + " flags", hex(a.fdflags), hex(b.fdflags));
    part.changed(what + " rights", hex(a.rights_base) + " " + hex(a.rights_inheriting),
                 hex(b.rights_base) + " " + hex(b.rights_inheriting));
    part.changed(what + " mtime", grouped(a.mtime), grouped(b.mtime));
    part.changed(what + " identity", hex(a.device) + " " + hex(a.inode), hex(b.device) + " " + hex(b.inode));
  }

  Reader& reader_a_;
  Reader& reader_b_;
  const Records& a_;
  const Records& b_;
  const Names& names_a_;
  const Names& names_b_;
  int& which_;
  const std::string& folder_a_;
  const std::string& folder_b_;
  std::vector<Difference> all_;
};

}  // namespace

Result<std::vector<Difference>> diff(Reader& a, Reader& b, const Names& names_a, const Names& names_b, int& which,
                                     const std::string& folder_a, const std::string& folder_b) {
  return Differ(a, b, names_a, names_b, which, folder_a, folder_b).diff();
}

std::string print(const std::vector<Difference>& differences) {
  std::string out;
  for (const Difference& difference : differences) {
    out += difference.part + "\n";
    for (const std::string& line : difference.details) out += "  " + line + "\n";
  }
  return out;
}

}  // namespace chiwawa::snapshot
