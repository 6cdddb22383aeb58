// LibcHost: what POSIX and wasi-libc have in common. How paths are confined, and how to wait, is the system's affair:
// host_os_posix.cpp (native builds), host_os_preview1.cpp (wasm builds).
#pragma once

#include <poll.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <ctime>

#include "wasi/host_os.hpp"

namespace chiwawa::wasi {

/// errno as preview1's number.
Errno from_errno(int e);
Errno last_error();
/// For calls that return a descriptor or -1.
Sys<Handle> opened(int fd);
/// For calls that return a number of bytes or -1.
Sys<size_t> transferred(ssize_t n);
timespec to_timespec(uint64_t nanoseconds);

/// Where an operation on a path takes place: a name in an open directory.
struct Place {
  Handle dir = kNoHandle;
  bool owned = false;  ///< close `dir` in the end
  std::string name;

  Place() = default;
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { release(); }
  void release() {
    if (owned) ::close(dir);
    owned = false;
  }
};

/// What the last component of a path is looked up for.
enum class Last : uint8_t {
  Entry,     ///< the directory entry itself: to make, remove or move it
  NoFollow,  ///< what it names, but not through a symbolic link (unless a slash follows)
  Follow,    ///< what it names
};

class LibcHost : public HostOs {
 public:
  Handle standard_stream(int number) override;
  bool is_terminal(Handle handle) override;
  Sys<Handle> open_root(const std::string& host_path) override;
  void close(Handle handle) override;
  Sys<Handle> open(Handle dir, const std::string& path, const OpenOptions& options) override;
  Sys<Stat> stat(Handle handle) override;
  Errno set_times(Handle handle, const Times& times) override;
  Errno set_size(Handle handle, uint64_t size) override;
  Errno allocate(Handle handle, uint64_t offset, uint64_t length) override;
  Errno advise(Handle handle, uint64_t offset, uint64_t length, uint32_t advice) override;
  Errno sync(Handle handle, bool data_only) override;
  Errno set_flags(Handle handle, uint16_t fdflags) override;
  Sys<uint64_t> seek(Handle handle, int64_t offset, Whence whence) override;
  Sys<size_t> read(Handle handle, std::span<const Buffer> buffers) override;
  Sys<size_t> write(Handle handle, std::span<const Buffer> buffers) override;
  Sys<size_t> write_now(Handle handle, std::span<const Buffer> buffers) override;
  Sys<size_t> read_at(Handle handle, std::span<const Buffer> buffers, uint64_t offset) override;
  Sys<size_t> write_at(Handle handle, std::span<const Buffer> buffers, uint64_t offset) override;
  Sys<Stat> stat_at(Handle dir, const std::string& path, bool follow) override;
  Errno set_times_at(Handle dir, const std::string& path, bool follow, const Times& times) override;
  Errno create_directory(Handle dir, const std::string& path) override;
  Errno remove_directory(Handle dir, const std::string& path) override;
  Errno unlink_file(Handle dir, const std::string& path) override;
  Errno rename(Handle old_dir, const std::string& old_path, Handle new_dir, const std::string& new_path) override;
  Errno link(Handle old_dir, const std::string& old_path, bool follow, Handle new_dir,
             const std::string& new_path) override;
  Errno symlink(const std::string& target, Handle dir, const std::string& path) override;
  Sys<size_t> read_link(Handle dir, const std::string& path, Buffer buffer) override;
  Errno list(Handle dir, std::vector<DirEntry>& entries) override;
  void poll(std::span<PollItem> items, uint64_t timeout) override;
  Sys<uint64_t> clock_time(ClockId clock) override;
  Sys<uint64_t> clock_resolution(ClockId clock) override;
  void yield() override;
  Errno random(Buffer buffer) override;

 protected:
  /// open(2)'s flags for these options.
  static int open_flags(const OpenOptions& options);
  /// openat(2) that never leaves `dir`.
  virtual Sys<Handle> open_beneath(Handle dir, const std::string& path, int flags, mode_t mode) = 0;
  /// Finds the place of a path beneath `dir`, so that an operation on that name cannot lead out of it.
  virtual Errno find(Handle dir, const std::string& path, Last last, Place& place) = 0;
  /// Whether a place that was found with Last::Follow may still be a symbolic link.
  virtual bool leaves_last_link() const = 0;

  virtual clockid_t host_clock(ClockId clock) = 0;
  virtual void sleep(uint64_t nanoseconds) = 0;
  /// poll(2), with nanoseconds.
  virtual int wait_for(pollfd* fds, size_t count, uint64_t nanoseconds) = 0;
  /// How many bytes can be read now, at least; 1 if the host does not say.
  virtual uint64_t readable_bytes(Handle handle) = 0;

  /// Buffers are given to the host as they are: they have an iovec's layout.
  static const iovec* as_iovecs(std::span<const Buffer> buffers);
  static bool is_absolute(const std::string& path) { return path[0] == '/'; }

 private:
  int at_flags(bool follow) const;
};

}  // namespace chiwawa::wasi
