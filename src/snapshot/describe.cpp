#include "snapshot/describe.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "interp/utf8.hpp"

namespace chiwawa::snapshot {

std::string Names::function(uint32_t address) const {
  if (address >= records_.funcs.size()) return "function address " + std::to_string(address);
  const FuncRecord& record = records_.funcs[address];
  if (record.instance == kHostInstance) {
    const HostFuncRecord& host = records_.host_funcs[record.index];
    return printable(host.module + "." + host.name);
  }
  std::string text = records_.instances.size() > 1 ? std::to_string(record.instance) + ":" : "";
  const uint32_t module = records_.instances[record.instance].module;
  if (module < modules_.size() && modules_[module] != nullptr && record.index < modules_[module]->functions.size()) {
    return text + printable(modules_[module]->function_name(record.index));
  }
  return text + "func[" + std::to_string(record.index) + "]";
}

std::string Names::reference(ValType type, uint64_t bits) const {
  if (bits == kNullRef) return "null";
  if (type == ValType::FuncRef && bits - 1 < records_.funcs.size()) return function(static_cast<uint32_t>(bits - 1));
  return std::to_string(bits - 1);
}

std::string Names::value(const Value& value) const {
  const std::string type(name(value.type));
  return type + " " + (is_ref(value.type) ? reference(value.type, value.bits) : number(value));
}

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
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.1f %s", size, unit);
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

void HexDump::add(uint64_t address, std::span<const uint8_t> bytes) {
  for (size_t at = 0; at < bytes.size(); at += 16) {
    line(address + at, bytes.subspan(at, std::min<size_t>(16, bytes.size() - at)));
  }
}

void HexDump::line(uint64_t address, std::span<const uint8_t> bytes) {
  if (std::equal(bytes.begin(), bytes.end(), last_.begin(), last_.end())) {
    if (!folding_) out_ += "*\n";
    folding_ = true;
    return;
  }
  folding_ = false;
  last_.assign(bytes.begin(), bytes.end());
  std::string text = hex_bytes(bytes.first(std::min<size_t>(8, bytes.size())));
  if (bytes.size() > 8) text += "  " + hex_bytes(bytes.subspan(8));
  text.resize(48, ' ');
  out_ += hex(address, 8).substr(2) + "  " + text + "  |";
  for (const uint8_t byte : bytes) out_ += byte >= 0x20 && byte < 0x7F ? static_cast<char>(byte) : '.';
  out_ += "|\n";
}

void HexDump::finish(uint64_t address) { out_ += hex(address, 8).substr(2) + "\n"; }

}  // namespace chiwawa::snapshot
