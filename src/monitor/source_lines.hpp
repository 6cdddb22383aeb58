// Where instructions come from, if somebody can tell: not every build can read DWARF.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "interp/module.hpp"

namespace chiwawa::monitor {

struct SourcePlace {
  std::string file;
  uint32_t line = 0;  ///< from 1
};

/// The places of these module offsets; what is unknown is missing.
using SourceLines = std::function<std::map<uint32_t, SourcePlace>(const Module& module, std::vector<uint32_t> offsets)>;

}  // namespace chiwawa::monitor
