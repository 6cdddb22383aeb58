// A heat map of memory: how often each line of 64 bytes is read and written.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>

#include "interp/monitor.hpp"

class HeatMap final : public chiwawa::Monitor {
 public:
  static constexpr uint64_t kLine = 64;
  struct Accesses {
    uint64_t reads = 0;
    uint64_t writes = 0;
  };

  std::string_view name() const override { return "heat map"; }

  // Every function, but of its instructions only those that touch memory.
  bool wants_instructions(const chiwawa::FuncInst&) const override { return true; }
  bool wants(const chiwawa::FuncInst&, const chiwawa::Instr& instr) const override {
    return chiwawa::memory_access(instr.opcode).bytes != 0;
  }

  void before(const chiwawa::View& view) override {
    const std::optional<chiwawa::MemoryRange> range = view.access();
    // What is out of bounds traps next.
    if (!range || range->overflows || range->address + range->bytes > view.memory(range->memory).size()) return;
    for (uint64_t line = range->address / kLine; line <= (range->address + range->bytes - 1) / kLine; ++line) {
      lines_[line].reads += range->reads ? 1 : 0;
      lines_[line].writes += range->writes ? 1 : 0;
    }
  }

  const std::map<uint64_t, Accesses>& lines() const { return lines_; }

  /// "0x00000040       16 reads        0 writes  ################", by address.
  std::string picture() const {
    uint64_t most = 1;
    for (const auto& [line, accesses] : lines_) most = std::max(most, accesses.reads + accesses.writes);
    std::string text;
    for (const auto& [line, accesses] : lines_) {
      char row[96];
      std::snprintf(row, sizeof row, "0x%08llx %8llu reads %8llu writes  ",
                    static_cast<unsigned long long>(line * kLine), static_cast<unsigned long long>(accesses.reads),
                    static_cast<unsigned long long>(accesses.writes));
      text += row + std::string(1 + (accesses.reads + accesses.writes) * 39 / most, '#') + "\n";
    }
    return text;
  }

 private:
  std::map<uint64_t, Accesses> lines_;
};
