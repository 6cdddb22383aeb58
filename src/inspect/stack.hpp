// The frames of a snapshot, with what the modules say about the places where they stand.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "inspect/dwarf_lines.hpp"
#include "inspect/subject.hpp"

namespace chiwawa::inspect {

struct FrameView {
  size_t depth = 0;       ///< 0: innermost
  uint32_t function = 0;  ///< address
  uint32_t position = 0;  ///< byte offset in the module: of the next instruction, or behind the call under way
  std::string name;       ///< of the function
  bool calling = false;   ///< a call is under way, not the next instruction
  /// "local.get 2", or for a call under way "call f"; empty if the module is not at hand.
  std::string instruction;
  uint32_t begin = 0;  ///< byte offset of that instruction in the module; the position if the module is not at hand
  std::optional<SourceLine> source;
  std::span<const Value> locals;
  std::span<const Value> operands;  ///< bottom first
};

struct Stack {
  /// More than this a program has only if somebody made it up.
  static constexpr size_t kMaxFrames = 250'000;

  std::vector<FrameView> frames;      ///< innermost first, at most kMaxFrames
  size_t omitted = 0;                 ///< frames outside of these
  std::vector<std::string> problems;  ///< why source lines are missing although there is DWARF; one for a module
};

/// `sources`: with source lines, which means to read all of the modules' line tables.
Stack stack_of(const Subject& subject, bool sources);

/// "lvm.c:123:4": the last part of the path.
std::string short_place(const SourceLine& source);

}  // namespace chiwawa::inspect
