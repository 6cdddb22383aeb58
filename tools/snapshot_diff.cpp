// snapshot-diff: what changed between two snapshots.
#include <cstdio>
#include <string>
#include <variant>
#include <vector>

#include "inspect/diff.hpp"
#include "inspect/memory_views.hpp"
#include "parse_command_line.hpp"
#include "snapshot_tool.hpp"

namespace chiwawa::tools {
namespace {

constexpr const char* kProgram = "snapshot-diff";

enum DiffExit : int { kEqual = 0, kDifferent = 1, kTrouble = 2 };

struct Options {
  std::string a;
  std::string b;
  CommonOptions common;
  bool stat = false;
  bool pages = false;
  bool quiet = false;
  std::vector<std::string> ignore;
  size_t max = inspect::DiffStyle{}.max_changes;
};

std::variant<Options, int> parse(int argc, char** argv) {
  Options options;
  CLI::App app("Shows what differs between two snapshots: stack, globals, tables, memory, descriptors.");
  app.footer(
      "Exit codes: 0 equal, 1 different, 2 trouble. Only states are compared: who wrote a snapshot when, and whether "
      "it is\n"
      "an increment, makes no difference. Blocks of memory with equal hashes are not read, so damage there is not "
      "found\n"
      "(snapshot-inspect verify finds it). docs/inspecting.md has examples; schema/diff.schema.json describes the "
      "JSON.");
  app.set_version_flag("-V,--version", "snapshot-diff " CHIWAWA_VERSION);
  app.add_option("A", options.a, "Snapshot; - for standard input")->required();
  app.add_option("B", options.b, "Snapshot; - for standard input")->required();
  add_common_options(app, options.common);
  add_range_options(app, options.common);
  auto* const stat = app.add_flag("--stat", options.stat, "One line for each part");
  auto* const pages = app.add_flag("--pages", options.pages, "A picture of the pages that differ");
  auto* const quiet = app.add_flag("-q,--exit-code-only", options.quiet, "Print nothing");
  pages->excludes(stat);
  quiet->excludes(stat)->excludes(pages);
  app.add_option("--ignore", options.ignore, "What shall make no difference: clock, random")
      ->type_name("WHAT,…")
      ->delimiter(',')
      ->check(CLI::IsMember({"clock", "random"}));
  app.add_option("--max", options.max, "Most changes, and lines of memory, shown of each part (default 16)")
      ->type_name("N");
  if (const auto code = parse_command_line(app, argc, argv, kTrouble)) return *code;
  if (options.a == "-" && options.b == "-") {
    std::fprintf(stderr, "%s: only one of the two can be standard input\n", kProgram);
    return kTrouble;
  }
  return options;
}

int run(const Options& options) {
  const auto modules = read_modules(kProgram, options.common.modules);
  if (!modules) return kTrouble;
  inspect::OpenSnapshot a;
  inspect::OpenSnapshot b;
  for (const auto& [file, path] : {std::pair(&a, &options.a), std::pair(&b, &options.b)}) {
    if (const Result<void> opened = file->open(*path, inspect::OpenSnapshot::Check::OnlyShown); !opened) {
      print_problem(kProgram, *path, opened.error());
      return kTrouble;
    }
    file->take_modules(*modules);
  }

  inspect::share_modules(a, b);

  inspect::DiffOptions diff_options;
  for (const std::string& ignored : options.ignore) {
    (ignored == "clock" ? diff_options.ignore_clock : diff_options.ignore_random) = true;
  }
  if (!options.common.range.empty()) {
    std::pair<uint64_t, uint64_t> range;
    if (!parse_range(options.common.range, range) || range.first > range.second) {
      std::fprintf(stderr, "%s: --range: %s is no range such as 0x400:0x500\n", kProgram,
                   printable(options.common.range).c_str());
      return kTrouble;
    }
    diff_options.range = {options.common.memory, range.first, range.second};
  }
  int which = 0;
  const auto differences = inspect::diff(a.subject(), b.subject(), diff_options, which);
  if (!differences) {
    print_problem(kProgram, which == 0 ? options.a : options.b, differences.error());
    return kTrouble;
  }
  Output output(use_colour(options.common));
  if (options.quiet) {
    // nothing
  } else if (options.common.json) {
    inspect::Json json = inspect::json_document(kProgram, "diff");
    json["a"] = inspect::json_of_file(a.subject());
    json["b"] = inspect::json_of_file(b.subject());
    json["diff"] = inspect::json_of_diff(*differences);
    output.text << inspect::json_text(json);
  } else if (options.stat) {
    inspect::print_diff_stat(output.text, *differences);
  } else if (options.pages) {
    inspect::print_diff_pages(output.text, *differences);
  } else {
    inspect::print_diff(output.text, *differences, {options.max, options.max});
  }
  if (const Result<void> written = output.text.finish(); !written) {
    print_problem(kProgram, "output", written.error());
    return kTrouble;
  }
  return differences->empty() ? kEqual : kDifferent;
}

}  // namespace
}  // namespace chiwawa::tools

int main(int argc, char** argv) {
  using namespace chiwawa::tools;
  const auto options = parse(argc, argv);
  if (const int* code = std::get_if<int>(&options)) return *code;
  return run(*std::get_if<Options>(&options));
}
