// The operating system behind HostOs: POSIX (Linux above all), and wasi-libc, whose host then does the confining.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string_view>

#include "wasi/host_os.hpp"

#ifdef __wasi__
#define CHIWAWA_HOST_IS_WASI 1
#else
#define CHIWAWA_HOST_IS_WASI 0
#include <signal.h>
#endif

#ifdef __linux__
#include <linux/openat2.h>
#include <sys/syscall.h>
#endif

#ifndef O_PATH
#define O_PATH O_RDONLY
#endif

namespace chiwawa::wasi {
namespace {

constexpr bool kHostIsWasi = CHIWAWA_HOST_IS_WASI != 0;
constexpr uint64_t kNanoseconds = 1'000'000'000;
/// What Linux follows, too, before it says ELOOP.
[[maybe_unused]] constexpr int kMaxLinks = 40;
[[maybe_unused]] constexpr int kResolveFlags = O_PATH | O_DIRECTORY | O_CLOEXEC;

Errno from_errno(int e) {
  switch (e) {
    case 0: return Errno::Success;
    case E2BIG: return Errno::TooBig;
    case EACCES: return Errno::Acces;
    case EAGAIN: return Errno::Again;
    case EBADF: return Errno::Badf;
    case EBUSY: return Errno::Busy;
    case ECONNRESET: return Errno::Connreset;
    case EDQUOT: return Errno::Dquot;
    case EEXIST: return Errno::Exist;
    case EFAULT: return Errno::Fault;
    case EFBIG: return Errno::Fbig;
    case EILSEQ: return Errno::Ilseq;
    case EINTR: return Errno::Intr;
    case EINVAL: return Errno::Inval;
    case EIO: return Errno::Io;
    case EISDIR: return Errno::Isdir;
    case ELOOP: return Errno::Loop;
    case EMFILE: return Errno::Mfile;
    case EMLINK: return Errno::Mlink;
    case ENAMETOOLONG: return Errno::Nametoolong;
    case ENFILE: return Errno::Nfile;
    case ENODEV: return Errno::Nodev;
    case ENOENT: return Errno::Noent;
    case ENOLCK: return Errno::Nolck;
    case ENOMEM: return Errno::Nomem;
    case ENOSPC: return Errno::Nospc;
    case ENOSYS: return Errno::Nosys;
    case ENOTDIR: return Errno::Notdir;
    case ENOTEMPTY: return Errno::Notempty;
    case ENOTSUP: return Errno::Notsup;
#if EOPNOTSUPP != ENOTSUP
    case EOPNOTSUPP: return Errno::Notsup;
#endif
    case ENOTTY: return Errno::Notty;
    case ENXIO: return Errno::Nxio;
    case EOVERFLOW: return Errno::Overflow;
    case EPERM: return Errno::Perm;
    case EPIPE: return Errno::Pipe;
    case ERANGE: return Errno::Range;
    case EROFS: return Errno::Rofs;
    case ESPIPE: return Errno::Spipe;
    case ESTALE: return Errno::Stale;
    case ETIMEDOUT: return Errno::Timedout;
    case ETXTBSY: return Errno::Txtbsy;
    case EXDEV: return Errno::Xdev;
#ifdef ENOTCAPABLE
    case ENOTCAPABLE: return Errno::Notcapable;
#endif
    default: return Errno::Io;
  }
}

Errno last_error() { return from_errno(errno); }
/// For calls that return 0 or -1.
Errno outcome(int result) { return result == 0 ? Errno::Success : last_error(); }

Filetype filetype(mode_t mode) {
  if (S_ISREG(mode)) return Filetype::RegularFile;
  if (S_ISDIR(mode)) return Filetype::Directory;
  if (S_ISLNK(mode)) return Filetype::SymbolicLink;
  if (S_ISCHR(mode)) return Filetype::CharacterDevice;
  if (S_ISBLK(mode)) return Filetype::BlockDevice;
  if (S_ISSOCK(mode)) return Filetype::SocketStream;
  return Filetype::Unknown;
}

/// Times before 1970 cannot be said in preview1.
uint64_t nanoseconds(const timespec& t) {
  return t.tv_sec < 0 ? 0 : static_cast<uint64_t>(t.tv_sec) * kNanoseconds + static_cast<uint64_t>(t.tv_nsec);
}

timespec to_timespec(uint64_t ns) {
  timespec t{};
  t.tv_sec = static_cast<time_t>(ns / kNanoseconds);
  t.tv_nsec = static_cast<decltype(t.tv_nsec)>(ns % kNanoseconds);
  return t;
}

Stat from_stat(const struct stat& s) {
  Stat out;
  out.dev = static_cast<uint64_t>(s.st_dev);
  out.ino = static_cast<uint64_t>(s.st_ino);
  out.type = filetype(s.st_mode);
  out.nlink = static_cast<uint64_t>(s.st_nlink);
  out.size = static_cast<uint64_t>(s.st_size);
#ifdef __APPLE__
  out.atim = nanoseconds(s.st_atimespec);
  out.mtim = nanoseconds(s.st_mtimespec);
  out.ctim = nanoseconds(s.st_ctimespec);
#else
  out.atim = nanoseconds(s.st_atim);
  out.mtim = nanoseconds(s.st_mtim);
  out.ctim = nanoseconds(s.st_ctim);
#endif
  return out;
}

std::array<timespec, 2> to_timespecs(const Times& times) {
  auto convert = [](Times::Kind kind, uint64_t ns) {
    timespec t = to_timespec(ns);
    if (kind == Times::Kind::Keep) t.tv_nsec = UTIME_OMIT;
    if (kind == Times::Kind::Now) t.tv_nsec = UTIME_NOW;
    return t;
  };
  return {convert(times.access, times.atim), convert(times.modification, times.mtim)};
}

/// Buffers are given to the host as they are: they have an iovec's layout.
const iovec* as_iovecs(std::span<const Buffer> buffers) {
  static_assert(sizeof(Buffer) == sizeof(iovec) && offsetof(Buffer, data) == offsetof(iovec, iov_base) &&
                offsetof(Buffer, size) == offsetof(iovec, iov_len));
  return reinterpret_cast<const iovec*>(buffers.data());
}

Sys<size_t> transferred(ssize_t n) {
  if (n < 0) return last_error();
  return static_cast<size_t>(n);
}

bool is_absolute(const std::string& path) { return path[0] == '/'; }

/// Whether the path's `..` lead out of its directory, counted without looking at symbolic links.
[[maybe_unused]] bool climbs_out(const std::string& path) {
  int64_t depth = 0;
  for (size_t i = 0; i < path.size();) {
    size_t end = std::min(path.find('/', i), path.size());
    std::string_view name(path.data() + i, end - i);
    if (name == "..") {
      if (--depth < 0) return true;
    } else if (!name.empty() && name != ".") {
      ++depth;
    }
    i = end + 1;
  }
  return false;
}

/// An open directory and a name in it. The name is a single component (natively), so that no operation on it can
/// lead elsewhere; it may end in slashes.
struct Place {
  Handle dir = kNoHandle;
  bool owned = false;
  std::string name;

