// Runs modules in every way that this build has - each dispatcher; fused and not; without and with polls or steps being
// counted; straight, or stopped, saved and restored again and again - and prints one transcript for each module. All
// ways must give the same transcript, and all that count steps the same number. `--help` lists the options.
// Exit code: 0 they agree; 1 they do not, or a module cannot be run; 2 wrong usage.
#include <algorithm>
#include <charconv>
#include <cstdio>

#include "differential/subject.hpp"
#include "interp/decode.hpp"
#include "interp/validate.hpp"
#include "machines.hpp"
#include "spec/files.hpp"

namespace {

using namespace chiwawa;
using namespace chiwawa::differential;

/// A call that takes longer does not end.
constexpr uint64_t kMostSteps = 200'000'000;
/// So many stops for each module, about.
constexpr uint64_t kStops = 40;
/// Every stop saves and checks all frames.
constexpr uint32_t kCallDepth = 10'000;

constexpr const char* kHelp = R"(usage: differential [options] MODULE... [-- argument...]

  --seed N         calls get interesting arguments that follow from N (default: 7)
  --except NAME    does not call that export; may be repeated
  --stdin FILE     a WASI program's standard input
  --once           runs each only in the first way
  --refusable      a module that does not decode, validate or link is no failure
  -- argument...   a WASI program's arguments
)";

struct Options {
  Subject subject;  ///< all but the module
  std::vector<std::string> files;
  bool once = false;
  bool refusable = false;
};

std::optional<Options> parse_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    const bool more = i + 1 < argc;
    if (arg == "--") {
      options.subject.args.assign(argv + i + 1, argv + argc);
      break;
    }
    if (arg == "--once") {
      options.once = true;
    } else if (arg == "--refusable") {
      options.refusable = true;
    } else if (arg == "--seed" && more) {
      const std::string_view text = argv[++i];
      uint64_t seed = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
      if (error != std::errc() || *end != 0) return std::nullopt;
      options.subject.seed = seed;
    } else if (arg == "--except" && more) {
      options.subject.except.emplace_back(argv[++i]);
    } else if (arg == "--stdin" && more) {
      const auto bytes = spec::read_file(argv[++i]);
      if (!bytes) return std::nullopt;
      options.subject.input.assign(bytes->begin(), bytes->end());
    } else if (arg.starts_with("-")) {
      return std::nullopt;
    } else {
      options.files.emplace_back(arg);
    }
  }
  if (options.files.empty()) return std::nullopt;
  return options;
}

struct Way {
  std::string name;
  spec::Mode mode;
};

/// All ways; how often those stop that do follows from the number of steps.
std::vector<Way> all_ways(uint64_t steps) {
  std::vector<Way> ways;
  const auto add = [&](const MachineKind& kind, uint64_t stop_every) {
    spec::Mode mode;
    mode.dispatch = kind.dispatch;
    mode.exact = kind.options.exact;
    mode.polls = kind.options.polls;
    mode.no_fusion = kind.options.no_fusion;
    mode.max_call_depth = kCallDepth;
    mode.stop_every = stop_every;
    ways.push_back({kind.name() + (stop_every != 0 ? ", stopped" : ""), mode});
  };
  for (const MachineKind& kind : all_machines()) {
    add(kind, 0);
    // Odd, so that loops with an even number of steps are met at each of them. Of the places where a polling machine
    // stops there are fewer.
    if (kind.options.exact) add(kind, (steps / kStops + 1) | 1);
    if (kind.options.polls) add(kind, (steps / kStops / 10 + 1) | 1);
  }
  return ways;
}

Result<std::shared_ptr<const Module>> load(const std::string& file) {
  auto bytes = spec::read_file(file);
  if (!bytes) return Error{Phase::Io, "cannot read " + file};
  Result<Module> module = decode(std::move(*bytes));
  if (!module) return module.error();
  CHIWAWA_TRY(validate(*module));
  return std::shared_ptr<const Module>(std::make_shared<const Module>(std::move(*module)));
}

/// Prints where they differ first, or nothing. Whether they agree.
bool agree(const std::string& file, const std::string& way, const std::string& reference, const Transcript& actual,
           const Transcript& expected) {
  const auto [a, e] =
      std::mismatch(actual.lines.begin(), actual.lines.end(), expected.lines.begin(), expected.lines.end());
  const bool same = a == actual.lines.end() && e == expected.lines.end();
  if (!same) {
    std::fprintf(stderr, "%s: line %zu\n  %s: %s\n  %s: %s\n", file.c_str(),
                 static_cast<size_t>(a - actual.lines.begin()) + 1, way.c_str(),
                 a == actual.lines.end() ? "(end)" : a->c_str(), reference.c_str(),
                 e == expected.lines.end() ? "(end)" : e->c_str());
  }
  return same;
}

/// Whether all ways agree, and there is nothing else to complain of.
bool compare(const Options& options, const std::string& file) {
  Subject subject = options.subject;
  subject.file = file;
  subject.args.insert(subject.args.begin(), "program");
  std::printf("module %s\n", file.c_str());
  const auto module = load(file);
  if (!module) {
    std::printf("refused %s\n", describe(module.error()).c_str());
    return options.refusable;
  }
  subject.module = *module;
  // The reference counts steps, and so knows when to give up.
  spec::Mode first;
  first.dispatch = all_machines().front().dispatch;
  first.exact = true;
  first.most_steps = kMostSteps;
  first.max_call_depth = kCallDepth;
  const Result<Transcript> expected = run(subject, first);
  if (!expected) {
    std::printf("refused %s\n", describe(expected.error()).c_str());
    return options.refusable && expected.error().phase == Phase::Link;
  }
  for (const std::string& line : expected->lines) std::printf("%s\n", line.c_str());
  std::printf("steps %llu\n", static_cast<unsigned long long>(expected->steps));
  if (options.once) return true;
  bool ok = true;
  uint64_t stops = 0;
  size_t runs = 1;
  for (const Way& way : all_ways(expected->steps)) {
    const Result<Transcript> actual = run(subject, way.mode);
    ++runs;
    if (!actual) {
      std::fprintf(stderr, "%s: %s: %s\n", file.c_str(), way.name.c_str(), describe(actual.error()).c_str());
      ok = false;
      continue;
    }
    stops += actual->stops;
    ok &= agree(file, way.name, "the first", *actual, *expected);
    if (way.mode.exact && actual->steps != expected->steps) {
      std::fprintf(stderr, "%s: %s: %llu steps instead of %llu\n", file.c_str(), way.name.c_str(),
                   static_cast<unsigned long long>(actual->steps), static_cast<unsigned long long>(expected->steps));
      ok = false;
    }
  }
  std::fprintf(stderr, "%s: %zu runs, %llu steps, %llu stops\n", file.c_str(), runs,
               static_cast<unsigned long long>(expected->steps), static_cast<unsigned long long>(stops));
  return ok;
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = parse_options(argc, argv);
  if (!options) {
    std::fputs(kHelp, stderr);
    return 2;
  }
  bool ok = true;
  for (const std::string& file : options->files) ok &= compare(*options, file);
  return ok ? 0 : 1;
}
