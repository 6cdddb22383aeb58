// The operating system of native builds: POSIX, and what Linux offers beyond it.
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <string>
#include <string_view>

#include "wasi/host_os_sockets_posix.hpp"

#ifdef __linux__
#include <linux/openat2.h>
#include <sys/syscall.h>
#endif

#ifndef O_PATH
#define O_PATH O_RDONLY
#endif

namespace chiwawa::wasi {
namespace {

/// What Linux follows, too, before it says ELOOP.
constexpr int kMaxLinks = 40;
constexpr int kResolveFlags = O_PATH | O_DIRECTORY | O_CLOEXEC;

class PosixHost final : public PosixSockets {
 public:
  explicit PosixHost(bool kernel_confines) : use_openat2_(kernel_confines && have_openat2()) {
    // A write to a pipe that nobody reads is the guest's EPIPE, not our end.
    signal(SIGPIPE, SIG_IGN);
  }

  Sys<Handle> open(Handle dir, const std::string& path, const OpenOptions& options) override {
    // A FIFO must not keep us in open() until somebody comes to its other end; nor may we get a controlling terminal.
    auto file = open_beneath(dir, path, open_flags(options) | O_NONBLOCK | O_NOCTTY, 0666);
    if (file.ok() && !(options.fdflags & fdflag::Nonblock)) {
      auto s = stat(file.value);
      if (s.ok() && s.value.type != Filetype::RegularFile && s.value.type != Filetype::Directory) {
        set_flags(file.value, options.fdflags);
      }
    }
    return file;
  }

#ifdef __linux__
  Sys<std::string> name_beneath(Handle root, Handle handle) override {
    const std::string above = name_of(root);
    const std::string name = name_of(handle);
    if (above.empty() || name.empty()) return Errno::Notsup;
    if (name == above) return std::string(".");
    const std::string prefix = above == "/" ? above : above + "/";
    if (!name.starts_with(prefix)) return Errno::Noent;
    return name.substr(prefix.size());
  }

  Sys<Handle> reopen_for_reading(Handle handle) override {
    return opened(::open(("/proc/self/fd/" + std::to_string(handle)).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  }
#endif

  Sys<size_t> write_now(Handle handle, std::span<const Buffer> buffers) override {
#if defined(__linux__) && defined(RWF_NOWAIT)
    ssize_t n = pwritev2(handle, as_iovecs(buffers), static_cast<int>(buffers.size()), -1, RWF_NOWAIT);
    if (n >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)) return transferred(n);
#endif
    return write(handle, buffers);
  }

 protected:
#ifdef __linux__
  /// What the kernel calls it: for what is removed, a name that nothing has.
  static std::string name_of(Handle handle) {
    char name[4096];
    const ssize_t n = readlink(("/proc/self/fd/" + std::to_string(handle)).c_str(), name, sizeof name);
    return n > 0 && static_cast<size_t>(n) < sizeof name ? std::string(name, static_cast<size_t>(n)) : std::string();
  }
#endif

  static bool have_openat2() {
#ifdef __linux__
    open_how how{};
    how.flags = static_cast<uint64_t>(kResolveFlags);
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    long fd = syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof how);
    if (fd < 0) return false;
    ::close(static_cast<int>(fd));
    return true;
#else
    return false;
#endif
  }

  /// openat() that never leaves `dir`.
  Sys<Handle> open_beneath(Handle dir, const std::string& path, int flags, mode_t mode) override {
    if (is_absolute(path)) return Errno::Notcapable;
#ifdef __linux__
    if (use_openat2_) {
      open_how how{};
      how.flags = static_cast<uint64_t>(flags);
      how.mode = (flags & O_CREAT) != 0 ? mode : 0;
      how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
      // EAGAIN: something was renamed meanwhile and the kernel cannot tell whether we are still beneath.
      for (int tries = 0; tries < 8; ++tries) {
        long fd = syscall(SYS_openat2, dir, path.c_str(), &how, sizeof how);
        if (fd >= 0) return Handle{static_cast<int>(fd)};
        if (errno == EXDEV) return Errno::Notcapable;
        if (errno != EAGAIN) return last_error();
      }
    }
#endif
    return walk(dir, path, flags, mode);
  }

