#include "inspect/dwarf_lines.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <set>
#include <span>
#include <string_view>

#include <dwarf.h>
#include <libdwarf.h>

#include "inspect/custom_sections.hpp"

namespace chiwawa::inspect {

namespace {

constexpr uint32_t kCodeSection = 10;
// Beyond these the module is not taken for a real one. Bytes; a row of a line table takes at least one byte there and
// about a hundred in memory, and is freed with its unit.
constexpr uint64_t kMaxSection = 512u << 20;
constexpr uint64_t kMaxAbbreviations = 8u << 20;
constexpr uint64_t kMaxLineUnit = 2u << 20;
constexpr uint64_t kMaxLineBytes = 128u << 20;
constexpr size_t kMaxUnits = 100'000;
constexpr std::chrono::seconds kMaxTime{10};

/// The sections that line tables need; others are kept from the library.
constexpr std::array<std::string_view, 7> kWanted = {
    ".debug_info", ".debug_abbrev", ".debug_line", ".debug_str", ".debug_line_str", ".debug_str_offsets", ".debug_addr",
};

/// The module as libdwarf's interface for object files wants it: a section 0 that is none, then ours.
class Object {
 public:
  explicit Object(const Module& module) {
    sections_.push_back({"", {}});
    for (const CustomSection& section : custom_sections(module)) {
      if (std::find(kWanted.begin(), kWanted.end(), section.name) == kWanted.end() || find(section.name)) continue;
      const auto bytes = std::span(module.bytes).subspan(section.contents.begin, section.contents.size());
      if (bytes.size() > kMaxSection || (section.name == ".debug_abbrev" && bytes.size() > kMaxAbbreviations)) {
        problem = std::string(section.name) + " is too large to be read";
      }
      sections_.push_back({std::string(section.name), bytes});
    }
    size_ = module.bytes.size();
    methods_.om_get_section_info = section_info;
    methods_.om_get_byte_order = [](void*) -> Dwarf_Small { return DW_END_little; };
    methods_.om_get_length_size = [](void*) -> Dwarf_Small { return 4; };
    methods_.om_get_pointer_size = [](void*) -> Dwarf_Small { return 4; };
    methods_.om_get_filesize = [](void* self) -> Dwarf_Unsigned { return of(self).size_; };
    methods_.om_get_section_count = [](void* self) -> Dwarf_Unsigned { return of(self).sections_.size(); };
    methods_.om_load_section = load_section;
    methods_.om_relocate_a_section = nullptr;
    interface_.ai_object = this;
    interface_.ai_methods = &methods_;
  }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  Dwarf_Obj_Access_Interface_a* interface() { return &interface_; }
  std::optional<std::span<const uint8_t>> find(std::string_view name) const {
    for (const Section& section : sections_) {
      if (section.name == name) return section.bytes;
    }
    return std::nullopt;
  }

  std::string problem;

 private:
  struct Section {
    std::string name;
    std::span<const uint8_t> bytes;
  };

  static Object& of(void* self) { return *static_cast<Object*>(self); }
  static int section_info(void* self, Dwarf_Unsigned index, Dwarf_Obj_Access_Section_a* out, int*) {
    const Object& object = of(self);
    if (index >= object.sections_.size()) return DW_DLV_NO_ENTRY;
    *out = {};
    out->as_name = object.sections_[static_cast<size_t>(index)].name.c_str();
    out->as_size = object.sections_[static_cast<size_t>(index)].bytes.size();
    out->as_addralign = 1;
    return DW_DLV_OK;
  }
  static int load_section(void* self, Dwarf_Unsigned index, Dwarf_Small** data, int*) {
    const Object& object = of(self);
    if (index >= object.sections_.size() || index == 0) return DW_DLV_NO_ENTRY;
    // The library does not write to sections that it has not relocated.
    *data = const_cast<Dwarf_Small*>(object.sections_[static_cast<size_t>(index)].bytes.data());
    return DW_DLV_OK;
  }

