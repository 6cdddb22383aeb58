// snapshot-diff: what changed between two snapshots.
#include <string>
#include <variant>
#include <vector>

#include "parse_command_line.hpp"
#include "snapshot/diff.hpp"
#include "snapshot_tool.hpp"

namespace chiwawa::tools {
namespace {

constexpr const char* kProgram = "snapshot-diff";

enum DiffExit : int { kEqual = 0, kDifferent = 1, kTrouble = 2 };

struct DiffOptions {
  std::string a;
  std::string b;
  std::vector<std::string> modules;
  bool quiet = false;
};

std::variant<DiffOptions, int> parse(int argc, char** argv) {
  DiffOptions options;
  CLI::App app("Shows what differs between two snapshots: stack, globals, tables, memory, descriptors.");
  app.footer("Exit codes: 0 equal, 1 different, 2 trouble. Who wrote a snapshot makes no difference.");
  app.set_version_flag("-V,--version", "snapshot-diff " CHIWAWA_VERSION);
  app.add_option("A", options.a, "Snapshot; - for standard input")->required();
  app.add_option("B", options.b, "Snapshot; - for standard input")->required();
  app.add_option("-m,--module", options.modules, "The module that was saved: shows the names of its functions")
      ->type_name("WASM")
      ->expected(1)
      ->take_all();
  app.add_flag("-q,--quiet", options.quiet, "Only the exit code");
  if (const auto code = parse_command_line(app, argc, argv, kTrouble)) return *code;
  return options;
}

int run(const DiffOptions& options) {
  const auto modules = read_modules(kProgram, options.modules);
  if (!modules) return kTrouble;
  SnapshotFile a(options.a);
  SnapshotFile b(options.b);
  for (SnapshotFile* file : {&a, &b}) {
    if (const Result<void> opened = file->open(); !opened) {
      print_problem(kProgram, file->path, opened.error());
      return kTrouble;
    }
    file->take_modules(*modules);
  }
  int which = 0;
  const auto differences = snapshot::diff(a.reader, b.reader, a.names(), b.names(), which);
  if (!differences) {
    print_problem(kProgram, which == 0 ? options.a : options.b, differences.error());
    return kTrouble;
  }
  if (!options.quiet && !print_text(snapshot::print(*differences))) return kTrouble;
  return differences->empty() ? kEqual : kDifferent;
}

}  // namespace
}  // namespace chiwawa::tools

int main(int argc, char** argv) {
  using namespace chiwawa::tools;
  const auto options = parse(argc, argv);
  if (const int* code = std::get_if<int>(&options)) return *code;
  return run(*std::get_if<DiffOptions>(&options));
}
