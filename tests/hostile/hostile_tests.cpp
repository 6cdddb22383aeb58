// Thousands of spoilt modules and snapshots, the same ones in every run; meant for the build with sanitizers. Each must
// end in an error or in a run without harm.
//
//     hostile_tests [--scale N] FOLDER-OR-MODULE...
//
// Exit code: 0 all as it should be; 1 problems; 2 wrong usage; 77 there is no module to start from.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "hostile/hostile_modules.hpp"
#include "hostile/hostile_snapshots.hpp"
#include "spec/files.hpp"

namespace {

using namespace chiwawa;
using namespace chiwawa::hostile;
namespace fs = std::filesystem;

/// Bytes. What is larger takes long and tells little more.
constexpr size_t kLargest = 50'000;

void collect(const fs::path& path, Corpus& corpus) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    std::vector<fs::path> inside;
    for (const auto& entry : fs::directory_iterator(path, error)) inside.push_back(entry.path());
    std::sort(inside.begin(), inside.end());
    for (const fs::path& each : inside) collect(each, corpus);
  } else if (path.extension() == ".wasm") {
    auto bytes = spec::read_file(path);
    if (bytes && bytes->size() <= kLargest) corpus.push_back({path.filename().string(), std::move(*bytes)});
  }
}

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

}  // namespace

int main(int argc, char** argv) {
  size_t scale = 1;
  Corpus corpus;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--scale" && i + 1 < argc) {
      scale = static_cast<size_t>(std::atoi(argv[++i]));
    } else {
      collect(argv[i], corpus);
    }
  }
  if (argc < 2 || scale == 0) {
    std::fputs("usage: hostile_tests [--scale N] FOLDER-OR-MODULE...\n", stderr);
    return 2;
  }
  if (corpus.empty()) {
    std::printf("SKIPPED: there is no module in the given folders (./dev guests builds some)\n");
    return 77;
  }
  // About so many of each for scale 1, however many modules there are.
  const size_t each = std::max<size_t>(1, 4'000 * scale / corpus.size());
  bool ok = report("modules", spoil_modules(corpus, each, 1));
  ok = report("snapshot files", spoil_files(corpus, std::max<size_t>(1, each / 3), 2)) && ok;
  ok = report("states with right digests", spoil_states(corpus, std::max<size_t>(1, each / 3), 3)) && ok;
  ok = report("block indices with right digests", spoil_indices(corpus, std::max<size_t>(1, each / 3), 5)) && ok;
  ok = report("forged records", forge_records(corpus, std::max<size_t>(1, each / 2), 4)) && ok;
  return ok ? 0 : 1;
}
