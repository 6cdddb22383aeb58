#include "options.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

#include "app_args.hpp"
#include "params.hpp"
#include "parse_command_line.hpp"

extern "C" char** environ;  // <unistd.h> declares it only sometimes

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

/// The program's arguments in two parts: up to the first "--", and what follows it.
struct SplitArguments {
  std::vector<std::string> own;  // with the program's name
  std::vector<std::string> guest;
};

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
  return result;
}

/// Bytes, with an optional suffix K, M or G (powers of 1024).
std::optional<uint64_t> parse_size(const std::string& text) {
  uint64_t bytes = 0;
  const char* const end = text.data() + text.size();
  auto [at, error] = std::from_chars(text.data(), end, bytes);
  if (error != std::errc() || at == text.data()) return std::nullopt;
  int shift = 0;
  if (at != end) {
    switch (*at++) {
      case 'k':
      case 'K': shift = 10; break;
      case 'm':
      case 'M': shift = 20; break;
      case 'g':
      case 'G': shift = 30; break;
      default: return std::nullopt;
    }
  }
  if (at != end || bytes > (~uint64_t{0} >> shift)) return std::nullopt;
  return bytes << shift;
}

/// "HOST" or "HOST::GUEST", and perhaps ":ro".
wasi::Preopen parse_dir(std::string text) {
  const bool read_only = text.ends_with(":ro");
  if (read_only) text.resize(text.size() - 3);
  const size_t separator = text.find("::");
  if (separator == text.npos) return {text, text, read_only};
  return {text.substr(0, separator), text.substr(separator + 2), read_only};
}

/// Puts the variables of this process before those given, which replace them.
void inherit_environment(std::vector<std::string>& variables) {
  const auto name = [](const std::string& variable) { return variable.substr(0, variable.find('=')); };
  std::vector<std::string> all;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string variable = *at;
    const bool given = std::any_of(variables.begin(), variables.end(),
                                   [&](const std::string& other) { return name(other) == name(variable); });
    if (!given && variable.find('=') != 0 && variable.find('=') != variable.npos) all.push_back(variable);
  }
  all.insert(all.end(), variables.begin(), variables.end());
  variables = std::move(all);
}

// Checks report by returning text: nothing may throw past CLI11 in the wasm build.

std::string check_size(const std::string& text) {
  return parse_size(text) ? "" : "expected a number of bytes, also with K, M or G: " + text;
}

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

std::string check_env(const std::string& text) {
  const size_t equals = text.find('=');
  return equals == text.npos || equals == 0 ? "expected NAME=VALUE: " + text : "";
}

std::string check_app_args(const std::string& text) {
  return split_words(text) ? "" : "a quote is not closed: " + text;
}

std::string check_dispatch(const std::string& text) {
  if (text != "loop" && text != "tail") return "expected loop or tail: " + text;
  return has_dispatch(text == "loop" ? Dispatch::Loop : Dispatch::Tail) ? "" : "this build has no dispatcher " + text;
}

}  // namespace

