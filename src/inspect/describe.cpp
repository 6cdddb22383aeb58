#include "inspect/describe.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "interp/utf8.hpp"

namespace chiwawa::inspect {

namespace {

/// By address: the first of `lists` (one for each instance) that has it.
template <typename Owner, typename List>
std::vector<Owner> owners(const std::vector<snapshot::InstanceRecord>& instances, size_t count, List list) {
  std::vector<Owner> result(count);
  for (uint32_t instance = 0; instance < instances.size(); ++instance) {
    const std::vector<uint32_t>& addresses = list(instances[instance]);
    for (uint32_t index = 0; index < addresses.size(); ++index) {
      Owner& owner = result[addresses[index]];
      if (owner.instance == snapshot::kHostInstance) owner = {instance, index};
    }
  }
  return result;
}

std::string exported_or_imported_name(const Module& module, ExternKind kind, uint32_t index) {
  for (const Export& item : module.exports) {
    if (item.kind == kind && item.index == index) return item.name;
  }
  for (const Import& item : module.imports) {
    if (item.kind == kind && item.index == index) return item.module + "." + item.name;
  }
  return {};
}

std::string found_in(const DebugNames::IndexNames& names, uint32_t index) {
  const auto found = names.find(index);
  return found == names.end() ? std::string() : found->second;
}

std::string with_name(const std::string& text, const std::string& name) {
  return name.empty() ? text : text + " (" + printable(name) + ")";
}

}  // namespace

Names::Names(const snapshot::Records& records, std::span<const KnownModule> modules)
    : records_(records), modules_(modules) {
  using Instance = snapshot::InstanceRecord;
  const auto& instances = records.instances;
  const auto by = [](auto member) { return [member](const Instance& i) -> const auto& { return i.*member; }; };
  globals_ = owners<Owner>(instances, records.globals.size(), by(&Instance::globals));
  tables_ = owners<Owner>(instances, records.tables.size(), by(&Instance::tables));
  memories_ = owners<Owner>(instances, records.memories.size(), by(&Instance::memories));
  elems_ = owners<Owner>(instances, records.elems.size(), by(&Instance::elems));
  datas_ = owners<Owner>(instances, records.datas_dropped.size(), by(&Instance::datas));
}

const KnownModule* Names::known(uint32_t instance) const {
  if (instance >= records_.instances.size()) return nullptr;
  const uint32_t module = records_.instances[instance].module;
  return module < modules_.size() && modules_[module].module != nullptr ? &modules_[module] : nullptr;
}

std::string Names::function(uint32_t address) const {
  if (address >= records_.funcs.size()) return "function address " + std::to_string(address);
  const snapshot::FuncRecord& record = records_.funcs[address];
  if (record.instance == snapshot::kHostInstance) {
    const snapshot::HostFuncRecord& host = records_.host_funcs[record.index];
    return printable(host.module + "." + host.name);
  }
  std::string text = records_.instances.size() > 1 ? std::to_string(record.instance) + ":" : "";
  if (const KnownModule* known = this->known(record.instance);
      known && record.index < known->module->functions.size()) {
    return text + printable(known->module->function_name(record.index));
  }
  return text + "func[" + std::to_string(record.index) + "]";
}

const Module* Names::module_of(uint32_t function) const {
  if (function >= records_.funcs.size()) return nullptr;
  const snapshot::FuncRecord& record = records_.funcs[function];
  const KnownModule* known = this->known(record.instance);
  if (known == nullptr || record.index >= known->module->functions.size()) return nullptr;
  return known->module->is_imported_function(record.index) ? nullptr : known->module.get();
}

std::string Names::local(uint32_t function, uint32_t index) const {
  if (function >= records_.funcs.size()) return {};
  const snapshot::FuncRecord& record = records_.funcs[function];
  const KnownModule* known = this->known(record.instance);
  if (known == nullptr) return {};
  const auto locals = known->names.locals.find(record.index);
  return locals == known->names.locals.end() ? std::string() : printable(found_in(locals->second, index));
}

std::string Names::owned_name(uint32_t address, const Owners& owners, ExternKind kind) const {
  if (address >= owners.size()) return {};
  const Owner owner = owners[address];
  const KnownModule* known = this->known(owner.instance);
  if (known == nullptr) return {};
  const DebugNames& names = known->names;
  std::string name = found_in(kind == ExternKind::Global  ? names.globals
                              : kind == ExternKind::Table ? names.tables
                                                          : names.memories,
                              owner.index);
  if (name.empty()) name = exported_or_imported_name(*known->module, kind, owner.index);
  if (name.empty()) return {};
  return (records_.instances.size() > 1 ? std::to_string(owner.instance) + ":" : "") + printable(name);
}

std::string Names::item(const char* what, uint32_t address, const Owners& owners, ExternKind kind) const {
  return with_name(std::string(what) + " " + std::to_string(address), owned_name(address, owners, kind));
}

std::string Names::segment(const char* what, uint32_t address, const Owners& owners,
                           DebugNames::IndexNames DebugNames::* names) const {
  std::string text = std::string(what) + " " + std::to_string(address);
  if (address >= owners.size()) return text;
  const KnownModule* known = this->known(owners[address].instance);
  return known == nullptr ? text : with_name(text, found_in(known->names.*names, owners[address].index));
}

std::string Names::elem(uint32_t address) const {
  return segment("element segment", address, elems_, &DebugNames::elems);
}
std::string Names::data(uint32_t address) const { return segment("data segment", address, datas_, &DebugNames::datas); }

std::string Names::reference(ValType type, uint64_t bits) const {
  if (bits == kNullRef) return "null";
  if (type == ValType::FuncRef && bits - 1 < records_.funcs.size()) return function(static_cast<uint32_t>(bits - 1));
  if (is_heap_ref(bits)) return object(bits & ~kRefKind);
  return (is_i31_ref(bits) ? "i31 " : "") + number({type, bits});
}

std::string Names::object(uint64_t number) const {
  std::string text = "object " + std::to_string(number);
  if (number >= records_.heap.objects.size()) return text;
  const snapshot::ObjectRecord& object = records_.heap.objects[static_cast<size_t>(number)];
  if (object.type == snapshot::kExceptionObject) {
    return "exception " + std::to_string(number) + " with tag " + std::to_string(object.length);
  }
  if (object.type >= records_.heap.types.size()) return text;
  const snapshot::TypeRecord& type = records_.heap.types[object.type];
  const KnownModule* const known = this->known(type.instance);
  const bool is_array = known != nullptr && known->module->types.is(type.index, TypeDef::Kind::Array);
  text += is_array ? ", array of type " : ", of type ";
  text += std::to_string(type.index);
  return is_array ? text + " with " + plural(object.length, "element", "elements") : text;
}

std::string Names::plain(const Value& value) const {
  return is_ref(value.type) ? reference(value.type, value.bits) : number(value);
}

std::string Names::value(const Value& value) const { return std::string(name(value.type)) + " " + plain(value); }

std::string bits_text(const Value& value) { return is_vec(value.type) ? number(value) : hex(value.bits); }

std::string grouped(uint64_t number) {
  std::string text = std::to_string(number);
  for (size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

std::string size_in_words(uint64_t bytes) {
  if (bytes < 10240) return grouped(bytes) + (bytes == 1 ? " byte" : " bytes");
  const char* unit = "KiB";
  double size = static_cast<double>(bytes) / 1024;
  if (size >= 1024) {
    size /= 1024;
    unit = "MiB";
  }
  if (size >= 1024) {
    size /= 1024;
    unit = "GiB";
  }
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.1f %s", size, unit);
  return buffer;
}

std::string plural(uint64_t count, const char* one, const char* many) {
  return grouped(count) + " " + (count == 1 ? one : many);
}

std::string pages_in_words(const snapshot::MemoryRecord& memory) {
  return plural(memory.pages, "page", "pages") + (memory.type.page_exponent == 0 ? " of 1 byte" : "");
}

std::string maximum(const Limits& limits) {
  return limits.max ? "at most " + grouped(*limits.max) : std::string("no maximum");
}

std::string duration(uint64_t nanoseconds) {
  const uint64_t milliseconds = nanoseconds / 1'000'000;
  if (milliseconds < 10'000) return grouped(milliseconds) + " ms";
  return grouped(milliseconds / 1000) + "." + std::to_string(milliseconds / 100 % 10) + " s";
}

std::string date(uint64_t nanoseconds) {
  using namespace std::chrono;
  const sys_seconds time{seconds(nanoseconds / 1'000'000'000)};
  const auto day = floor<days>(time);
  const year_month_day calendar(day);
  const hh_mm_ss clock(time - day);
  char buffer[80];
  std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02u %02d:%02d:%02d UTC", static_cast<int>(calendar.year()),
                static_cast<unsigned>(calendar.month()), static_cast<unsigned>(calendar.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return buffer;
}

const char* name(wasi::DescriptorKind kind) {
  switch (kind) {
    case wasi::DescriptorKind::Stdin: return "stdin";
    case wasi::DescriptorKind::Stdout: return "stdout";
    case wasi::DescriptorKind::Stderr: return "stderr";
    case wasi::DescriptorKind::Preopen: return "preopen";
    case wasi::DescriptorKind::Directory: return "directory";
    case wasi::DescriptorKind::File: return "file";
    case wasi::DescriptorKind::Listener: return "listener";
    case wasi::DescriptorKind::Connection: return "connection";
  }
  return "?";
}

std::string describe(const wasi::DescriptorRecord& d) {
  std::string text = std::to_string(d.number) + " " + name(d.kind);
  if (!d.preopen.empty()) text += " " + printable(d.preopen);
  if (!d.path.empty()) text += " " + printable(d.path);
  if (d.removed_file) {
    text += (d.elsewhere ? ", moved file " : ", removed file ") + std::to_string(*d.removed_file);
  } else if (d.kind == wasi::DescriptorKind::Directory && d.path.empty()) {
    text += ", removed";
  }
  if (d.kind == wasi::DescriptorKind::Listener) {
    text += " " + std::to_string(d.listener);
    if (!d.address.empty()) text += ", on " + printable(d.address);
  }
  if (d.kind == wasi::DescriptorKind::File) {
    text += ", at " + std::to_string(d.offset) + " of " + std::to_string(d.size) + " bytes";
  }
  return text;
}

std::string hex_bytes(std::span<const uint8_t> bytes) {
  std::string text;
  for (const uint8_t byte : bytes) {
    if (!text.empty()) text += ' ';
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::string ascii(std::span<const uint8_t> bytes) {
  std::string text;
  for (const uint8_t byte : bytes) text += byte >= 0x20 && byte < 0x7F ? static_cast<char>(byte) : '.';
  return text;
}

std::string hex_line(uint64_t address, std::span<const uint8_t> bytes) {
  std::string text = hex_bytes(bytes.first(std::min<size_t>(8, bytes.size())));
  if (bytes.size() > 8) text += "  " + hex_bytes(bytes.subspan(8));
  text.resize(48, ' ');
  return hex(address, 8).substr(2) + "  " + text + "  |" + ascii(bytes) + "|";
}

void HexDump::add(uint64_t address, std::span<const uint8_t> bytes) {
  for (size_t at = 0; at < bytes.size(); at += 16) {
    line(address + at, bytes.subspan(at, std::min<size_t>(16, bytes.size() - at)));
  }
}

void HexDump::line(uint64_t address, std::span<const uint8_t> bytes) {
  if (std::equal(bytes.begin(), bytes.end(), last_.begin(), last_.end())) {
    if (!folding_) out_ << "*\n";
    folding_ = true;
    return;
  }
  folding_ = false;
  last_.assign(bytes.begin(), bytes.end());
  const std::string text = hex_line(address, bytes);
  const size_t digits = text.find(' ');
  out_.put(Tone::Dim, std::string_view(text).substr(0, digits)) << std::string_view(text).substr(digits) << "\n";
}

void HexDump::finish(uint64_t address) { out_.put(Tone::Dim, hex(address, 8).substr(2)) << "\n"; }

}  // namespace chiwawa::inspect
