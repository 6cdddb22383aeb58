// Thousands of spoilt modules and snapshots, the same ones in every run; meant for the build with sanitizers. Each must
// end in an error or in a run without harm.
//
//     hostile_tests [--scale N | --write-seeds FOLDER] FOLDER-OR-MODULE...
//
// --write-seeds writes unspoilt snapshots of the modules, for the fuzzer of snapshots to begin with.
//
// Exit code: 0 all as it should be; 1 problems; 2 wrong usage; 77 there is no module to start from.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "hostile/hostile_inspection.hpp"
#include "hostile/hostile_modules.hpp"
#include "hostile/hostile_snapshots.hpp"

namespace {

using namespace chiwawa;
using namespace chiwawa::hostile;

/// Prints the tally; true if there is no problem.
bool report(const char* title, const Tally& tally) {
  uint64_t total = 0;
  for (const auto& [end, count] : tally.ends) total += count;
  std::printf("%s: %llu inputs\n", title, static_cast<unsigned long long>(total));
  for (const auto& [end, count] : tally.ends) {
    std::printf("  %8llu  %s\n", static_cast<unsigned long long>(count), end.c_str());
  }
  for (size_t i = 0; i < std::min<size_t>(tally.problems.size(), 20); ++i) {
    std::printf("  PROBLEM  %s\n", tally.problems[i].c_str());
  }
  if (tally.problems.size() > 20) std::printf("  and %zu problems more\n", tally.problems.size() - 20);
  std::fflush(stdout);
  return tally.problems.empty() && total != 0;
}

int write_seeds(const Corpus& corpus, const std::filesystem::path& folder) {
  Random random(5);
  size_t number = 0;
  for (const Stopped& stopped : stop_guests(corpus, random)) {
    std::ofstream out(folder / (std::to_string(number++) + "-" + stopped.name), std::ios::binary);
    out.write(reinterpret_cast<const char*>(stopped.file.data()), static_cast<std::streamsize>(stopped.file.size()));
    if (!out) return 1;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  size_t scale = 1;
  std::string seeds;
  std::vector<std::string> paths;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--scale" && i + 1 < argc) {
      scale = static_cast<size_t>(std::atoi(argv[++i]));
    } else if (std::string_view(argv[i]) == "--write-seeds" && i + 1 < argc) {
      seeds = argv[++i];
    } else {
      paths.emplace_back(argv[i]);
    }
  }
  if (argc < 2 || scale == 0) {
    std::fputs("usage: hostile_tests [--scale N | --write-seeds FOLDER] FOLDER-OR-MODULE...\n", stderr);
    return 2;
  }
  const Corpus corpus = collect_corpus(paths);
  if (corpus.empty()) {
    std::printf("SKIPPED: there is no module in the given folders (./dev guests builds some)\n");
    return 77;
  }
  if (!seeds.empty()) return write_seeds(corpus, seeds);
  // About so many of each for scale 1, however many modules there are.
  const size_t each = std::max<size_t>(1, 4'000 * scale / corpus.size());
  bool ok = report("modules", spoil_modules(corpus, each, 1));
  ok = report("snapshot files", spoil_files(corpus, std::max<size_t>(1, each / 3), 2)) && ok;
  ok = report("states with right digests", spoil_states(corpus, std::max<size_t>(1, each / 3), 3)) && ok;
  ok = report("block indices with right digests", spoil_indices(corpus, std::max<size_t>(1, each / 3), 5)) && ok;
  ok = report("forged records", forge_records(corpus, std::max<size_t>(1, each / 2), 4)) && ok;
  ok = report("debug sections", spoil_debug_sections(corpus, each, 5)) && ok;
  return ok ? 0 : 1;
}