std::variant<Options, int> parse_options(int argc, const char* const* argv) {
  Options options;
  std::string memory;
  std::string app_args;
  std::string dispatch;
  std::string restore;
  uint64_t checkpoint_at = 0;
  std::vector<std::string> dirs;
  bool no_dir = false;
  bool inherit = false;
  std::string embed;
  std::string policy;

  CLI::App app(kDescription, "chiwawa");
  app.footer(kFooter);
  app.usage("Usage: chiwawa [options] MODULE [-- args...]");
  app.set_version_flag("-V,--version", "chiwawa " CHIWAWA_VERSION);

  app.add_option("MODULE", options.module_path, "The WebAssembly module (binary format)")->required();
  auto* invoke =
      app.add_option("-i,--invoke", options.invoke, "Exported function to call")->option_text("NAME [_start]");
  auto* params = app.add_option("-p,--params", options.params,
                                "Its parameters: I32(1),I64(-2) F32(nan) F64(1e9) RefNull RefExtern(7); separated by "
                                "commas or spaces, decimal or hexadecimal; can be repeated")
                     ->option_text("VALUES ...")
                     ->expected(1)
                     ->take_all()
                     ->allow_extra_args(false);
  auto* words = app.add_option("--app-args", app_args,
                               "The guest's arguments in one string, quoted as in a shell; those after -- follow them")
                    ->option_text("STRING")
                    ->check(check_app_args, "");
  auto* env = app.add_option("--env", options.environ,
                             "Environment variable for the guest; can be repeated. No others are passed")
                  ->option_text("NAME=VALUE")
                  ->check(check_env, "")
                  ->expected(1)
                  ->take_all()
                  ->allow_extra_args(false);
  auto* inherited = app.add_flag("--env-inherit", inherit,
                                 "Pass the variables of chiwawa's own environment, too; --env replaces them");
  auto* dir = app.add_option("--dir", dirs,
                             "Host directory that the guest may use, under its own or another name (:ro: only "
                             "to read); can be repeated. Without it: the current directory")
                  ->option_text("HOST[::GUEST][:ro]")
                  ->check(check_dir, "")
                  ->expected(1)
                  ->take_all()
                  ->allow_extra_args(false);
  app.add_flag("--no-dir", no_dir, "No directory at all, not even the current one")->excludes(dir);

  auto* group = "Checkpoint and restore";
  app.add_flag("--cr", options.checkpoints, "Watch for the trigger file, and save the guest's state when it appears")
      ->group(group);
  app.add_option("--trigger-file", options.trigger_file, "The file to watch for; it is removed when noticed")
      ->option_text("FILE [checkpoint.trigger]")
      ->group(group);
  app.add_option("--checkpoint-file", options.checkpoint_file, "Where to save")
      ->option_text("FILE [checkpoint.bin]")
      ->group(group);
  app.add_flag("--checkpoint-continue", options.checkpoint_continue, "Save and go on instead of stopping")
      ->group(group);
  auto* at = app.add_option("--checkpoint-at", checkpoint_at,
                            "Save exactly before the Nth Wasm instruction, counted from 0 at the start of the run "
                            "(structure markers are not counted)")
                 ->option_text("N")
                 ->group(group);
  auto* from = app.add_option("--restore", restore, "Continue what this file saved, with the same MODULE")
                   ->option_text("FILE")
                   ->group(group);

  auto* policies = app.add_option("--restore-policy", policy,
                                  "Whether files that the guest had open may have changed since (strict: same size and "
                                  "date)")
                       ->option_text("strict|lenient [lenient]")
                       ->check(check_policy, "")
                       ->group(group)
                       ->needs(from);
  app.add_flag("--explain", options.explain,
               "Only say what --restore would do with each descriptor, and exit with 0 if it would succeed, else 3")
      ->group(group)
      ->needs(from);
  auto* embedded = app.add_option("--embed-files", embed,
                                  "Most bytes in a snapshot of files that were removed while open (suffixes K, M, G)")
                       ->option_text("SIZE [16M]")
                       ->check(check_embed_size, "")
                       ->group(group);

  group = "Limits and engine";
  auto* max_memory =
      app.add_option("--max-memory", memory, "Most bytes of a linear memory (suffixes K, M, G: powers of 1024)")
          ->option_text("SIZE [4G]")
          ->check(check_size, "")
          ->group(group);
  app.add_option("--max-call-depth", options.limits.max_call_depth, "Most nested calls")
      ->option_text("N [" + std::to_string(MachineLimits{}.max_call_depth) + "]")
      ->check(CLI::Range(uint32_t{1}, uint32_t{100'000'000}), "")
      ->group(group);
  auto* dispatcher = app.add_option("--dispatch", dispatch, "How instructions are dispatched")
                         ->option_text(default_dispatch() == Dispatch::Loop ? "loop|tail [loop]" : "loop|tail [tail]")
                         ->check(check_dispatch, "")
                         ->group(group);

  const SplitArguments split = split_arguments(argc, argv);
  std::vector<const char*> own;
  for (const std::string& word : split.own) own.push_back(word.c_str());
  if (const std::optional<int> code = parse_command_line(app, static_cast<int>(own.size()), own.data())) return *code;

  if (*max_memory) options.max_memory_pages = std::min(*parse_size(memory) / kPageSize, kMaxPages);
  if (*dispatcher) options.dispatch = dispatch == "loop" ? Dispatch::Loop : Dispatch::Tail;
  if (*embedded) options.embed_limit = *parse_size(embed);
  if (*policies) options.policy = policy == "strict" ? wasi::RestorePolicy::Strict : wasi::RestorePolicy::Lenient;
  if (inherit) inherit_environment(options.environ);
  if (*at) options.checkpoint_at = checkpoint_at;
  if (*words) options.args = *split_words(app_args);
  options.args.insert(options.args.end(), split.guest.begin(), split.guest.end());
  for (const std::string& one : dirs) options.preopens.push_back(parse_dir(one));
  if (dirs.empty() && !no_dir) {
    options.preopens.push_back({".", "."});
    options.default_preopen = true;
  }
  if (*from) {
    options.restore = restore;
    if (*invoke) options.ignored.push_back("--invoke");
    if (*params) options.ignored.push_back("--params");
    if (*env) options.ignored.push_back("--env");
    if (*inherited) options.ignored.push_back("--env-inherit");
    if (*words) options.ignored.push_back("--app-args");
    if (!split.guest.empty()) options.ignored.push_back("arguments after --");
  }
  return options;
}

}  // namespace chiwawa::tools