  Place() = default;
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    if (owned) ::close(dir);
  }
};

/// What the last component of a path is looked up for.
enum class Last : uint8_t {
  Entry,    ///< the directory entry itself: to make, remove or move it
  NoFollow, ///< what it names, but not through a symbolic link (unless a slash follows)
  Follow,   ///< what it names
};

class PosixHost final : public HostOs {
 public:
  explicit PosixHost(bool use_openat2) : use_openat2_(use_openat2 && have_openat2()) {
#if !CHIWAWA_HOST_IS_WASI
    // A write to a pipe that nobody reads is the guest's EPIPE, not our end.
    signal(SIGPIPE, SIG_IGN);
#endif
  }

  Handle standard_stream(int number) override { return number; }
  bool is_terminal(Handle handle) override { return isatty(handle) == 1; }

  Sys<Handle> open_root(const std::string& host_path) override {
    return opened(::open(host_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }

  void close(Handle handle) override { ::close(handle); }

  Sys<Handle> open(Handle dir, const std::string& path, const OpenOptions& options) override {
    int flags = O_CLOEXEC;
    if (options.write) {
      flags |= options.read ? O_RDWR : O_WRONLY;
    } else {
      flags |= O_RDONLY;
    }
    // POSIX says nothing about truncating what is opened for reading. Linux does it; of other WASI hosts, who knows.
    if (kHostIsWasi && options.truncate && !options.write) flags = O_CLOEXEC | O_RDWR;
    if (options.create) flags |= O_CREAT;
    if (options.exclusive) flags |= O_EXCL;
    if (options.truncate) flags |= O_TRUNC;
    if (options.directory) flags |= O_DIRECTORY;
    if (!options.follow) flags |= O_NOFOLLOW;
    if (options.fdflags & fdflag::Append) flags |= O_APPEND;
    if (options.fdflags & fdflag::Dsync) flags |= O_DSYNC;
    if (options.fdflags & (fdflag::Sync | fdflag::Rsync)) flags |= O_SYNC;
    if (options.fdflags & fdflag::Nonblock) flags |= O_NONBLOCK;
    if constexpr (kHostIsWasi) {
      return open_beneath(dir, path, flags, 0666);
    } else {
#if !CHIWAWA_HOST_IS_WASI
      // A FIFO must not keep us in open() until somebody comes to its other end; nor may we get a controlling terminal.
      auto file = open_beneath(dir, path, flags | O_NONBLOCK | O_NOCTTY, 0666);
      if (file.ok() && !(options.fdflags & fdflag::Nonblock)) {
        auto s = stat(file.value);
        if (s.ok() && s.value.type != Filetype::RegularFile && s.value.type != Filetype::Directory) {
          set_flags(file.value, options.fdflags);
        }
      }
      return file;
#endif
    }
  }

  Sys<Stat> stat(Handle handle) override {
    struct stat s {};
    if (fstat(handle, &s) != 0) return last_error();
    return from_stat(s);
  }

  Errno set_times(Handle handle, const Times& times) override {
    return outcome(futimens(handle, to_timespecs(times).data()));
  }

  Errno set_size(Handle handle, uint64_t size) override {
    if (size > static_cast<uint64_t>(INT64_MAX)) return Errno::Fbig;
    return outcome(ftruncate(handle, static_cast<off_t>(size)));
  }

  Errno allocate(Handle handle, uint64_t offset, uint64_t length) override {
    return from_errno(posix_fallocate(handle, static_cast<off_t>(offset), static_cast<off_t>(length)));
  }

  Errno advise(Handle handle, uint64_t offset, uint64_t length, uint32_t advice) override {
    static constexpr std::array<int, kAdviceCount> kAdvice = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL,
                                                              POSIX_FADV_RANDOM,   POSIX_FADV_WILLNEED,
                                                              POSIX_FADV_DONTNEED, POSIX_FADV_NOREUSE};
    return from_errno(
        posix_fadvise(handle, static_cast<off_t>(offset), static_cast<off_t>(length), kAdvice[advice]));
  }

  Errno sync(Handle handle, bool data_only) override { return outcome(data_only ? fdatasync(handle) : fsync(handle)); }

  Errno set_flags(Handle handle, uint16_t fdflags) override {
    int flags = fcntl(handle, F_GETFL);
    if (flags < 0) return last_error();
    flags &= ~(O_APPEND | O_NONBLOCK);
    if (fdflags & fdflag::Append) flags |= O_APPEND;
    if (fdflags & fdflag::Nonblock) flags |= O_NONBLOCK;
    return fcntl(handle, F_SETFL, flags) < 0 ? last_error() : Errno::Success;
  }

  Sys<uint64_t> seek(Handle handle, int64_t offset, Whence whence) override {
    int how = whence == Whence::Set ? SEEK_SET : whence == Whence::Cur ? SEEK_CUR : SEEK_END;
    off_t position = lseek(handle, offset, how);
    if (position < 0) return last_error();
    return static_cast<uint64_t>(position);
  }

  Sys<size_t> read(Handle handle, std::span<const Buffer> buffers) override {
    return transferred(readv(handle, as_iovecs(buffers), static_cast<int>(buffers.size())));
  }

  Sys<size_t> write(Handle handle, std::span<const Buffer> buffers) override {
    return transferred(writev(handle, as_iovecs(buffers), static_cast<int>(buffers.size())));
  }

  Sys<size_t> write_now(Handle handle, std::span<const Buffer> buffers) override {
#if defined(__linux__) && defined(RWF_NOWAIT)
    ssize_t n = pwritev2(handle, as_iovecs(buffers), static_cast<int>(buffers.size()), -1, RWF_NOWAIT);
    if (n >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)) return transferred(n);
#endif
    return write(handle, buffers);
  }

