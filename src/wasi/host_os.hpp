// HostOs: the only door to the operating system. Everything else in this folder is portable and speaks preview1's
// numbers. Behind the door is POSIX (host_os_posix.cpp) or another runtime's preview1 (host_os_preview1.cpp), both with
// what they have in common in host_os_libc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "wasi/abi.hpp"

namespace chiwawa::wasi {

/// A number of the host's for something open. Never shown to the guest, never saved.
using Handle = int;
constexpr Handle kNoHandle = -1;

/// A value, or the reason why there is none. `value` is meaningful only if error is Success.
template <typename T>
struct Sys {
  Errno error = Errno::Success;
  T value{};

  Sys(T v) : value(std::move(v)) {}
  Sys(Errno e) : error(e) {}
  bool ok() const { return error == Errno::Success; }
};

/// Bytes of the guest's memory that the host reads from or writes into.
struct Buffer {
  uint8_t* data;
  size_t size;
};

/// One call moves at most this many buffers...
constexpr size_t kMaxBuffers = 64;
/// ...and at most this many bytes (what Linux moves at most, too).
constexpr size_t kMaxTransfer = 0x7FFFF000;

struct Stat {
  uint64_t dev = 0;
  uint64_t ino = 0;
  Filetype type = Filetype::Unknown;
  uint64_t nlink = 0;
  uint64_t size = 0;  ///< bytes
  uint64_t atim = 0;  ///< nanoseconds since 1970, as the next two
  uint64_t mtim = 0;
  uint64_t ctim = 0;
};

struct OpenOptions {
  bool read = false;
  bool write = false;
  bool create = false;
  bool exclusive = false;
  bool truncate = false;
  bool directory = false;  ///< fail unless it is one
  bool follow = false;     ///< a symbolic link at the end of the path
  uint16_t fdflags = 0;
};

/// New access and modification times.
struct Times {
  enum class Kind : uint8_t { Keep, Now, Set };
  Kind access = Kind::Keep;
  Kind modification = Kind::Keep;
  uint64_t atim = 0;  ///< nanoseconds since 1970, as the next one
  uint64_t mtim = 0;
};

struct DirEntry {
  std::string name;
  uint64_t ino = 0;
  Filetype type = Filetype::Unknown;
};

/// A question to poll(), and its answer.
struct PollItem {
  Handle handle = kNoHandle;
  bool write = false;   ///< else: read
  bool ready = false;   ///< answer: reading or writing does not block (it may fail)
  bool hangup = false;  ///< answer: the other side has gone
  uint64_t bytes = 0;   ///< answer: how many can be read, if the host says; else 1
};

constexpr uint64_t kForever = ~uint64_t{0};

/// The host as WASI needs it. Paths are relative to an open directory and never lead out of it: `..`, absolute paths
/// and symbolic links that would are refused with Notcapable, also while somebody else moves things about. They are
/// not empty and have no zero bytes. Functions that return Errno change nothing when they fail.
class HostOs {
 public:
  virtual ~HostOs() = default;

  /// The host's standard input (0), output (1) or error (2). Not to be closed.
  virtual Handle standard_stream(int number) = 0;
  virtual bool is_terminal(Handle handle) = 0;
  /// Opens a directory by a path of the host's (not confined).
  virtual Sys<Handle> open_root(const std::string& host_path) = 0;
  virtual void close(Handle handle) = 0;

  virtual Sys<Handle> open(Handle dir, const std::string& path, const OpenOptions& options) = 0;
  /// The same file opened for reading, whatever `handle` is open for, even if it has no name any more. Notsup where the
  /// host cannot.
  virtual Sys<Handle> reopen_for_reading(Handle) { return Errno::Notsup; }
  /// Where beneath `root`, an open directory, what `handle` has open is to be found now, if the host says: whoever uses
  /// the path makes sure. Noent: nowhere there. Notsup: the host does not say.
  virtual Sys<std::string> name_beneath(Handle /*root*/, Handle /*handle*/) { return Errno::Notsup; }
  virtual Sys<Stat> stat(Handle handle) = 0;
  virtual Errno set_times(Handle handle, const Times& times) = 0;
  virtual Errno set_size(Handle handle, uint64_t size) = 0;
  /// Makes the file at least offset + length bytes long and reserves the space.
  virtual Errno allocate(Handle handle, uint64_t offset, uint64_t length) = 0;
  virtual Errno advise(Handle handle, uint64_t offset, uint64_t length, uint32_t advice) = 0;
  virtual Errno sync(Handle handle, bool data_only) = 0;
  /// Sets append and nonblock as in `fdflags`.
  virtual Errno set_flags(Handle handle, uint16_t fdflags) = 0;
  virtual Sys<uint64_t> seek(Handle handle, int64_t offset, Whence whence) = 0;

