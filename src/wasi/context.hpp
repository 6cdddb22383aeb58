// Context: everything one guest's WASI consists of. The functions of preview1 work on it; save() writes it down.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "interp/host.hpp"
#include "wasi/abi.hpp"
#include "wasi/descriptor.hpp"
#include "wasi/deterministic.hpp"
#include "wasi/guest_memory.hpp"
#include "wasi/host_os.hpp"
#include "wasi/wasi.hpp"

namespace chiwawa::wasi {

/// A poll_oneoff that returned HostResult::wait().
struct Waiting {
  uint64_t since = 0;  ///< the guest's monotonic clock when it began (modulo 2^64, after a restore)
  /// Its arguments, to recognise it when it is called again; unknown after a restore.
  std::optional<std::array<uint32_t, 4>> args;
};

/// What an errno of the host's means, for messages: "no such file or directory".
std::string explain(Errno error);

/// Identity of a file: device and inode.
using FileId = std::pair<uint64_t, uint64_t>;

struct Context {
  explicit Context(Config config_) : config(std::move(config_)), os(config.host ? config.host : system_host()) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context();

  Config config;
  std::shared_ptr<HostOs> os;
  std::vector<Root> roots;
  std::vector<OpenListener> listeners;
  DescriptorTable table;
  std::optional<Waiting> waiting;
  std::optional<Deterministic> deterministic;

  /// Opens config.preopens as roots. Phase::Io if one is missing or two have the same guest name.
  Result<void> open_roots();
  /// Opens config.listeners. Phase::Io if one cannot be had.
  Result<void> open_listeners();
  std::optional<RootIndex> find_root(std::string_view guest_name) const;
  /// Standard input, output or error.
  Descriptor stdio(DescriptorKind kind);
  Descriptor preopen(RootIndex root) const;
  /// The descriptor of a listening socket, which it owns from now on.
  Descriptor listener(uint32_t index);
  bool read_only(const Descriptor& descriptor) const {
    return !descriptor.is_stdio() && !descriptor.is_socket() && roots[descriptor.root].read_only;
  }
  /// Lets go of what `descriptor` has open.
  void close(const Descriptor& descriptor);

  /// Waits until `socket` can be read (or written). As await(), but the transfer itself never waits.
  std::optional<Errno> await_socket(const Descriptor& socket, bool write);
  /// Waits until `descriptor` can be read (or written), as long as it may. Success: go on. Again: it is not to wait
  /// (nonblock). Otherwise nothing: the slice is over, return HostResult::wait().
  std::optional<Errno> await(const Descriptor& descriptor, bool write);

  /// The path of `path` (relative to directory `dir`) beneath dir's root, without "." and "..". Empty if it cannot
  /// be told.
  std::string path_beneath(const Descriptor& dir, std::string_view path);

  /// The guest's clocks, in nanoseconds. Monotonic starts at 0 and goes on after a restore from where it was.
  uint64_t monotonic();
  Sys<uint64_t> time(ClockId clock);
  /// Lets the monotonic clock advance by so much, or by a slice.
  void sleep(uint64_t nanoseconds);
  /// Makes the guest's monotonic clock go on from `start`, and its CPU clocks not go back.
  void start_clocks(uint64_t start);

  /// What the guest sees as the identity of a file: the host's, except that files which were open over a restore keep
  /// what they had before.
  FileId guest_id(uint64_t dev, uint64_t ino) const;
  Stat guest_stat(Stat stat) const;
  /// Says what identity the guest knows these files of the host's by. Both sides are different from each other.
  void keep_ids(std::map<FileId, FileId> host_to_guest);

 private:
  uint64_t clock_start_ = 0;     // guest's
  uint64_t host_monotonic_ = 0;  // host's at that moment
  std::array<uint64_t, 2> host_cputime_{};
  std::map<FileId, FileId> kept_ids_;
};

}  // namespace chiwawa::wasi
