// snapshot-inspect: what is in a snapshot.
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "inspect/coredump.hpp"
#include "inspect/heap_view.hpp"
#include "inspect/html.hpp"
#include "inspect/memory_views.hpp"
#include "inspect/stats.hpp"
#include "inspect/verify.hpp"
#include "inspect/views.hpp"
#include "parse_command_line.hpp"
#include "size.hpp"
#include "snapshot/chain.hpp"
#include "snapshot/flatten.hpp"
#include "snapshot/restore.hpp"
#include "snapshot_tool.hpp"

namespace chiwawa::tools {
namespace {

using inspect::Json;
using inspect::OpenSnapshot;
using inspect::Subject;
using inspect::Text;

constexpr const char* kProgram = "snapshot-inspect";

enum InspectExit : int {
  kFine = 0,
  kUsage = 1,  ///< the command line, a file that cannot be read or written, a module that is not the snapshot's
  kDamaged = 3,
  kUnsupported = 4,  ///< a version or feature that this program does not know
};

struct Options {
  std::string file;
  CommonOptions common;
  std::string view = "overview";
  inspect::FrameParts parts{false, false};
  std::string find;
  bool strings = false;
  bool map = false;
  size_t min_length = 4;
  std::string output;
  uint64_t memory_limit = inspect::HtmlOptions{}.max_memory;
};

std::variant<Options, int> parse(int argc, char** argv) {
  Options options;
  CLI::App app("Shows what is in a snapshot: where the program stopped, its stack, memory and open files.");
  app.footer(
      "Without a view: an overview. The options of a view come after its name, FILE before or after it (./name for a "
      "file\n"
      "that is called like a view).\n"
      "Exit codes: 0 fine, 1 wrong usage or unreadable file, 3 damaged, 4 made for another version.\n"
      "docs/inspecting.md has examples; schema/inspect.schema.json describes the JSON.");
  app.set_version_flag("-V,--version", "snapshot-inspect " CHIWAWA_VERSION);
  // Not marked as required: CLI11 would take the name of a view for it.
  app.add_option("FILE", options.file, "Snapshot; - for standard input");
  add_common_options(app, options.common);
  app.require_subcommand(0, 1);
  app.fallthrough();

  const auto view = [&](const char* name, const char* description) {
    CLI::App* const sub = app.add_subcommand(name, description);
    sub->fallthrough();
    return sub;
  };
  view("backtrace", "The call chain with instructions and source lines");
  CLI::App* const frames = view("frames", "Every frame with its locals and operands");
  frames->add_flag("--locals", options.parts.locals, "Only the locals");
  frames->add_flag("--stack", options.parts.operands, "Only the operands");
  CLI::App* const memory = view("memory", "Memory contents as hex dump");
  add_range_options(*memory, options.common);
  auto* const find =
      memory->add_option("--find", options.find, "Where bytes (\"68 69\", 0x6869) or text (hello, '\"68 69\"') are")
          ->type_name("BYTES|TEXT");
  auto* const strings = memory->add_flag("--strings", options.strings, "Runs of printable characters");
  memory->add_option("--min-length", options.min_length, "Of --strings: characters (default 4)")
      ->type_name("N")
      ->needs(strings);
  auto* const map = memory->add_flag("--map", options.map, "A picture: which pages are in use, and how full they are");
  map->excludes(find)->excludes(strings);
  strings->excludes(find);
  view("globals", "Every global with its value");
  view("tables", "Every table with its elements");
  view("segments", "Element and data segments, and whether they are dropped");
  view("heap", "Structs, arrays and exceptions with their fields");
  view("wasi", "Arguments, environment, clock, descriptors");
  view("stats", "What takes the bytes");
  view("verify", "Every check that a restore makes, one by one");
  CLI::App* const coredump = view("coredump", "Write a WebAssembly core dump, for debuggers");
  CLI::App* const html = view("html", "Write one page to browse");
  const auto set_limit = [&](const std::string& text) {
    options.memory_limit = parse_size(text).value_or(options.memory_limit);
  };
  html->add_option_function<std::string>("--memory-limit", set_limit,
                                         "Most bytes of memory contents in it, also with K, M or G (default 4M)")
      ->type_name("SIZE")
      ->check(check_size, "");
  CLI::App* const flatten = view("flatten", "Write an increment and its bases as one snapshot");
  for (CLI::App* const writer : {coredump, html, flatten}) {
    writer->add_option("-o,--output", options.output, "File; - for standard output")->required()->type_name("FILE");
  }
  if (const auto code = parse_command_line(app, argc, argv, kUsage)) return *code;
  if (options.file.empty()) {
    std::fprintf(stderr, "%s: FILE is required: which snapshot?\nRun with --help for more information.\n", kProgram);
    return kUsage;
  }
  if (const auto chosen = app.get_subcommands(); !chosen.empty()) options.view = chosen[0]->get_name();
  if (options.view == "flatten" && options.file == "-") {
    std::fprintf(stderr, "%s: flatten needs a file: it looks for the bases beside it\n", kProgram);
    return kUsage;
  }
  if (!options.parts.locals && !options.parts.operands) options.parts = {true, true};
  return options;
}

/// The views that print on standard output. An error of Phase::Snapshot is damage, others are wrong usage.
class Views {
 public:
  Views(const Options& options, OpenSnapshot& file) : options_(options), subject_(file.subject()) {}

