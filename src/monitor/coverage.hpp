// --coverage: which functions, blocks and lines ran, for lcov and genhtml.
// https://man.archlinux.org/man/geninfo.1#TRACEFILE_FORMAT
#pragma once

#include <cstdint>
#include <string>

#include "interp/instrumentation.hpp"
#include "interp/monitor.hpp"
#include "monitor/output.hpp"
#include "monitor/source_lines.hpp"

namespace chiwawa::monitor {

class Coverage final : public Monitor {
 public:
  std::string_view name() const override { return "coverage"; }
  bool wants_counts() const override { return true; }
};

/// Requires that the run is over, and Instrumentation::count_uncalled(). Without lines the module itself is the source
/// file, `module_name`, and byte offsets are its lines.
void write_coverage(Output& output, const Store& store, const BlockCounts& counts, const std::string& module_name,
                    const SourceLines& lines);

}  // namespace chiwawa::monitor
