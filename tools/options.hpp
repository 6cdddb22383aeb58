// The command line of `chiwawa` as a struct.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "interp/machine.hpp"
#include "interp/types.hpp"
#include "wasi/wasi.hpp"

namespace chiwawa::tools {

struct Options {
  std::string module_path;
  std::string invoke = "_start";
  std::vector<std::string> params;   ///< as written, see params.hpp
  std::vector<std::string> args;     ///< the guest's, without its name: --app-args, then those after `--`
  std::vector<std::string> environ;  ///< "K=V"
  std::vector<wasi::Preopen> preopens;
  std::vector<wasi::Listener> listeners;
  bool default_preopen = false;  ///< nobody asked for a directory: `preopens` is the current one, if there is one

  bool checkpoints = false;  ///< --cr
  bool checkpoint_continue = false;
  std::string trigger_file = "checkpoint.trigger";
  std::string checkpoint_file = "checkpoint.bin";
  std::optional<uint64_t> checkpoint_at;  ///< steps
  std::optional<std::string> restore;     ///< a snapshot's path
  bool explain = false;                   ///< only say what `restore` would do
  wasi::RestorePolicy policy = wasi::RestorePolicy::Lenient;
  uint64_t embed_limit = wasi::kDefaultEmbedLimit;  ///< bytes

  uint64_t max_memory_pages = kMaxPages;
  MachineLimits limits;
  Dispatch dispatch = default_dispatch();

  /// Options that were given but mean nothing together with --restore.
  std::vector<std::string> ignored;
};

/// The options, or - when help, version or a complaint was printed - the exit code.
std::variant<Options, int> parse_options(int argc, const char* const* argv);

}  // namespace chiwawa::tools