  Sys<size_t> read_at(Handle handle, std::span<const Buffer> buffers, uint64_t offset) override {
    return transferred(
        preadv(handle, as_iovecs(buffers), static_cast<int>(buffers.size()), static_cast<off_t>(offset)));
  }

  Sys<size_t> write_at(Handle handle, std::span<const Buffer> buffers, uint64_t offset) override {
    return transferred(
        pwritev(handle, as_iovecs(buffers), static_cast<int>(buffers.size()), static_cast<off_t>(offset)));
  }

  Sys<Stat> stat_at(Handle dir, const std::string& path, bool follow) override {
    Place place;
    if (Errno e = find(dir, path, follow ? Last::Follow : Last::NoFollow, place); e != Errno::Success) return e;
    struct stat s {};
    if (fstatat(place.dir, place.name.c_str(), &s, at_flags(follow)) != 0) return last_error();
    return from_stat(s);
  }

  Errno set_times_at(Handle dir, const std::string& path, bool follow, const Times& times) override {
    Place place;
    if (Errno e = find(dir, path, follow ? Last::Follow : Last::NoFollow, place); e != Errno::Success) return e;
    return outcome(utimensat(place.dir, place.name.c_str(), to_timespecs(times).data(), at_flags(follow)));
  }

  Errno create_directory(Handle dir, const std::string& path) override {
    Place place;
    if (Errno e = find(dir, path, Last::Entry, place); e != Errno::Success) return e;
    return outcome(mkdirat(place.dir, place.name.c_str(), 0777));
  }

