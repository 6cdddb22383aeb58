#include "snapshot_tool.hpp"

#include <charconv>
#include <cstdio>
#include <cstdlib>

#include <unistd.h>

namespace chiwawa::tools {

namespace {

bool parse_number(std::string_view text, uint64_t& number) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  if (hex) text.remove_prefix(2);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, hex ? 16 : 10);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace

void add_common_options(CLI::App& app, CommonOptions& options) {
  app.add_option("-m,--module", options.modules, "The module that was saved: shows names, instructions, source lines")
      ->type_name("WASM")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  app.add_flag("--json", options.json, "For programs: one JSON document");
  app.add_option("--color", options.color, "Colours: auto (on a terminal, unless NO_COLOR is set), always, never")
      ->type_name("WHEN")
      ->check(CLI::IsMember({"auto", "always", "never"}));
}

void add_range_options(CLI::App& app, CommonOptions& options) {
  app.add_option("--range", options.range, "Only the bytes from A on and before B, such as 0x400:0x500")
      ->type_name("A:B");
  app.add_option("--memory-index", options.memory, "Which memory, if there are several")->type_name("N");
}

bool parse_range(std::string_view text, std::pair<uint64_t, uint64_t>& range) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view begin = text.substr(0, colon);
  const std::string_view end = text.substr(colon + 1);
  range = {0, ~uint64_t{0}};
  return (begin.empty() || parse_number(begin, range.first)) && (end.empty() || parse_number(end, range.second));
}

bool use_colour(const CommonOptions& options) {
  if (options.color != "auto") return options.color == "always";
  const char* const none = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  if (none != nullptr && *none != '\0') return false;
  if (terminal != nullptr && std::string_view(terminal) == "dumb") return false;
  return ::isatty(1) == 1;
}

std::optional<std::vector<std::shared_ptr<const Module>>> read_modules(std::string_view program,
                                                                       const std::vector<std::string>& paths) {
  std::vector<std::shared_ptr<const Module>> modules;
  for (const std::string& path : paths) {
    auto module = inspect::read_module(path);
    if (!module) {
      print_problem(program, path, module.error());
      return std::nullopt;
    }
    modules.push_back(std::move(*module));
  }
  return modules;
}

void print_problem(std::string_view program, const std::string& file, const Error& error) {
  std::fprintf(stderr, "%.*s: %s: %s\n", static_cast<int>(program.size()), program.data(), printable(file).c_str(),
               printable(describe(error)).c_str());
}

}  // namespace chiwawa::tools