  std::vector<Section> sections_;
  uint64_t size_ = 0;
  Dwarf_Obj_Access_Methods_a methods_{};
  Dwarf_Obj_Access_Interface_a interface_{};
};

class Finder {
 public:
  Finder(const Module& module, Object& object, std::vector<uint32_t> addresses, SourceLines& result)
      : object_(object),
        base_(module.section_offsets[kCodeSection]),
        wanted_(std::move(addresses)),
        result_(result),
        deadline_(std::chrono::steady_clock::now() + kMaxTime) {}
  ~Finder() {
    if (debug_ != nullptr) dwarf_object_finish(debug_);
  }
  Finder(const Finder&) = delete;
  Finder& operator=(const Finder&) = delete;

  void run() {
    const int opened = dwarf_object_init_b(object_.interface(), nullptr, nullptr, DW_GROUPNUMBER_ANY, &debug_, &error_);
    if (opened != DW_DLV_OK) return fail(opened);
    for (size_t unit = 0;; ++unit) {
      if (unit == kMaxUnits) return stop("too many compilation units");
      if (std::chrono::steady_clock::now() > deadline_) return stop("reading them takes too long");
      Dwarf_Die die = nullptr;
      // Most are not needed. But libdwarf looks at some of them also where it says that they may be null.
      Dwarf_Unsigned length = 0;
      Dwarf_Half version = 0;
      Dwarf_Off abbreviations = 0;
      Dwarf_Half address_size = 0;
      Dwarf_Half length_size = 0;
      Dwarf_Half extension_size = 0;
      Dwarf_Sig8 signature{};
      Dwarf_Unsigned type_offset = 0;
      Dwarf_Unsigned next = 0;
      Dwarf_Half kind = 0;
      const int found =
          dwarf_next_cu_header_e(debug_, true, &die, &length, &version, &abbreviations, &address_size, &length_size,
                                 &extension_size, &signature, &type_offset, &next, &kind, &error_);
      if (found == DW_DLV_NO_ENTRY) return;
      if (found != DW_DLV_OK) return fail(found);
      compilation_unit(die);
      dwarf_dealloc_die(die);
    }
  }

 private:
  void stop(std::string why) { result_.problem = std::move(why); }
  void fail(int status) {
    if (status != DW_DLV_ERROR) return;
    result_.problem = dwarf_errmsg(error_);
    // Wasm builds have no texts (cmake/libdwarf).
    if (result_.problem.empty()) result_.problem = "libdwarf's error " + std::to_string(dwarf_errno(error_));
    dwarf_dealloc_error(debug_, error_);
    error_ = nullptr;
  }

  /// Whether the unit's line table is to be read: not yet read for another unit, and not too large.
  bool worth_reading(Dwarf_Die die) {
    Dwarf_Attribute attribute = nullptr;
    const int found = dwarf_attr(die, DW_AT_stmt_list, &attribute, &error_);
    if (found != DW_DLV_OK) {
      fail(found);
      return false;
    }
    Dwarf_Off offset = 0;
    const int read = dwarf_global_formref(attribute, &offset, &error_);
    dwarf_dealloc_attribute(attribute);
    if (read != DW_DLV_OK) {
      fail(read);
      return false;
    }
    const auto lines = object_.find(".debug_line");
    if (!lines || offset > lines->size() || lines->size() - offset < 4) return false;
    uint64_t length = 0;
    for (size_t i = 0; i < 4; ++i) length |= uint64_t{(*lines)[static_cast<size_t>(offset) + i]} << (8 * i);
    if (length > kMaxLineUnit || line_bytes_ + length > kMaxLineBytes) {
      stop("a line table is too large");
      return false;
    }
    if (!read_.insert(offset).second) return false;
    line_bytes_ += length;
    return true;
  }