  Errno remove_directory(Handle dir, const std::string& path) override {
    Place place;
    if (Errno e = find(dir, path, Last::Entry, place); e != Errno::Success) return e;
    return outcome(unlinkat(place.dir, place.name.c_str(), AT_REMOVEDIR));
  }

  Errno unlink_file(Handle dir, const std::string& path) override {
    Place place;
    if (Errno e = find(dir, path, Last::Entry, place); e != Errno::Success) return e;
    return outcome(unlinkat(place.dir, place.name.c_str(), 0));
  }

  Errno rename(Handle old_dir, const std::string& old_path, Handle new_dir, const std::string& new_path) override {
    Place from, to;
    if (Errno e = find(old_dir, old_path, Last::Entry, from); e != Errno::Success) return e;
    if (Errno e = find(new_dir, new_path, Last::Entry, to); e != Errno::Success) return e;
    return outcome(renameat(from.dir, from.name.c_str(), to.dir, to.name.c_str()));
  }

  Errno link(Handle old_dir, const std::string& old_path, bool follow, Handle new_dir,
             const std::string& new_path) override {
    Place from, to;
    if (Errno e = find(old_dir, old_path, follow ? Last::Follow : Last::NoFollow, from); e != Errno::Success) return e;
    if (Errno e = find(new_dir, new_path, Last::Entry, to); e != Errno::Success) return e;
    int flags = kHostIsWasi && follow ? AT_SYMLINK_FOLLOW : 0;
    return outcome(linkat(from.dir, from.name.c_str(), to.dir, to.name.c_str(), flags));
  }

