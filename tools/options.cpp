#include "options.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <string_view>
#include <utility>

#include "app_args.hpp"
#include "duration.hpp"
#include "feature_list.hpp"
#include "instrument_lists.hpp"
#include "params.hpp"
#include "parse_command_line.hpp"
#include "size.hpp"

namespace chiwawa::tools {
namespace {

/// Bytes. A snapshot's state may have 256 MiB.
constexpr uint64_t kMaxEmbedSize = 128 << 20;

constexpr const char* kDescription =
    "Runs a WebAssembly module. A running guest can be stopped, saved in a file, and continued elsewhere.";

constexpr const char* kFooter =
    "Exit codes: the guest's own (proc_exit), 0 when it returns or stops for a checkpoint, 134 after a trap,\n"
    "1 module, export or parameters refused, 2 wrong usage, 3 snapshot refused.\n"
    "\n"
    "Examples:\n"
    "  chiwawa program.wasm -- some arguments\n"
    "  chiwawa -i add -p \"I32(1),I32(2)\" math.wasm\n"
    "  chiwawa --cr program.wasm            (in another terminal: touch checkpoint.trigger)\n"
    "  chiwawa --cr --restore checkpoint.bin program.wasm";

/// What --max-call-depth may ask for: 16 bytes each.
constexpr uint32_t kMostCalls = 100'000'000;
/// Where it asks for a depth, so many slots for each call, so that the depth is what limits: large frames are seldom
/// many.
constexpr uint64_t kSlotsPerCall = 256;

/// The program's arguments in two parts: up to the first "--", and what follows it.
struct SplitArguments {
  std::vector<std::string> own;  // with the program's name
  std::vector<std::string> guest;
};

/// CLI11 takes a value that begins with a minus for an option: `--features -gc` becomes `--features=-gc`.
void join_features(std::vector<std::string>& words) {
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] != "--features" || words[i + 1].starts_with("--")) continue;
    words[i] += "=" + words[i + 1];
    words.erase(words.begin() + static_cast<ptrdiff_t>(i) + 1);
  }
}

/// CLI11 would take MODULE for the value of an option whose value may be missing: `--stats` becomes `--stats=text`, and
/// `--trace-events load store MODULE` is not possible, but `--trace-events "load store"` is.
void complete_stats(std::vector<std::string>& words) { std::ranges::replace(words, "--stats", "--stats=text"); }

/// CLI11 gives a repeated option either one word or all that follow; here several may follow, but MODULE must not be
/// swallowed. So every word after --params that looks like values gets a --params of its own.
SplitArguments split_arguments(int argc, const char* const* argv) {
  SplitArguments result;
  bool after_params = false;
  for (int i = 0; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--") {
      result.guest.assign(argv + i + 1, argv + argc);
      break;
    }
    const bool is_params = word == "-p" || word == "--params";
    if (after_params && !is_params && i >= 2 && looks_like_params(word)) {
      const std::string before = argv[i - 1];
      if (before != "-p" && before != "--params") result.own.push_back("--params");
    } else {
      // The word directly behind --params is its value, whatever it looks like.
      after_params = is_params || (after_params && i >= 1 && result.own.back() == "--params");
    }
    result.own.push_back(is_params ? "--params" : word);
  }
  join_features(result.own);
  complete_stats(result.own);
  return result;
}

/// "HOST" or "HOST::GUEST", and perhaps ":ro".
wasi::Preopen parse_dir(std::string text) {
  const bool read_only = text.ends_with(":ro");
  if (read_only) text.resize(text.size() - 3);
  const size_t separator = text.find("::");
  if (separator == text.npos) return {text, text, read_only};
  return {text.substr(0, separator), text.substr(separator + 2), read_only};
}

