// Runs the official vectors and prints a table. `spec_runner --help` lists the options.
// Exit code: 0 all passed; 1 something failed, or nothing ran; 2 wrong usage; 77 the vectors' folder is missing.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <set>

#include "spec/file_runner.hpp"
#include "spec/files.hpp"
#include "spec/needs.hpp"

namespace {

using namespace chiwawa;
using namespace chiwawa::spec;
namespace fs = std::filesystem;

constexpr int kFolderMissing = 77;  // ctest: SKIP_RETURN_CODE

/// A file with fewer steps is stopped at each.
constexpr uint64_t kEveryStepBelow = 10'000;
/// The most stops for a larger one.
constexpr uint64_t kMaxStops = 2'000;
/// Every stop saves and checks all frames; 200,000 of them some hundred times would take hours.
constexpr uint32_t kCallDepthWithStops = 1'000;

constexpr const char* kHelp = R"(usage: spec_runner --vectors DIR [options]

  --vectors DIR        the extracted vectors (contains index.tsv)
  --group GROUP...     groups to run (default: all)
  --file NAME          only files whose name is NAME or GROUP/NAME
  --dispatch KIND      loop or tail (default: the fastest of this build)
  --stop-every N       stop after every N steps, save, read back, restore into a fresh store, and go on;
                       auto: 1 for files under 10,000 steps, otherwise about 2,000 stops in each
  --no-fusion          every instruction becomes operations of its own
  --collect-always     collect the garbage before every new object
  --needs              execute nothing, but compare the features that each module needs with needs.json
  -v, --verbose        print every file's row, not only the groups'
)";

struct Options {
  fs::path vectors;
  std::vector<std::string> groups;
  std::string file;
  Dispatch dispatch = default_dispatch();
  uint64_t stop_every = 0;
  bool stop_auto = false;
  bool no_fusion = false;
  bool collect_always = false;
  bool needs = false;
  bool verbose = false;
};

std::optional<Options> parse_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    const bool more = i + 1 < argc;
    if (arg == "-v" || arg == "--verbose") {
      options.verbose = true;
    } else if (arg == "--no-fusion") {
      options.no_fusion = true;
    } else if (arg == "--collect-always") {
      options.collect_always = true;
    } else if (arg == "--needs") {
      options.needs = true;
    } else if (arg == "--vectors" && more) {
      options.vectors = argv[++i];
    } else if (arg == "--group" && more) {
      while (i + 1 < argc && argv[i + 1][0] != '-') options.groups.push_back(argv[++i]);
    } else if (arg == "--file" && more) {
      options.file = argv[++i];
    } else if (arg == "--dispatch" && more) {
      const std::string_view kind = argv[++i];
      if (kind != "loop" && kind != "tail") return std::nullopt;
      options.dispatch = kind == "loop" ? Dispatch::Loop : Dispatch::Tail;
    } else if (arg == "--stop-every" && more) {
      const std::string_view count = argv[++i];
      options.stop_auto = count == "auto";
      if (!options.stop_auto) {
        const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), options.stop_every);
        if (error != std::errc() || *end != 0 || options.stop_every == 0) return std::nullopt;
      }
    } else {
      return std::nullopt;
    }
  }
  if (options.vectors.empty()) return std::nullopt;
  return options;
}

/// Calls f(group, file) for every line of the index.
template <typename F>
void for_each_file(const std::vector<uint8_t>& index, F f) {
  std::string_view rest(reinterpret_cast<const char*>(index.data()), index.size());
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const size_t tab = line.find('\t');
    if (tab != line.npos) f(line.substr(0, tab), line.substr(tab + 1, line.find('\t', tab + 1) - tab - 1));
  }
}

/// All groups, in the index's order.
std::vector<std::string> groups_of(const std::vector<uint8_t>& index) {
  std::vector<std::string> result;
  for_each_file(index, [&](std::string_view group, std::string_view) {
    if (std::find(result.begin(), result.end(), group) == result.end()) result.emplace_back(group);
  });
  return result;
}

/// The files of a group, in the index's order.
std::vector<std::string> files_of(const std::vector<uint8_t>& index, const std::string& wanted) {
  std::vector<std::string> result;
  for_each_file(index, [&](std::string_view group, std::string_view file) {
    if (group == wanted) result.emplace_back(file);
  });
  return result;
}

struct Totals {
  Tally tally;
  uint64_t files = 0;
  uint64_t steps = 0;
  uint64_t stops = 0;
};

