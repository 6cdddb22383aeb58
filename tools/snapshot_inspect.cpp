// snapshot-inspect: what is in a snapshot.
#include <charconv>
#include <cstdio>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "parse_command_line.hpp"
#include "snapshot/print.hpp"
#include "snapshot/restore.hpp"
#include "snapshot_tool.hpp"

namespace chiwawa::tools {
namespace {

constexpr const char* kProgram = "snapshot-inspect";

enum InspectExit : int {
  kFine = 0,
  kUsage = 1,  ///< the command line, a file that cannot be read, a module that is not the snapshot's
  kDamaged = 3,
  kUnsupported = 4,  ///< a version or feature that this program does not know
};

struct InspectOptions {
  std::string file;
  std::vector<std::string> modules;
  bool frames = false;
  bool json = false;
  std::optional<snapshot::MemoryRange> range;
};

bool parse_number(std::string_view text, uint64_t& number) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  if (hex) text.remove_prefix(2);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, hex ? 16 : 10);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

/// "A:B" -> [A, B).
bool parse_range(const std::string& text, snapshot::MemoryRange& range) {
  const size_t colon = text.find(':');
  return colon != std::string::npos && parse_number(std::string_view(text).substr(0, colon), range.begin) &&
         parse_number(std::string_view(text).substr(colon + 1), range.end) && range.begin <= range.end;
}

std::variant<InspectOptions, int> parse(int argc, char** argv) {
  InspectOptions options;
  std::string range;
  uint32_t memory = 0;
  CLI::App app("Shows what is in a snapshot, after checking all of it.");
  app.footer(
      "Exit codes: 0 fine, 1 wrong usage or unreadable file, 3 damaged, 4 made for another version.\n"
      "--frames, --memory and --json replace the overview; --frames and --memory can be combined.");
  app.set_version_flag("-V,--version", "snapshot-inspect " CHIWAWA_VERSION);
  app.add_option("FILE", options.file, "Snapshot; - for standard input")->required();
  app.add_option("-m,--module", options.modules, "The module that was saved: shows the names of its functions")
      ->type_name("WASM")
      ->expected(1)
      ->take_all();
  app.add_flag("--frames", options.frames, "Every frame with its locals and operands, innermost first");
  app.add_option("--memory", range, "Bytes A to B (excluded) of a memory as hex dump, such as 0x400:0x500")
      ->type_name("A:B");
  app.add_option("--memory-index", memory, "Which memory --memory means")->type_name("N");
  app.add_flag("--json", options.json, "Everything but memory contents, for programs");
  if (const auto code = parse_command_line(app, argc, argv, kUsage)) return *code;

  if (!range.empty()) {
    options.range.emplace();
    options.range->memory = memory;
    if (!parse_range(range, *options.range)) {
      std::fprintf(stderr, "%s: --memory: %s is no range such as 0x400:0x500\n", kProgram, printable(range).c_str());
      return kUsage;
    }
  }
  return options;
}

int run(const InspectOptions& options) {
  const auto modules = read_modules(kProgram, options.modules);
  if (!modules) return kUsage;

  SnapshotFile file(options.file);
  const auto fail = [&](const Error& error) {
    print_problem(kProgram, options.file, error);
    if (file.reader.unsupported()) return kUnsupported;
    return error.phase == Phase::Snapshot ? kDamaged : kUsage;
  };
  if (const Result<void> opened = file.open(); !opened) return fail(opened.error());
  if (!modules->empty()) {
    if (const auto matched = snapshot::match_modules(file.reader.records(), *modules); !matched) {
      print_problem(kProgram, options.file, matched.error());
      return kUsage;
    }
  }
  file.take_modules(*modules);
  const Result<std::string> dump = snapshot::dump_memory(file.reader, options.range);
  if (!dump) return fail(dump.error());

  const snapshot::Records& records = file.reader.records();
  const snapshot::Names names = file.names();
  const snapshot::FileFacts facts{options.file, file.reader.offset(), file.reader.header(), file.reader.state_digest()};
  std::string text;
  if (options.json) {
    text = snapshot::print_json(facts, records, names);
  } else if (options.frames || options.range) {
    if (options.frames) text += snapshot::print_frames(records, names);
    text += *dump;
  } else {
    text = snapshot::print_overview(facts, records, names);
  }
  return print_text(text) ? kFine : kUsage;
}

}  // namespace
}  // namespace chiwawa::tools

int main(int argc, char** argv) {
  using namespace chiwawa::tools;
  const auto options = parse(argc, argv);
  if (const int* code = std::get_if<int>(&options)) return *code;
  return run(*std::get_if<InspectOptions>(&options));
}