/// Whether it is "HOST:PORT", with a port from 0 to 65535.
bool is_address(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == text.npos || colon == 0) return false;
  uint16_t port = 0;
  const char* const end = text.data() + text.size();
  auto [at, error] = std::from_chars(text.data() + colon + 1, end, port);
  return error == std::errc() && at == end;
}

/// Puts the variables of this process before those given, which replace them.
void inherit_environment(std::vector<std::string>& variables) {
  const auto name = [](const std::string& variable) { return variable.substr(0, variable.find('=')); };
  std::vector<std::string> all;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string variable = *at;
    const bool given = std::any_of(variables.begin(), variables.end(),
                                   [&](const std::string& other) { return name(other) == name(variable); });
    if (!given && !variable.starts_with('=') && variable.find('=') != variable.npos) all.push_back(variable);
  }
  all.insert(all.end(), variables.begin(), variables.end());
  variables = std::move(all);
}

// Checks report by returning text: nothing may throw past CLI11 in the wasm build.

std::string check_embed_size(const std::string& text) {
  const std::optional<uint64_t> size = parse_size(text);
  return size && *size > kMaxEmbedSize ? "at most 128M can be in a snapshot: " + text : check_size(text);
}

std::string check_policy(const std::string& text) {
  return text == "strict" || text == "lenient" ? "" : "expected strict or lenient: " + text;
}

std::string check_dir(const std::string& text) {
  const wasi::Preopen dir = parse_dir(text);
  return dir.host_path.empty() || dir.guest_name.empty() ? "expected HOST or HOST::GUEST, perhaps with :ro: " + text
                                                         : "";
}

std::string check_address(const std::string& text) { return is_address(text) ? "" : "expected HOST:PORT: " + text; }

std::string check_env(const std::string& text) {
  const size_t equals = text.find('=');
  return equals == text.npos || equals == 0 ? "expected NAME=VALUE: " + text : "";
}

std::string check_app_args(const std::string& text) {
  return split_words(text) ? "" : "a quote is not closed: " + text;
}

/// For options of a numeric type. CLI11's own check of a range writes the numbers to a stream, which wasm builds cannot
/// (wasm_absent.cpp).
template <uint64_t kLeast, uint64_t kMost>
std::string check_number(const std::string& text) {
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc() && at == end && number >= kLeast && number <= kMost) return "";
  return "expected a number from " + std::to_string(kLeast) + " to " + std::to_string(kMost) + ": " + text;
}

std::string check_duration(const std::string& text) {
  return parse_duration(text) ? "" : "expected a duration such as 30s, 500ms, 5m or 2h: " + text;
}

std::string check_feature_list(const std::string& text) {
  FeatureList ignored;
  return parse_feature_list(text, ignored);
}

std::string check_trace_events(const std::string& text) {
  uint32_t ignored;
  return parse_trace_events(text, ignored);
}

std::string check_trace_resources(const std::string& text) {
  uint32_t ignored;
  return parse_trace_resources(text, ignored);
}

std::string check_trace_filter(const std::string& text) {
  monitor::TraceFilter ignored;
  return parse_trace_filter(text, ignored);
}

std::string check_trace_format(const std::string& text) {
  monitor::TraceFormat ignored;
  return parse_trace_format(text, ignored);
}

std::string check_stats(const std::string& text) {
  return text == "text" || text == "json" ? "" : "unknown format " + text + "; there are: text json";
}

std::string check_profile_mode(const std::string& text) {
  return text == "counters" || text == "samples" ? "" : "unknown mode " + text + "; there are: counters samples";
}

constexpr std::string_view kFeaturesIs = "--features=";

/// Requires a word behind join_features().
bool asks_for_feature_table(std::string_view word) {
  FeatureList list;
  return word.starts_with(kFeaturesIs) && parse_feature_list(word.substr(kFeaturesIs.size()), list).empty() &&
         list.show;
}

std::string check_dispatch(const std::string& text) {
  if (text != "loop" && text != "tail") return "expected loop or tail: " + text;
  return has_dispatch(text == "loop" ? Dispatch::Loop : Dispatch::Tail) ? "" : "this build has no dispatcher " + text;
}

