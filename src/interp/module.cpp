#include "interp/module.hpp"

namespace chiwawa {

uint64_t Module::place(ExternKind kind, uint32_t index) const {
  for (const Import& import : imports) {
    if (import.kind == kind && import.index == index) return import.offset;
  }
  // By the kind's number: functions, tables, memories, globals, tags.
  constexpr uint8_t kSections[] = {3, 4, 5, 6, 13};
  return section_offsets[kSections[static_cast<uint8_t>(kind)]];
}

const Export* Module::find_export(std::string_view export_name) const {
  for (const Export& candidate : exports) {
    if (candidate.name == export_name) return &candidate;
  }
  return nullptr;
}

std::string Module::function_name(uint32_t function_index) const {
  if (const auto found = function_names.find(function_index); found != function_names.end()) return found->second;
  for (const Export& candidate : exports) {
    if (candidate.kind == ExternKind::Func && candidate.index == function_index) return candidate.name;
  }
  return "func[" + std::to_string(function_index) + "]";
}

}  // namespace chiwawa