  Errno symlink(const std::string& target, Handle dir, const std::string& path) override {
    if (is_absolute(target)) return Errno::Notcapable;
    Place place;
    if (Errno e = find(dir, path, Last::Entry, place); e != Errno::Success) return e;
    if (symlinkat(target.c_str(), place.dir, place.name.c_str()) == 0) return Errno::Success;
    Errno e = last_error();
    // Linux says "exists" of a file that is named like a directory.
    struct stat s {};
    bool is_file = e == Errno::Exist && place.name.ends_with('/') &&
                   fstatat(place.dir, place.name.c_str(), &s, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOTDIR;
    return is_file ? Errno::Notdir : e;
  }

  Sys<size_t> read_link(Handle dir, const std::string& path, Buffer buffer) override {
    Place place;
    if (Errno e = find(dir, path, Last::NoFollow, place); e != Errno::Success) return e;
    // The system refuses an empty buffer; preview1 does not.
    char one = 0;
    bool empty = buffer.size == 0;
    ssize_t n = readlinkat(place.dir, place.name.c_str(), empty ? &one : reinterpret_cast<char*>(buffer.data),
                           empty ? 1 : buffer.size);
    if (n >= 0 && empty) return size_t{0};
    return transferred(n);
  }

  Errno list(Handle dir, std::vector<DirEntry>& entries) override {
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy < 0) return last_error();
    DIR* stream = fdopendir(copy);
    if (stream == nullptr) {
      Errno e = last_error();
      ::close(copy);
      return e;
    }
    errno = 0;
    while (const dirent* entry = readdir(stream)) {
      std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      entries.push_back({std::string(name), static_cast<uint64_t>(entry->d_ino), entry_type(copy, *entry)});
      errno = 0;
    }
    Errno e = last_error();
    closedir(stream);
    return e;
  }

  void poll(std::span<PollItem> items, uint64_t timeout) override {
    if (items.empty()) return sleep(timeout);
    std::array<pollfd, 16> few{};
    std::vector<pollfd> many;
    pollfd* fds = few.data();
    if (items.size() > few.size()) {
      many.resize(items.size());
      fds = many.data();
    }
    for (size_t i = 0; i < items.size(); ++i) {
      fds[i].fd = items[i].handle;
      fds[i].events = items[i].write ? POLLOUT : POLLIN;
    }
    int n = wait_for(fds, items.size(), timeout);
    int error = errno;
    for (size_t i = 0; i < items.size(); ++i) {
      auto& item = items[i];
      // A host that cannot poll this must not keep the guest waiting for ever.
      item.ready = n < 0 ? error != EINTR : fds[i].revents != 0;
      item.hangup = n > 0 && (fds[i].revents & POLLHUP) != 0;
      item.bytes = item.ready && !item.write ? readable_bytes(item.handle) : 1;
    }
  }

  Sys<uint64_t> clock_time(ClockId clock) override {
    timespec t{};
    if (clock_gettime(host_clock(clock), &t) != 0) return last_error();
    return nanoseconds(t);
  }

  Sys<uint64_t> clock_resolution(ClockId clock) override {
    timespec t{};
    if (clock_getres(host_clock(clock), &t) != 0) return last_error();
    return nanoseconds(t);
  }

  void yield() override { ::sched_yield(); }

  Errno random(Buffer buffer) override {
    constexpr size_t kMost = 256;  // of getentropy()
    while (buffer.size > 0) {
      size_t n = std::min(buffer.size, kMost);
      if (getentropy(buffer.data, n) != 0) return last_error();
      buffer.data += n;
      buffer.size -= n;
    }
    return Errno::Success;
  }

 private:
  static Sys<Handle> opened(int fd) {
    if (fd < 0) return last_error();
    return Handle{fd};
  }

  /// Natively find() has followed the last link already, or nothing must.
  static int at_flags(bool follow) { return kHostIsWasi && follow ? 0 : AT_SYMLINK_NOFOLLOW; }

#if CHIWAWA_HOST_IS_WASI
  static bool have_openat2() { return false; }

  Sys<Handle> open_beneath(Handle dir, const std::string& path, int flags, mode_t mode) {
    if (is_absolute(path) || climbs_out(path)) return Errno::Notcapable;
    return opened(openat(dir, path.c_str(), flags, mode));
  }