/// The program's options as CLI11 sees them, and what it writes into.
class CommandLine {
 public:
  CommandLine() : app_(kDescription, "chiwawa") {
    app_.usage("Usage: chiwawa [options] MODULE [-- args...]");
    app_.footer(kFooter);
    app_.set_version_flag("-V,--version", "chiwawa " CHIWAWA_VERSION, "Print the version");
    app_.set_help_flag("-h,--help", "Print this help");
    add_guest_options();
    add_checkpoint_options();
    add_engine_options();
    add_instrument_options();
  }

  std::variant<Options, int> parse(const SplitArguments& arguments) {
    std::vector<const char*> own;
    for (const std::string& word : arguments.own) {
      own.push_back(word.c_str());
      if (word == "--restore" || word.starts_with("--restore=") || asks_for_feature_table(word)) {
        module_->required(false);
      }
    }
    if (const auto code = parse_command_line(app_, static_cast<int>(own.size()), own.data())) return *code;
    if (const std::string wrong = wrong_combination(); !wrong.empty()) {
      std::fprintf(stderr, "%s\nRun with --help for more information.\n", wrong.c_str());
      return usage_error;
    }
    if (FeatureList list; given("--features") && parse_feature_list(features_, list).empty()) {
      if (list.show) {
        std::fputs(feature_table(list.enabled).c_str(), stdout);
        return 0;
      }
      options_.features = list.enabled;
    }
    finish(arguments.guest);
    return std::move(options_);
  }

 private:
  void add_guest_options();
  void add_checkpoint_options();
  void add_engine_options();
  void add_instrument_options();
  std::string wrong_combination() const;
  void finish(const std::vector<std::string>& guest_args);

  CLI::Option* repeatable(CLI::Option* option) { return option->expected(1)->take_all()->allow_extra_args(false); }
  bool given(const char* option) const { return app_.count(option) != 0; }

  CLI::App app_;
  Options options_;
  CLI::Option* module_ = nullptr;
  // As written:
  std::string app_args_;
  std::string restore_;
  std::string memory_;
  std::string heap_;
  std::string dispatch_;
  std::string features_;
  std::vector<std::string> dirs_;
  std::vector<std::string> addresses_;
  std::vector<int> listening_;
  uint64_t checkpoint_at_ = 0;
  std::string every_;
  uint32_t keep_ = 0;
  std::string base_;
  std::string policy_;
  std::string embed_;
  std::string trace_events_;
  std::string trace_resource_;
  std::string trace_filter_;
  std::string trace_format_;
  std::string stats_;
  std::string profile_mode_;
  bool no_dir_ = false;
  bool env_inherit_ = false;
};

void CommandLine::add_guest_options() {
  module_ = app_.add_option("MODULE", options_.module_path, "The WebAssembly module (binary format)")->required();
  app_.add_option("-i,--invoke", options_.invoke, "Exported function to call")->option_text("NAME [_start]");
  repeatable(app_.add_option("-p,--params", options_.params,
                             "Its parameters, such as I32(1),I64(-2) F32(nan) F64(0x1p3) RefNull\n"
                             "RefExtern(7): separated by commas or spaces; can be repeated"))
      ->option_text("VALUES...");
  app_.add_option("--app-args", app_args_,
                  "The guest's arguments in one string, quoted as in a shell; those\nafter -- follow them")
      ->option_text("STRING")
      ->check(check_app_args, "");
  repeatable(app_.add_option("--env", options_.environ,
                             "Environment variable for the guest, which gets no others; can be\nrepeated"))
      ->option_text("NAME=VALUE")
      ->check(check_env, "");
  app_.add_flag("--env-inherit", env_inherit_,
                "Pass the variables of chiwawa's own environment, too; --env replaces\nthem");
  CLI::Option* dir =
      repeatable(app_.add_option("--dir", dirs_,
                                 "Host directory that the guest may use, under its own or another\n"
                                 "name, with :ro only to read; can be repeated. Without it: the current\n"
                                 "directory"))
          ->option_text("HOST[::GUEST][:ro]")
          ->check(check_dir, "");
  app_.add_flag("--no-dir", no_dir_, "No directory at all, not even the current one")->excludes(dir);
  repeatable(app_.add_option("--tcp-listen", addresses_,
                             "Listen there, and let the guest accept connections: its descriptors\n"
                             "follow the directories'; port 0: any; can be repeated"))
      ->option_text("HOST:PORT")
      ->check(check_address, "");
  repeatable(app_.add_option("--listen-fd", listening_,
                             "The same with a socket that listens already, this process's descriptor\n"
                             "N; before those of --tcp-listen"))
      ->option_text("N")
      ->check(check_number<3, 65535>, "");
}

