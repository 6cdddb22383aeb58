// What snapshot-inspect and snapshot-diff share: options, modules for names, output, messages.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "inspect/open.hpp"
#include "inspect/text.hpp"
#include "inspect/views.hpp"
#include "interp/module.hpp"
#include "interp/result.hpp"
#include "parse_command_line.hpp"
#include "snapshot/file.hpp"

namespace chiwawa::tools {

/// Options that both programs have.
struct CommonOptions {
  std::vector<std::string> modules;
  bool json = false;
  std::string color = "auto";
  std::string range;    ///< "A:B"
  uint32_t memory = 0;  ///< which memory the range is of
};

void add_common_options(CLI::App& app, CommonOptions& options);
void add_range_options(CLI::App& app, CommonOptions& options);

/// "0x400:0x500" -> the two numbers; "0x400:" and ":0x500" are open. False if it is no range.
bool parse_range(std::string_view text, std::pair<uint64_t, uint64_t>& range);

/// Whether text on standard output is to have colours: --color, else NO_COLOR, else whether it is a terminal.
bool use_colour(const CommonOptions& options);

/// Reads and decodes modules. On failure the problem has been printed, and nothing is returned.
std::optional<std::vector<std::shared_ptr<const Module>>> read_modules(std::string_view program,
                                                                       const std::vector<std::string>& paths);

/// "<program>: <file>: <description>" on stderr.
void print_problem(std::string_view program, const std::string& file, const Error& error);

/// Standard output.
class Output {
 public:
  explicit Output(bool colour) : text(sink_, colour) {}

 private:
  snapshot::DescriptorSink sink_{1, "standard output"};

 public:
  inspect::Text text;
};

}  // namespace chiwawa::tools