  Errno find(Handle dir, const std::string& path, Last, Place& place) {
    if (is_absolute(path) || climbs_out(path)) return Errno::Notcapable;
    place.dir = dir;
    place.name = path;
    return Errno::Success;
  }

  static clockid_t host_clock(ClockId clock) {
    return clock == ClockId::Realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC;  // it has no others
  }

  static void sleep(uint64_t ns) {
    timespec t = to_timespec(ns);
    clock_nanosleep(CLOCK_MONOTONIC, 0, &t, nullptr);
  }

  static int wait_for(pollfd* fds, size_t count, uint64_t ns) {
    uint64_t ms = std::min<uint64_t>(ns / 1'000'000 + (ns % 1'000'000 != 0), INT32_MAX);
    return ::poll(fds, count, ns == kForever ? -1 : static_cast<int>(ms));
  }

  static uint64_t readable_bytes(Handle) { return 1; }
#else
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
  Sys<Handle> open_beneath(Handle dir, const std::string& path, int flags, mode_t mode) {
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
    struct stat s {};
    bool link = fstatat(dir, name.c_str(), &s, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(s.st_mode);
    errno = saved;
    return link;
  }

  /// Opens the directory that holds the path's last component.
  Errno find(Handle dir, const std::string& path, Last last, Place& place) {
    if (is_absolute(path)) return Errno::Notcapable;
    std::string current = path;
    for (int links = 0;; ++links) {
      size_t name_end = current.find_last_not_of('/') + 1;
      size_t slash = current.find_last_of('/', name_end - 1);
      size_t name_begin = slash == std::string::npos ? 0 : slash + 1;
      std::string_view name(current.data() + name_begin, name_end - name_begin);
      bool slashes = name_end != current.size();
      if (place.owned) ::close(place.dir);
      place.owned = false;
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

  static clockid_t host_clock(ClockId clock) {
    switch (clock) {
      case ClockId::Realtime: return CLOCK_REALTIME;
      case ClockId::Monotonic: return CLOCK_MONOTONIC;
      case ClockId::ProcessCputime: return CLOCK_PROCESS_CPUTIME_ID;
      case ClockId::ThreadCputime: return CLOCK_THREAD_CPUTIME_ID;
    }
    return CLOCK_MONOTONIC;
  }

  static void sleep(uint64_t ns) {
    timespec t = to_timespec(ns);
    nanosleep(&t, nullptr);
  }

  static int wait_for(pollfd* fds, size_t count, uint64_t ns) {
#ifdef __linux__
    timespec t = to_timespec(ns);
    return ppoll(fds, static_cast<nfds_t>(count), ns == kForever ? nullptr : &t, nullptr);
#else
    uint64_t ms = std::min<uint64_t>(ns / 1'000'000 + (ns % 1'000'000 != 0), INT32_MAX);
    return ::poll(fds, static_cast<nfds_t>(count), ns == kForever ? -1 : static_cast<int>(ms));
#endif
  }

  static uint64_t readable_bytes(Handle handle) {
    int n = 0;
    return ioctl(handle, FIONREAD, &n) == 0 && n > 0 ? static_cast<uint64_t>(n) : 1;
  }
#endif

  static Filetype entry_type(Handle dir, const dirent& entry) {
    switch (entry.d_type) {
      case DT_REG: return Filetype::RegularFile;
      case DT_DIR: return Filetype::Directory;
      case DT_LNK: return Filetype::SymbolicLink;
      case DT_CHR: return Filetype::CharacterDevice;
      case DT_BLK: return Filetype::BlockDevice;
      case DT_UNKNOWN: {  // some file systems do not say
        struct stat s {};
        return fstatat(dir, entry.d_name, &s, AT_SYMLINK_NOFOLLOW) == 0 ? filetype(s.st_mode) : Filetype::Unknown;
      }
      default: return Filetype::Unknown;
    }
  }

  [[maybe_unused]] bool use_openat2_;
};

}  // namespace

std::unique_ptr<HostOs> posix_host(bool use_openat2) { return std::make_unique<PosixHost>(use_openat2); }

}  // namespace chiwawa::wasi