void print_row(const std::string& label, const Totals& totals, bool stopping) {
  std::printf("%-36s %5llu %8llu %7zu %8llu", label.c_str(), static_cast<unsigned long long>(totals.files),
              static_cast<unsigned long long>(totals.tally.passed), totals.tally.failures.size(),
              static_cast<unsigned long long>(totals.tally.skipped_total()));
  if (stopping) {
    std::printf(" %12llu %8llu", static_cast<unsigned long long>(totals.steps),
                static_cast<unsigned long long>(totals.stops));
  }
  std::printf("\n");
  std::fflush(stdout);
}

Totals run_file(const Options& options, const std::string& id) {
  Mode mode;
  mode.dispatch = options.dispatch;
  mode.no_fusion = options.no_fusion;
  mode.collect_always = options.collect_always;
  mode.stop_every = options.stop_every;
  if (mode.stop_every != 0 || options.stop_auto) {
    mode.exact = true;
    mode.max_call_depth = kCallDepthWithStops;
  }
  if (options.stop_auto) {
    FileRunner counting(options.vectors, id, mode);
    counting.run();
    const uint64_t steps = counting.world().steps();
    // Odd, so that loops with an even number of steps are met at each of them.
    mode.stop_every = steps < kEveryStepBelow ? 1 : (steps / kMaxStops + 1) | 1;
  }
  FileRunner runner(options.vectors, id, mode);
  Totals totals;
  totals.tally = runner.run();
  totals.files = 1;
  totals.steps = runner.world().steps();
  totals.stops = runner.world().stops();
  return totals;
}

void add(Totals& sum, const Totals& one) {
  sum.tally.add(one.tally);
  sum.files += one.files;
  sum.steps += one.steps;
  sum.stops += one.stops;
}

void print_skips(const Tally& tally) {
  if (tally.skipped.empty()) return;
  std::vector<std::pair<uint64_t, std::string>> reasons;
  for (const auto& [reason, count] : tally.skipped) reasons.emplace_back(count, reason);
  std::sort(reasons.rbegin(), reasons.rend());
  std::printf("\nskipped, by reason:\n");
  for (const auto& [count, reason] : reasons) {
    std::printf("%8llu  %s\n", static_cast<unsigned long long>(count), reason.c_str());
  }
}

bool selected(const Options& options, const std::string& group, const std::string& name) {
  return options.file.empty() || options.file == name || options.file == group + "/" + name;
}

}  // namespace

int main(int argc, char** argv) {
  const std::optional<Options> options = parse_options(argc, argv);
  if (!options) {
    std::fputs(kHelp, stderr);
    return 2;
  }
  const auto index = read_file(options->vectors / "index.tsv");
  if (!index) {
    std::printf(
        "SKIPPED: NO VECTORS FOUND at %s\n"
        "Nothing was tested. Give the extracted folder with --vectors (CMake: -DCHIWAWA_SPEC_VECTORS=...).\n",
        options->vectors.c_str());
    return kFolderMissing;
  }
  if (!has_dispatch(options->dispatch)) {
    std::fprintf(stderr, "this build does not contain that dispatcher\n");
    return 2;
  }
  const std::optional<NeedsChecker> needs = options->needs ? NeedsChecker::open(options->vectors) : std::nullopt;
  if (options->needs && !needs) {
    std::fprintf(stderr, "needs.json is missing or broken\n");
    return 1;
  }
  const bool stopping = options->stop_auto || options->stop_every != 0;

  std::printf("%-36s %5s %8s %7s %8s%s\n", "", "files", "passed", "failed", "skipped",
              stopping ? "        steps    stops" : "");
  Totals all;
  const std::vector<std::string> groups = options->groups.empty() ? groups_of(*index) : options->groups;
  for (const std::string& group : groups) {
    Totals sum;
    for (const std::string& name : files_of(*index, group)) {
      if (!selected(*options, group, name)) continue;
      const std::string id = group + "/" + name;
      const Totals one = needs ? Totals{.tally = needs->run(id), .files = 1} : run_file(*options, id);
      for (const std::string& failure : one.tally.failures) std::printf("FAILED %s\n", failure.c_str());
      if (options->verbose) print_row("  " + id, one, stopping);
      add(sum, one);
    }
    if (sum.files != 0) print_row(group, sum, stopping);
    add(all, sum);
  }
  print_row("total", all, stopping);
  print_skips(all.tally);
  if (all.tally.passed == 0) {
    std::printf("\nNOTHING RAN.\n");
    return 1;
  }
  return all.tally.failures.empty() ? 0 : 1;
}