  /// Move bytes at the handle's position. At most kMaxBuffers buffers and kMaxTransfer bytes.
  virtual Sys<size_t> read(Handle handle, std::span<const Buffer> buffers) = 0;
  virtual Sys<size_t> write(Handle handle, std::span<const Buffer> buffers) = 0;
  /// Like write(), but where the host can, Again instead of blocking.
  virtual Sys<size_t> write_now(Handle handle, std::span<const Buffer> buffers) = 0;
  /// Move bytes at `offset`; the handle's position stays.
  virtual Sys<size_t> read_at(Handle handle, std::span<const Buffer> buffers, uint64_t offset) = 0;
  virtual Sys<size_t> write_at(Handle handle, std::span<const Buffer> buffers, uint64_t offset) = 0;

  virtual Sys<Stat> stat_at(Handle dir, const std::string& path, bool follow) = 0;
  virtual Errno set_times_at(Handle dir, const std::string& path, bool follow, const Times& times) = 0;
  virtual Errno create_directory(Handle dir, const std::string& path) = 0;
  virtual Errno remove_directory(Handle dir, const std::string& path) = 0;
  virtual Errno unlink_file(Handle dir, const std::string& path) = 0;
  virtual Errno rename(Handle old_dir, const std::string& old_path, Handle new_dir, const std::string& new_path) = 0;
  virtual Errno link(Handle old_dir, const std::string& old_path, bool follow, Handle new_dir,
                     const std::string& new_path) = 0;
  virtual Errno symlink(const std::string& target, Handle dir, const std::string& path) = 0;
  /// Fills `buffer` with the link's target, cut off where the buffer ends; the bytes used.
  virtual Sys<size_t> read_link(Handle dir, const std::string& path, Buffer buffer) = 0;
  /// All entries except "." and "..", in no particular order.
  virtual Errno list(Handle dir, std::vector<DirEntry>& entries) = 0;

  // Sockets: of streams. None of these waits: Again. Hosts without sockets say Notsup.
  /// Listens on an address of TCP, "HOST:PORT".
  virtual Sys<Handle> listen(const std::string& /*address*/) { return Errno::Notsup; }
  /// A descriptor of this process that listens. Badf, Notsock.
  virtual Sys<Handle> inherited_listener(int /*number*/) { return Errno::Notsup; }
  /// The address, for people; empty if the host does not say.
  virtual std::string listening_on(Handle /*listener*/) { return {}; }
  virtual Sys<Handle> accept(Handle /*listener*/) { return Errno::Notsup; }
  /// `peek`: the bytes are there for the next time, too. 0 bytes: the other side has said that no more come.
  virtual Sys<size_t> receive(Handle /*socket*/, std::span<const Buffer> /*buffers*/, bool /*peek*/) {
    return Errno::Notsup;
  }
  virtual Sys<size_t> send(Handle /*socket*/, std::span<const Buffer> /*buffers*/) { return Errno::Notsup; }
  virtual Errno shut_down(Handle /*socket*/, bool /*read*/, bool /*write*/) { return Errno::Notsup; }

  /// Waits until an item is ready, or `timeout` nanoseconds have passed (kForever: no limit). An item that the host
  /// cannot wait for counts as ready. With no items it sleeps.
  virtual void poll(std::span<PollItem> items, uint64_t timeout) = 0;
  /// Nanoseconds. Cputime clocks count the process's own.
  virtual Sys<uint64_t> clock_time(ClockId clock) = 0;
  virtual Sys<uint64_t> clock_resolution(ClockId clock) = 0;
  virtual void yield() = 0;
  virtual Errno random(Buffer buffer) = 0;
};

/// The operating system below. `kernel_confines`: let the kernel keep paths inside their directory where it can (Linux:
/// openat2); else, and where it cannot, they are walked component by component.
std::unique_ptr<HostOs> system_host(bool kernel_confines = true);

}  // namespace chiwawa::wasi
