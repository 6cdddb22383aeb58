// WASI preview 1 for one guest: its descriptors, arguments and clocks, and the host functions over them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
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

/// A listening socket that the guest may accept connections from.
struct Listener {
  std::string address;  ///< of TCP, to listen on: "127.0.0.1:8080", "[::1]:8080"; port 0: any that is free
  int inherited = -1;   ///< instead of an address: a descriptor of this process that listens already
};

/// Bytes.
constexpr uint64_t kDefaultEmbedLimit = 16 << 20;

/// What a restore demands of the files that the guest had open. In either case everything must be there, be what it was
/// (file, directory), and reach as far as the guest had come.
enum class RestorePolicy : uint8_t {
  Lenient,  ///< files may have changed: a log or database may well have gone on, a copy has another date
  Strict,   ///< regular files have the size and the modification time that they had
};

class HostOs;

struct Config {
  std::vector<std::string> args;     ///< argv, the program's name first
  std::vector<std::string> environ;  ///< "K=V"
  std::vector<Preopen> preopens;     ///< become descriptors 3, 4, …
  std::vector<Listener> listeners;   ///< become the descriptors behind them
  /// Blocking calls (sleep, poll, read of a terminal, pipe or socket) return HostResult::wait() after at most this
  /// many nanoseconds, so that the machine can be stopped; 0: they block as long as they take.
  uint64_t slice = 0;
  /// Files that were removed or replaced while open are saved with their contents, at most so many bytes together.
  uint64_t embed_limit = kDefaultEmbedLimit;
  RestorePolicy policy = RestorePolicy::Lenient;
  /// The guest gets clocks and random numbers of its own, see deterministic.hpp. After a restore it is as it was.
  bool deterministic = false;
  /// What the guest writes to its standard output comes out of the process's standard error.
  bool stdout_to_stderr = false;
  /// What is below; missing: the system's. Tests give a MemoryHost.
  std::shared_ptr<HostOs> host;
};

/// What a restore does, or would do, with one descriptor of the state; or what else is wrong with it.
struct Verdict {
  enum class Kind : uint8_t {
    Fine,
    Changed,  ///< it can be had, but is not what it was
    Refused,
  };
  Kind kind = Kind::Fine;
  std::optional<uint32_t> number;  ///< the descriptor
  std::string text;                ///< one line
};

/// "descriptor 4: ..."
std::string describe(const Verdict& verdict);

/// One guest's WASI. Must outlive the store whose functions refer to it.
class Wasi {
 public:
  ~Wasi();
  /// Opens the preopens and listeners. Phase::Io if one cannot be had.
  static Result<std::unique_ptr<Wasi>> create(Config config);
  /// Opens again what `state` lists: preopens are found by guest name in config.preopens, listeners by their order in
  /// config.listeners, files reopened at their offset. Arguments and environment come from `state`. Phase::Snapshot
  /// naming every descriptor that cannot be had; then nothing was created, truncated or written. `verdicts` receives
  /// one for each descriptor, and for each other problem.
  static Result<std::unique_ptr<Wasi>> restore(Config config, const State& state,
                                               std::vector<Verdict>* verdicts = nullptr);
  /// The verdicts that restore() would give. Changes nothing.
  static Result<std::vector<Verdict>> examine(Config config, const State& state);

  /// Where the listeners listen, in the order of Config::listeners, as "127.0.0.1:8080" with the port that was found;
  /// empty if the host does not say, or the guest had closed it before a restore.
  std::vector<std::string> listening_on() const;

  /// The portable state. Requires that no call is under way other than one that returned HostResult::wait(). Phase::Io
  /// naming every descriptor that no restore could open again.
  Result<State> save();

  /// The function `module`.`name` ("wasi_snapshot_preview1", "wasi_unstable"), bound to this object; nothing if there
  /// is none.
  std::optional<HostFunction> function(std::string_view module, std::string_view name);

  /// The guest's monotonic clock, bound to this object. It sleeps in slices, as Config::slice says.
  GuestClock clock();

 private:
  struct Impl;
  explicit Wasi(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace chiwawa::wasi
