#include "monitor/coverage.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include "interp/text.hpp"

namespace chiwawa::monitor {

namespace {

struct CoveredFunction {
  std::string name;
  uint32_t line = 0;
  uint64_t count = 0;
};

/// A basic block of one function.
struct CoveredBlock {
  uint32_t line = 0;
  uint32_t function = 0;  ///< number in the module
  uint32_t number = 0;    ///< within the function
  uint64_t count = 0;
};

struct SourceFile {
  std::vector<CoveredFunction> functions;
  std::vector<CoveredBlock> blocks;
  std::map<uint32_t, uint64_t> lines;  ///< the most executions of any instruction of the line
};

void write(Output& output, const std::string& name, const SourceFile& file) {
  const auto field = [&](const char* key, uint64_t value) {
    output.text(key);
    output.number(value);
  };
  output.text("TN:\nSF:");
  output.text(printable(name));
  uint64_t hit = 0;
  for (const CoveredFunction& function : file.functions) {
    field("\nFN:", function.line);
    output.letter(',');
    output.text(function.name);
  }
  for (const CoveredFunction& function : file.functions) {
    field("\nFNDA:", function.count);
    output.letter(',');
    output.text(function.name);
    hit += function.count != 0 ? 1 : 0;
  }
  field("\nFNF:", file.functions.size());
  field("\nFNH:", hit);
  hit = 0;
  for (const CoveredBlock& block : file.blocks) {
    field("\nBRDA:", block.line);
    field(",", block.function);
    field(",", block.number);
    field(",", block.count);
    hit += block.count != 0 ? 1 : 0;
  }
  field("\nBRF:", file.blocks.size());
  field("\nBRH:", hit);
  hit = 0;
  for (const auto& [line, count] : file.lines) {
    field("\nDA:", line);
    field(",", count);
    hit += count != 0 ? 1 : 0;
  }
  field("\nLF:", file.lines.size());
  field("\nLH:", hit);
  output.text("\nend_of_record\n");
}

}  // namespace

void write_coverage(Output& output, const Store& store, const BlockCounts& counts, const std::string& module_name,
                    const SourceLines& find_lines) {
  std::map<std::string, SourceFile> files;
  for (const auto& instance : store.instances) {
    const Module& module = *instance->module;
    std::map<uint32_t, SourcePlace> places;
    if (find_lines) {
      std::vector<uint32_t> offsets;
      for (uint32_t i = module.imported_functions; i < module.functions.size(); ++i) {
        if (!counts.has(instance->funcs[i])) continue;
        counts.for_each(store, instance->funcs[i],
                        [&](const Instr& instr, uint64_t, bool) { offsets.push_back(instr.offset); });
      }
      places = find_lines(module, std::move(offsets));
    }
    for (uint32_t i = module.imported_functions; i < module.functions.size(); ++i) {
      const FuncAddr address = instance->funcs[i];
      if (!counts.has(address)) continue;
      bool first = true;
      uint32_t block = 0;
      counts.for_each(store, address, [&](const Instr& instr, uint64_t count, bool begins_block) {
        const auto known = places.find(instr.offset);
        const bool has_line = known != places.end();
        // Of a module with lines, what has none came from the compiler.
        if (!has_line && !places.empty() && !first && !begins_block) return;
        SourceFile& file = files[has_line ? known->second.file : module_name];
        const uint32_t line = has_line ? known->second.line : instr.offset;
        if (has_line || begins_block) {
          uint64_t& most = file.lines[line];
          most = std::max(most, count);
        }
        if (first) file.functions.push_back({printable(module.function_name(i)), line, count});
        if (begins_block) file.blocks.push_back({line, i, block++, count});
        first = false;
      });
    }
  }
  for (const auto& [name, file] : files) write(output, name, file);
}

}  // namespace chiwawa::monitor
