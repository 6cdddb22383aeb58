// Which source line an instruction of a module comes from, by its DWARF sections.
// https://yurydelendik.github.io/webassembly-dwarf/
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "interp/module.hpp"

namespace chiwawa::inspect {

struct SourceLine {
  std::string file;     ///< with its folder, as the compiler wrote it
  uint32_t line = 0;    ///< from 1; 0: the compiler says that there is none
  uint32_t column = 0;  ///< from 1; 0: unknown
};

struct SourceLines {
  std::map<uint32_t, SourceLine> by_offset;  ///< by byte offset in the module; what has no line is missing
  bool available = false;                    ///< whether the module has DWARF lines at all
  std::string problem;                       ///< why some may be missing; empty: nothing is wrong
};

/// Looks up byte offsets of instructions. The sections are taken for hostile: their sizes, and the time and memory that
/// they may cost, are limited (some 300 MiB, some ten seconds), and what is malformed only ends in `problem`.
SourceLines find_source_lines(const Module& module, std::vector<uint32_t> offsets);

}  // namespace chiwawa::inspect
