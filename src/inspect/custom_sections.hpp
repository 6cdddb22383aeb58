// Custom sections of a decoded module: where they are, and the names in the one called "name".
// https://webassembly.github.io/spec/core/appendix/custom.html
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "interp/module.hpp"

namespace chiwawa::inspect {

struct CustomSection {
  std::string_view name;  ///< refers to the module's bytes
  ByteRange contents;     ///< behind the name
};

/// In the module's order.
std::vector<CustomSection> custom_sections(const Module& module);

/// The name section's names, apart from those of functions, which are in the Module. What is malformed is left out;
/// what is there never takes more than a fixed multiple of the section's bytes.
struct DebugNames {
  using IndexNames = std::map<uint32_t, std::string>;
  std::map<uint32_t, IndexNames> locals;  ///< by function index
  IndexNames tables;
  IndexNames memories;
  IndexNames globals;
  IndexNames elems;
  IndexNames datas;
};

DebugNames read_debug_names(const Module& module);

}  // namespace chiwawa::inspect