void CommandLine::add_checkpoint_options() {
  const auto group = [](CLI::Option* option) { return option->group("Checkpoint and restore"); };
  CLI::Option* cr = group(app_.add_flag(
      "--cr", options_.checkpoints, "Watch for the trigger file; when it appears, save the guest's state\nand stop"));
  group(app_.add_option("--trigger-file", options_.trigger_file, "The file to watch for; it is removed when noticed"))
      ->option_text("FILE [checkpoint.trigger]")
      ->needs(cr);
  group(app_.add_option("--checkpoint-file", options_.checkpoint_file,
                        "Where to save; - for standard output, while what the guest prints\n"
                        "goes to standard error"))
      ->option_text("FILE [checkpoint.bin]");
  group(app_.add_flag("--checkpoint-continue", options_.checkpoint_continue, "Save and go on instead of stopping"));
  group(app_.add_option("--checkpoint-every", every_, "Save after every such time, and go on; units ms, s, m, h"))
      ->option_text("TIME")
      ->check(check_duration, "");
  group(app_.add_option("--checkpoint-keep", keep_,
                        "Number the snapshots, FILE.1, FILE.2, and so on, and keep the last K"))
      ->option_text("K")
      ->check(check_number<1, 1'000'000>, "");
  group(app_.add_option("--checkpoint-base", base_,
                        "Save only what differs from this snapshot, which --restore needs, too"))
      ->option_text("FILE");
  group(app_.add_flag("--embed-module", options_.embed_module,
                      "Put the module into the snapshot, so that --restore needs no MODULE"));
  group(app_.add_flag("--deterministic", options_.deterministic,
                      "The same in every run: clocks that advance only when looked at, fixed\n"
                      "random numbers, canonical NaNs; it stays so after --restore"));
  group(app_.add_option("--checkpoint-at", checkpoint_at_,
                        "Save exactly before Wasm instruction N, counted from 0 at the start of\n"
                        "the run; block, loop, else and end do not count"))
      ->option_text("N");
  CLI::Option* from = group(app_.add_option("--restore", restore_,
                                            "Continue what this file saved, with the same MODULE; - for standard\n"
                                            "input"))
                          ->option_text("FILE");
  group(app_.add_option("--restore-policy", policy_,
                        "Whether files that the guest had open may have changed since then;\n"
                        "strict: they have the same size and date"))
      ->option_text("strict|lenient [lenient]")
      ->check(check_policy, "")
      ->needs(from);
  group(app_.add_flag("--explain", options_.explain,
                      "Only say what --restore would do with each descriptor; exit code 0 if\n"
                      "it would succeed, else 3"))
      ->needs(from);
  group(app_.add_option("--embed-files", embed_,
                        "Most bytes in a snapshot of files that were removed while open;\nsuffixes K, M, G"))
      ->option_text("SIZE [16M]")
      ->check(check_embed_size, "");
}