  Result<void> print(Text& out) {
    if (options_.common.json) {
      Json json = inspect::json_document(kProgram, options_.view.c_str());
      json["snapshot"] = inspect::json_of_file(subject_);
      CHIWAWA_TRY(add_json(json));
      out << inspect::json_text(json);
      return {};
    }
    const std::string& view = options_.view;
    if (view == "overview") inspect::print_overview(out, subject_);
    if (view == "backtrace") inspect::print_backtrace(out, subject_);
    if (view == "frames") inspect::print_frames(out, subject_, options_.parts);
    if (view == "globals") inspect::print_globals(out, subject_);
    if (view == "tables") inspect::print_tables(out, subject_);
    if (view == "segments") inspect::print_segments(out, subject_);
    if (view == "heap") inspect::print_heap(out, subject_);
    if (view == "wasi") inspect::print_wasi(out, subject_);
    if (view == "memory") return print_memory(out);
    if (view == "stats") {
      const auto stats = inspect::stats_of(subject_);
      if (!stats) return stats.error();
      inspect::print_stats(out, *stats);
    }
    return {};
  }

 private:
  Result<inspect::MemoryRange> range() const {
    std::optional<std::pair<uint64_t, uint64_t>> bytes;
    if (!options_.common.range.empty()) {
      bytes.emplace();
      if (!parse_range(options_.common.range, *bytes)) {
        return Error{Phase::Invoke, "--range: " + options_.common.range + " is no range such as 0x400:0x500",
                     Error::kNoOffset};
      }
      const auto& memories = subject_.records.memories;
      const bool open = options_.common.range.ends_with(':');
      if (open && options_.common.memory < memories.size()) {
        bytes->second = memories[options_.common.memory].bytes();
      }
    }
    return inspect::memory_range(subject_.records, options_.common.memory, bytes);
  }

  Result<void> print_memory(Text& out) const {
    const auto range = this->range();
    if (!range) return range.error();
    if (options_.map) {
      const auto map = inspect::page_map(subject_, *range);
      if (!map) return map.error();
      inspect::print_page_map(out, *map);
    } else if (!options_.find.empty()) {
      const auto matches = find(*range);
      if (!matches) return matches.error();
      return inspect::print_matches(out, subject_, *range, *matches);
    } else if (options_.strings) {
      return inspect::find_strings(subject_, *range, options_.min_length, [&](uint64_t offset, std::string_view text) {
        out.put(inspect::Tone::Dim, hex(offset, 8)) << "  " << text << "\n";
      });
    } else {
      return inspect::print_memory(out, subject_, *range);
    }
    return {};
  }

  Result<inspect::Matches> find(inspect::MemoryRange range) const {
    const auto pattern = inspect::parse_pattern(options_.find);
    if (!pattern) return pattern.error();
    return inspect::find_in_memory(subject_, range, *pattern);
  }

  Result<void> add_json(Json& json) const {
    const std::string& view = options_.view;
    const bool all = view == "overview";
    if (all) json["program"] = inspect::json_of_program(subject_);
    if (all || view == "frames") json["machine"] = inspect::json_of_machine(subject_, options_.parts, all);
    if (view == "backtrace") json["machine"] = inspect::json_of_machine(subject_, {false, false}, true);
    if (all) json["memories"] = inspect::json_of_memories(subject_);
    if (all || view == "tables") json["tables"] = inspect::json_of_tables(subject_);
    if (all || view == "globals") json["globals"] = inspect::json_of_globals(subject_);
    if (all || view == "segments") json["segments"] = inspect::json_of_segments(subject_);
    if (all || view == "wasi") json["wasi"] = inspect::json_of_wasi(subject_);
    if (view == "heap") json["heap"] = inspect::json_of_heap(subject_);
    if (view == "stats") {
      const auto stats = inspect::stats_of(subject_);
      if (!stats) return stats.error();
      json["stats"] = inspect::json_of_stats(*stats);
    }
    if (view == "memory") return add_memory_json(json);
    return {};
  }