  void compilation_unit(Dwarf_Die die) {
    if (!worth_reading(die)) return;
    Dwarf_Unsigned version = 0;
    Dwarf_Small tables = 0;
    Dwarf_Line_Context context = nullptr;
    const int opened = dwarf_srclines_b(die, &version, &tables, &context, &error_);
    if (opened != DW_DLV_OK) return fail(opened);
    Dwarf_Line* rows = nullptr;
    Dwarf_Signed count = 0;
    const int read = dwarf_srclines_from_linecontext(context, &rows, &count, &error_);
    if (read != DW_DLV_OK) {
      fail(read);
    } else {
      search({rows, static_cast<size_t>(count)});
    }
    dwarf_srclines_dealloc_b(context);
  }

  /// A row holds from its address to the next row's, within a sequence.
  void search(std::span<Dwarf_Line> rows) {
    Dwarf_Addr sequence = 0;
    bool begins = true;
    for (size_t i = 0; i + 1 < rows.size(); ++i) {
      Dwarf_Addr address = 0;
      Dwarf_Addr next = 0;
      Dwarf_Bool ends = false;
      if (dwarf_lineaddr(rows[i], &address, &error_) != DW_DLV_OK ||
          dwarf_lineaddr(rows[i + 1], &next, &error_) != DW_DLV_OK ||
          dwarf_lineendsequence(rows[i], &ends, &error_) != DW_DLV_OK) {
        return fail(DW_DLV_ERROR);
      }
      if (begins) sequence = address;
      begins = ends != 0;
      // No function is at the section's first byte: such sequences are left over from functions that were removed.
      if (ends != 0 || sequence == 0) continue;
      for (auto it = std::lower_bound(wanted_.begin(), wanted_.end(), address); it != wanted_.end() && *it < next;
           ++it) {
        found(*it, rows[i]);
      }
    }
  }

  void found(uint32_t address, Dwarf_Line row) {
    if (result_.by_offset.contains(base_ + address)) return;
    SourceLine source;
    Dwarf_Unsigned line = 0;
    Dwarf_Unsigned column = 0;
    char* file = nullptr;
    if (dwarf_lineno(row, &line, &error_) != DW_DLV_OK || dwarf_lineoff_b(row, &column, &error_) != DW_DLV_OK ||
        dwarf_linesrc(row, &file, &error_) != DW_DLV_OK) {
      return fail(DW_DLV_ERROR);
    }
    source.line = static_cast<uint32_t>(line);
    source.column = static_cast<uint32_t>(column);
    source.file = file;
    dwarf_dealloc(debug_, file, DW_DLA_STRING);
    result_.by_offset.emplace(base_ + address, std::move(source));
  }

  Object& object_;
  uint32_t base_;
  std::vector<uint32_t> wanted_;  // offsets in the code section, ascending
  SourceLines& result_;
  std::chrono::steady_clock::time_point deadline_;
  Dwarf_Debug debug_ = nullptr;
  Dwarf_Error error_ = nullptr;
  std::set<Dwarf_Off> read_;  // line tables
  uint64_t line_bytes_ = 0;
};

}  // namespace

SourceLines find_source_lines(const Module& module, std::vector<uint32_t> offsets) {
  SourceLines result;
  Object object(module);
  result.available = object.find(".debug_line") && object.find(".debug_info");
  result.problem = object.problem;
  if (!result.available || !result.problem.empty()) return result;

  // DWARF counts from the beginning of the code section's contents.
  const uint32_t base = module.section_offsets[kCodeSection];
  std::erase_if(offsets, [&](uint32_t offset) { return offset < base; });
  for (uint32_t& offset : offsets) offset -= base;
  std::sort(offsets.begin(), offsets.end());
  offsets.erase(std::unique(offsets.begin(), offsets.end()), offsets.end());
  Finder(module, object, std::move(offsets), result).run();
  return result;
}

}  // namespace chiwawa::inspect