void CommandLine::add_engine_options() {
  const auto group = [](CLI::Option* option) { return option->group("Limits and engine"); };
  group(app_.add_option("--max-memory", memory_, "Most bytes of a linear memory; suffixes K, M, G: powers of 1024"))
      ->option_text("SIZE [4G]")
      ->check(check_size, "");
  group(app_.add_option("--max-heap", heap_, "Most bytes of the heap of structs, arrays and exceptions"))
      ->option_text("SIZE [4G]")
      ->check(check_size, "");
  group(app_.add_option("--max-call-depth", options_.limits.max_call_depth, "Most nested calls"))
      ->option_text("N [" + std::to_string(MachineLimits{}.max_call_depth) + "]")
      ->check(check_number<1, kMostCalls>, "");
  group(app_.add_option("--features", features_,
                        "Which proposals the module may use, read from left to right: -gc without\n"
                        "it, wasm2,+gc that standard with it; mvp, wasm1, wasm2, wasm3, all; list:\n"
                        "print them all"))
      ->option_text("LIST [all]")
      ->check(check_feature_list, "");
  group(app_.add_option("--dispatch", dispatch_, "How instructions are dispatched"))
      ->option_text(default_dispatch() == Dispatch::Loop ? "loop|tail [loop]" : "loop|tail [tail]")
      ->check(check_dispatch, "");
}

void CommandLine::add_instrument_options() {
  const auto group = [](CLI::Option* option) { return option->group("Watching the guest"); };
  CLI::Option* trace = group(app_.add_flag("--trace", options_.instruments.trace,
                                           "Print a line for every instruction that is executed, and every WASI call"));
  group(app_.add_option("--trace-events", trace_events_,
                        "For which: all, store, load, call, branch; separated by commas or\nspaces"))
      ->option_text("LIST [all]")
      ->check(check_trace_events, "")
      ->needs(trace);
  group(app_.add_option("--trace-resource", trace_resource_,
                        "What a line shows: regs (operands), memory, locals, globals, pc;\nseparated in the same way"))
      ->option_text("LIST [all of them]")
      ->check(check_trace_resources, "")
      ->needs(trace);
  group(app_.add_option("--trace-filter", trace_filter_,
                        "Only in that function (a name or an index; can be repeated), at module\n"
                        "offsets from A up to B, the first N events; separated by commas"))
      ->option_text("func=NAME,range=A:B,first=N")
      ->check(check_trace_filter, "")
      ->needs(trace);
  group(app_.add_option("--trace-format", trace_format_,
                        "json: an object a line; perfetto: functions, WASI calls and the size\n"
                        "of memory on a time line, for ui.perfetto.dev"))
      ->option_text("text|json|perfetto [text]")
      ->check(check_trace_format, "")
      ->needs(trace);
  group(app_.add_option("--trace-output", options_.instruments.trace_output, "Where it goes instead of standard error"))
      ->option_text("FILE")
      ->needs(trace);
  group(app_.add_option("--stats", stats_,
                        "At the end, on standard error: instructions by kind, calls, WASI\n"
                        "calls, memory, time"))
      ->option_text("[=json]")
      ->check(check_stats, "");
  group(app_.add_option("--profile", options_.instruments.profile,
                        "Write there where the instructions went, by call chain: folded stacks,\n"
                        "or, if FILE ends in .json, a profile for speedscope.app"))
      ->option_text("FILE");
  group(app_.add_option("--profile-mode", profile_mode_,
                        "counters: exact numbers of instructions; samples: time, by looking\n"
                        "every few milliseconds"))
      ->option_text("counters|samples [counters]")
      ->check(check_profile_mode, "");
  group(app_.add_option("--coverage", options_.instruments.coverage,
                        "Write there which functions, blocks and lines ran, for lcov and genhtml"))
      ->option_text("FILE");
  group(app_.add_flag("-v,--verbose", options_.verbose, "Say more about what happens"));
}

