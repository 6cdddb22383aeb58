// The command line of `chiwawa` as a struct.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "instruments.hpp"
#include "interp/features.hpp"
#include "interp/machine.hpp"
#include "interp/types.hpp"
#include "wasi/wasi.hpp"

namespace chiwawa::tools {

struct Options {
  std::string module_path;  ///< may be empty with `restore`
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
  std::string checkpoint_file = "checkpoint.bin";  ///< or "-"
  std::optional<uint64_t> checkpoint_at;           ///< steps
  std::optional<std::string> checkpoint_base;      ///< a snapshot's path: write increments of it
  std::optional<std::chrono::milliseconds> checkpoint_every;
  std::optional<uint32_t> checkpoint_keep;  ///< how many numbered checkpoints stay
  bool embed_module = false;
  bool deterministic = false;
  std::optional<std::string> restore;  ///< a snapshot's path, or "-"
  bool explain = false;                ///< only say what `restore` would do
  wasi::RestorePolicy policy = wasi::RestorePolicy::Lenient;
  uint64_t embed_limit = wasi::kDefaultEmbedLimit;  ///< bytes

  uint64_t max_memory = kMostMemory;  ///< bytes
  uint64_t max_heap = kMostHeap;      ///< bytes
  MachineLimits limits;
  FeatureSet features = FeatureSet::all();
  Dispatch dispatch = default_dispatch();

  InstrumentOptions instruments;
  bool verbose = false;

  /// Whether the guest must be able to stop at any time.
  bool stoppable() const { return checkpoints || checkpoint_every.has_value(); }
  /// Whether standard output is for the snapshot, and not for the guest.
  bool snapshot_to_stdout() const { return checkpoint_file == "-"; }

  /// Options that were given but mean nothing together with --restore.
  std::vector<std::string> ignored;
};

/// The options, or - when help, version or a complaint was printed - the exit code.
std::variant<Options, int> parse_options(int argc, const char* const* argv);

}  // namespace chiwawa::tools