  /// The same, component by component. Links are expanded here, never by the system; `..` goes back to a directory
  /// that we hold open, never up.
  Sys<Handle> walk(Handle dir, const std::string& path, int flags, mode_t mode) {
    constexpr size_t kMaxDepth = 256;
    struct Trail {
      Handle root;
      std::vector<Handle> dirs;
      Handle top() const { return dirs.empty() ? root : dirs.back(); }
      ~Trail() {
        for (Handle d : dirs) ::close(d);
      }
    } trail{dir, {}};

    std::string rest = path;
    int links = 0;
    size_t at = 0;
    while (true) {
      while (at < rest.size() && rest[at] == '/') ++at;
      if (at == rest.size()) {
        // The path was ".", ended in "..", or in a slash after a directory that is open now.
        return opened(openat(trail.top(), ".", flags & ~O_NOFOLLOW, mode));
      }
      size_t end = std::min(rest.find('/', at), rest.size());
      std::string name = rest.substr(at, end - at);
      bool last = end == rest.size();
      if (name == ".") {
        at = end;
        continue;
      }
      if (name == "..") {
        if (trail.dirs.empty()) return Errno::Notcapable;
        ::close(trail.dirs.back());
        trail.dirs.pop_back();
        at = end;
        continue;
      }
      bool follow = !last || (flags & O_NOFOLLOW) == 0;
      char target[4096];
      ssize_t n = follow ? readlinkat(trail.top(), name.c_str(), target, sizeof target) : -1;
      if (n >= 0) {
        if (++links > kMaxLinks) return Errno::Loop;
        if (n == 0) return Errno::Noent;
        if (static_cast<size_t>(n) == sizeof target) return Errno::Nametoolong;
        if (target[0] == '/') return Errno::Notcapable;
        rest = std::string(target, static_cast<size_t>(n)) + rest.substr(end);
        if (rest.size() > 2 * sizeof target) return Errno::Nametoolong;
        at = 0;
        continue;
      }
      if (last) {
        int fd = openat(trail.top(), name.c_str(), flags | O_NOFOLLOW, mode);
        // It became a link since we looked.
        if (fd < 0 && follow && errno == ELOOP && ++links <= kMaxLinks) continue;
        return opened(fd);
      }
      int fd = openat(trail.top(), name.c_str(), kResolveFlags | O_NOFOLLOW);
      if (fd < 0) {
        if ((errno == ELOOP || errno == ENOTDIR) && ++links <= kMaxLinks && is_link(trail.top(), name)) continue;
        return errno == ELOOP ? Errno::Notdir : last_error();
      }
      trail.dirs.push_back(fd);
      if (trail.dirs.size() > kMaxDepth) return Errno::Nametoolong;
      at = end;
    }
  }

  static bool is_link(Handle dir, const std::string& name) {
    int saved = errno;
    struct stat s{};
    bool link = fstatat(dir, name.c_str(), &s, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(s.st_mode);
    errno = saved;
    return link;
  }

  /// Opens the directory that holds the path's last component.
  Errno find(Handle dir, const std::string& path, Last last, Place& place) override {
    if (is_absolute(path)) return Errno::Notcapable;
    std::string current = path;
    for (int links = 0;; ++links) {
      size_t name_end = current.find_last_not_of('/') + 1;
      size_t slash = current.find_last_of('/', name_end - 1);
      size_t name_begin = slash == std::string::npos ? 0 : slash + 1;
      std::string_view name(current.data() + name_begin, name_end - name_begin);
      bool slashes = name_end != current.size();
      place.release();
      if (name == "." || name == ".." || (slashes && last != Last::Entry)) {
        // A directory, whatever its name: it stands for itself.
        auto whole = open_beneath(dir, current, kResolveFlags, 0);
        if (!whole.ok()) return whole.error;
        place.dir = whole.value;
        place.owned = true;
        place.name = ".";
        return Errno::Success;
      }
      place.dir = dir;
      if (name_begin != 0) {
        auto parent = open_beneath(dir, current.substr(0, name_begin), kResolveFlags, 0);
        if (!parent.ok()) return parent.error;
        place.dir = parent.value;
        place.owned = true;
      }
      place.name.assign(current, name_begin);
      if (last != Last::Follow) return Errno::Success;
      char target[4096];
      ssize_t n = readlinkat(place.dir, place.name.c_str(), target, sizeof target);
      if (n < 0) return Errno::Success;  // not a link, or nothing: whoever uses the place will see
      if (links == kMaxLinks) return Errno::Loop;
      if (n == 0) return Errno::Noent;
      if (static_cast<size_t>(n) == sizeof target || current.size() > 2 * sizeof target) return Errno::Nametoolong;
      if (target[0] == '/') return Errno::Notcapable;
      current.resize(name_begin);
      current.append(target, static_cast<size_t>(n));
    }
  }

  clockid_t host_clock(ClockId clock) override {
    switch (clock) {
      case ClockId::Realtime: return CLOCK_REALTIME;
      case ClockId::Monotonic: return CLOCK_MONOTONIC;
      case ClockId::ProcessCputime: return CLOCK_PROCESS_CPUTIME_ID;
      case ClockId::ThreadCputime: return CLOCK_THREAD_CPUTIME_ID;
    }
    return CLOCK_MONOTONIC;
  }

  void sleep(uint64_t ns) override {
    timespec t = to_timespec(ns);
    nanosleep(&t, nullptr);
  }

  int wait_for(pollfd* fds, size_t count, uint64_t ns) override {
#ifdef __linux__
    timespec t = to_timespec(ns);
    return ppoll(fds, static_cast<nfds_t>(count), ns == kForever ? nullptr : &t, nullptr);
#else
    uint64_t ms = std::min<uint64_t>(ns / 1'000'000 + (ns % 1'000'000 != 0), INT32_MAX);
    return ::poll(fds, static_cast<nfds_t>(count), ns == kForever ? -1 : static_cast<int>(ms));
#endif
  }

  uint64_t readable_bytes(Handle handle) override {
    int n = 0;
    return ioctl(handle, FIONREAD, &n) == 0 && n > 0 ? static_cast<uint64_t>(n) : 1;
  }

  bool leaves_last_link() const override { return false; }

  bool use_openat2_;
};

}  // namespace

std::unique_ptr<HostOs> system_host(bool kernel_confines) { return std::make_unique<PosixHost>(kernel_confines); }

}  // namespace chiwawa::wasi
