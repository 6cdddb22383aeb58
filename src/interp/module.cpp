#include "interp/module.hpp"

namespace chiwawa {

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
