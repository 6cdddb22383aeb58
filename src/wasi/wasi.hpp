// WASI preview 1 for one guest: its descriptors, arguments and clocks, and the host functions over them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "interp/host.hpp"
#include "interp/result.hpp"
#include "interp/store.hpp"
#include "wasi/state.hpp"

namespace chiwawa::wasi {

/// A host directory that the guest may see under a name of its own.
struct Preopen {
  std::string host_path;
  std::string guest_name;
  bool read_only = false;
};

struct Config {
  std::vector<std::string> args;     ///< argv, the program's name first
  std::vector<std::string> environ;  ///< "K=V"
  std::vector<Preopen> preopens;     ///< become descriptors 3, 4, …
  /// Blocking calls (sleep, poll, read of a terminal, pipe or socket) return HostResult::wait() after at most this
  /// many nanoseconds, so that the machine can be stopped; 0: they block as long as they take.
  uint64_t slice = 0;
};

/// One guest's WASI. Must outlive the store whose functions refer to it.
class Wasi {
 public:
  ~Wasi();
  /// Opens the preopens. Phase::Io if one is missing.
  static Result<std::unique_ptr<Wasi>> create(Config config);
  /// Opens again what `state` lists: preopens are found by guest name in config.preopens, files reopened at their
  /// offset. Arguments and environment come from `state`. Phase::Snapshot naming every descriptor that cannot be had;
  /// nothing is created, truncated or written.
  static Result<std::unique_ptr<Wasi>> restore(Config config, const State& state);

  /// The portable state. Requires that no call is under way other than one that returned HostResult::wait().
  State save();

  /// The function `module`.`name` ("wasi_snapshot_preview1", "wasi_unstable"), bound to this object; nothing if there
  /// is none.
  std::optional<HostFunction> function(std::string_view module, std::string_view name);

 private:
  struct Impl;
  explicit Wasi(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace chiwawa::wasi