  Result<void> add_memory_json(Json& json) const {
    const auto range = this->range();
    if (!range) return range.error();
    if (options_.map) {
      const auto map = inspect::page_map(subject_, *range);
      if (!map) return map.error();
      json["map"] = inspect::json_of_page_map(*map);
    } else if (!options_.find.empty()) {
      const auto matches = find(*range);
      if (!matches) return matches.error();
      json["matches"] = inspect::json_of_matches(*matches);
    } else if (options_.strings) {
      Json list = Json::array();
      CHIWAWA_TRY(
          inspect::find_strings(subject_, *range, options_.min_length, [&](uint64_t offset, std::string_view text) {
            list.push_back({{"offset", inspect::json_number(offset)}, {"text", text}});
          }));
      json["strings"] = std::move(list);
    } else {
      auto memory = inspect::json_of_memory(subject_, *range);
      if (!memory) return memory.error();
      json["memory"] = std::move(*memory);
    }
    return {};
  }

  const Options& options_;
  Subject subject_;
};

/// The views that write a file.
Result<void> write_file(const Options& options, const Subject& subject) {
  const auto write = [&](snapshot::Sink& sink) -> Result<void> {
    if (options.view == "coredump") return inspect::write_coredump(sink, subject);
    if (options.view == "flatten") return snapshot::flatten(sink, options.file);
    Text text(sink);
    CHIWAWA_TRY(inspect::print_html(text, subject, {options.memory_limit}));
    return text.finish();
  };
  if (options.output != "-") return snapshot::publish(options.output, write);
  snapshot::DescriptorSink sink(1, "standard output");
  return write(sink);
}

int verify(const Options& options, const std::vector<std::shared_ptr<const Module>>& modules) {
  std::optional<std::vector<uint8_t>> bytes;
  if (options.file == "-") {
    auto input = inspect::read_standard_input();
    if (!input) {
      print_problem(kProgram, options.file, input.error());
      return kUsage;
    }
    bytes = std::move(*input);
  } else {
    snapshot::FileSource source;
    if (const auto opened = source.open(options.file); !opened) {
      print_problem(kProgram, options.file, opened.error());
      return kUsage;
    }
  }
  const inspect::Verification result =
      inspect::verify_snapshot(bytes ? &*bytes : nullptr, options.file, snapshot::folder_of(options.file), modules);
  Output output(use_colour(options.common));
  if (options.common.json) {
    Json json = inspect::json_document(kProgram, "verify");
    json["verify"] = inspect::json_of_verification(result);
    output.text << inspect::json_text(json);
  } else {
    inspect::print_verification(output.text, result);
  }
  if (!output.text.finish()) return kUsage;
  return result.unsupported ? kUnsupported : result.passed() ? kFine : kDamaged;
}

int run(const Options& options) {
  const auto modules = read_modules(kProgram, options.common.modules);
  if (!modules) return kUsage;
  if (options.view == "verify") return verify(options, *modules);

  OpenSnapshot file;
  const auto fail = [&](const Error& error) {
    print_problem(kProgram, options.file, error);
    if (file.unsupported()) return kUnsupported;
    return error.phase == Phase::Snapshot ? kDamaged : kUsage;
  };
  if (const Result<void> opened = file.open(options.file); !opened) return fail(opened.error());
  if (file.take_modules(*modules) < modules->size()) {
    const auto matched = snapshot::match_modules(file.records(), *modules);
    print_problem(kProgram, options.file,
                  matched ? Error{Phase::Invoke, "a module given is not one of those that were saved", Error::kNoOffset}
                          : matched.error());
    return kUsage;
  }
  if (!options.output.empty()) {
    if (const auto written = write_file(options, file.subject()); !written) return fail(written.error());
    return kFine;
  }
  Output output(use_colour(options.common));
  if (const Result<void> printed = Views(options, file).print(output.text); !printed) {
    (void)output.text.finish();
    return fail(printed.error());
  }
  if (const Result<void> written = output.text.finish(); !written) return fail(written.error());
  return kFine;
}

}  // namespace
}  // namespace chiwawa::tools

int main(int argc, char** argv) {
  using namespace chiwawa::tools;
  const auto options = parse(argc, argv);
  if (const int* code = std::get_if<int>(&options)) return *code;
  return run(*std::get_if<Options>(&options));
}
