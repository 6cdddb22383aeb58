#include "inspect/custom_sections.hpp"

#include "interp/byte_reader.hpp"
#include "interp/utf8.hpp"

namespace chiwawa::inspect {

namespace {

constexpr uint32_t kModuleHeader = 8;  // bytes: magic number and version

// Subsections of "name", also those of the extended-name-section proposal.
enum NameSubsection : uint8_t { kLocals = 2, kTables = 5, kMemories = 6, kGlobals = 7, kElems = 8, kDatas = 9 };

std::string_view text(const Module& module, ByteReader& in) {
  const uint32_t size = in.u32();
  const uint32_t begin = in.skip(size, "length out of bounds");
  if (!in.ok()) return {};
  return {reinterpret_cast<const char*>(module.bytes.data()) + begin, size};
}

DebugNames::IndexNames names(const Module& module, ByteReader& in) {
  DebugNames::IndexNames result;
  const uint32_t count = in.count(2);
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t index = in.u32();
    const std::string_view name = text(module, in);
    if (!in.ok()) break;
    if (is_utf8({reinterpret_cast<const uint8_t*>(name.data()), name.size()})) result.emplace(index, name);
  }
  return result;
}

void subsection(const Module& module, uint8_t id, ByteReader in, DebugNames& result) {
  switch (id) {
    case kLocals: {
      const uint32_t count = in.count(2);
      for (uint32_t i = 0; i < count && in.ok(); ++i) {
        const uint32_t function = in.u32();
        DebugNames::IndexNames locals = names(module, in);
        if (!locals.empty()) result.locals.emplace(function, std::move(locals));
      }
      break;
    }
    case kTables: result.tables = names(module, in); break;
    case kMemories: result.memories = names(module, in); break;
    case kGlobals: result.globals = names(module, in); break;
    case kElems: result.elems = names(module, in); break;
    case kDatas: result.datas = names(module, in); break;
    default: break;
  }
}

}  // namespace

std::vector<CustomSection> custom_sections(const Module& module) {
  std::vector<CustomSection> result;
  const auto size = static_cast<uint32_t>(module.bytes.size());
  if (size < kModuleHeader) return result;
  ByteReader in(module.bytes, kModuleHeader, size);
  while (!in.at_end()) {
    const uint8_t id = in.u8();
    const uint32_t length = in.u32();
    const uint32_t begin = in.skip(length, "length out of bounds");
    if (!in.ok()) break;
    if (id != 0) continue;
    ByteReader section(module.bytes, begin, begin + length);
    const std::string_view name = text(module, section);
    if (section.ok()) result.push_back({name, {section.position(), section.end()}});
  }
  return result;
}

DebugNames read_debug_names(const Module& module) {
  DebugNames result;
  for (const CustomSection& section : custom_sections(module)) {
    if (section.name != "name") continue;
    ByteReader in(module.bytes, section.contents.begin, section.contents.end);
    while (in.ok() && !in.at_end()) {
      const uint8_t id = in.u8();
      const uint32_t length = in.u32();
      const uint32_t begin = in.skip(length, "length out of bounds");
      if (in.ok()) subsection(module, id, ByteReader(module.bytes, begin, begin + length), result);
    }
    break;
  }
  return result;
}

}  // namespace chiwawa::inspect