/// What options mean nothing together, that is, in words; empty if all is well.
std::string CommandLine::wrong_combination() const {
  if (options_.snapshot_to_stdout()) {
    for (const char* option :
         {"--checkpoint-continue", "--checkpoint-every", "--checkpoint-keep", "--checkpoint-base"}) {
      if (given(option)) return std::string("--checkpoint-file - excludes ") + option;
    }
  }
  if (given("--profile-mode") && !given("--profile")) return "--profile-mode requires --profile";
  if (given("--checkpoint-base") && base_ == options_.checkpoint_file && !given("--checkpoint-keep")) {
    return "--checkpoint-base and --checkpoint-file are the same file: the increment would replace its base";
  }
  return "";
}

void CommandLine::finish(const std::vector<std::string>& guest_args) {
  InstrumentOptions& instruments = options_.instruments;
  if (given("--trace-events")) parse_trace_events(trace_events_, instruments.trace_options.events);
  if (given("--trace-resource")) parse_trace_resources(trace_resource_, instruments.trace_options.resources);
  if (given("--trace-filter")) parse_trace_filter(trace_filter_, instruments.trace_options.filter);
  if (given("--trace-format")) parse_trace_format(trace_format_, instruments.trace_format);
  if (given("--stats")) {
    instruments.stats = stats_ == "json" ? monitor::Stats::Format::Json : monitor::Stats::Format::Text;
  }
  instruments.profile_samples = profile_mode_ == "samples";
  if (given("--max-call-depth")) {
    uint32_t& slots = options_.limits.max_stack_slots;
    const uint64_t wanted = std::min<uint64_t>(options_.limits.max_call_depth * kSlotsPerCall, UINT32_MAX);
    slots = std::max(slots, static_cast<uint32_t>(wanted));
  }
  if (given("--max-memory")) options_.max_memory = std::min(parse_size(memory_).value_or(0), kMostMemory);
  if (given("--max-heap")) options_.max_heap = std::min(parse_size(heap_).value_or(0), kMostHeap);
  if (given("--dispatch")) options_.dispatch = dispatch_ == "loop" ? Dispatch::Loop : Dispatch::Tail;
  if (given("--checkpoint-at")) options_.checkpoint_at = checkpoint_at_;
  if (given("--checkpoint-every")) options_.checkpoint_every = parse_duration(every_);
  if (given("--checkpoint-keep")) options_.checkpoint_keep = keep_;
  if (given("--checkpoint-base")) options_.checkpoint_base = base_;
  if (given("--restore-policy")) {
    options_.policy = policy_ == "strict" ? wasi::RestorePolicy::Strict : wasi::RestorePolicy::Lenient;
  }
  if (given("--embed-files")) options_.embed_limit = parse_size(embed_).value_or(0);
  if (env_inherit_) inherit_environment(options_.environ);
  if (given("--app-args")) options_.args = *split_words(app_args_);
  options_.args.insert(options_.args.end(), guest_args.begin(), guest_args.end());
  for (const std::string& dir : dirs_) options_.preopens.push_back(parse_dir(dir));
  for (const int number : listening_) options_.listeners.push_back({"", number});
  for (const std::string& address : addresses_) options_.listeners.push_back({address, -1});
  if (dirs_.empty() && !no_dir_) {
    options_.preopens.push_back({".", "."});
    options_.default_preopen = true;
  }
  if (!given("--restore")) return;
  options_.restore = restore_;
  for (const char* option : {"--invoke", "--params", "--env", "--env-inherit", "--app-args", "--deterministic"}) {
    if (given(option)) options_.ignored.push_back(option);
  }
  if (!guest_args.empty()) options_.ignored.push_back("arguments after --");
}

}  // namespace

std::variant<Options, int> parse_options(int argc, const char* const* argv) {
  return CommandLine().parse(split_arguments(argc, argv));
}

}  // namespace chiwawa::tools
