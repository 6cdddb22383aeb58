#include "wasi/host_os_libc.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <string_view>

namespace chiwawa::wasi {
namespace {

// What to wait for, and what says that the other side has gone.
#ifdef POLLRDHUP
constexpr short kReadable = POLLIN | POLLRDHUP;
constexpr short kGone = POLLHUP | POLLRDHUP;
#else
constexpr short kReadable = POLLIN;
constexpr short kGone = POLLHUP;
#endif

constexpr uint64_t kNanoseconds = 1'000'000'000;

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

Filetype entry_type(Handle dir, const dirent& entry) {
  switch (entry.d_type) {
    case DT_REG: return Filetype::RegularFile;
    case DT_DIR: return Filetype::Directory;
    case DT_LNK: return Filetype::SymbolicLink;
    case DT_CHR: return Filetype::CharacterDevice;
    case DT_BLK: return Filetype::BlockDevice;
    case DT_UNKNOWN: {  // some file systems do not say
      struct stat s{};
      return fstatat(dir, entry.d_name, &s, AT_SYMLINK_NOFOLLOW) == 0 ? filetype(s.st_mode) : Filetype::Unknown;
    }
    default: return Filetype::Unknown;
  }
}

}  // namespace

Errno from_errno(int e) {
  switch (e) {
    case 0: return Errno::Success;
    case E2BIG: return Errno::TooBig;
    case EACCES: return Errno::Acces;
    case EADDRINUSE: return Errno::Addrinuse;
    case EADDRNOTAVAIL: return Errno::Addrnotavail;
    case EAFNOSUPPORT: return Errno::Afnosupport;
    case EAGAIN: return Errno::Again;
    case EBADF: return Errno::Badf;
    case EBUSY: return Errno::Busy;
    case ECONNABORTED: return Errno::Connaborted;
    case ECONNREFUSED: return Errno::Connrefused;
    case ECONNRESET: return Errno::Connreset;
    case EDQUOT: return Errno::Dquot;
    case EEXIST: return Errno::Exist;
    case EFAULT: return Errno::Fault;
    case EFBIG: return Errno::Fbig;
    case EHOSTUNREACH: return Errno::Hostunreach;
    case EILSEQ: return Errno::Ilseq;
    case EINTR: return Errno::Intr;
    case EINVAL: return Errno::Inval;
    case EIO: return Errno::Io;
    case EISDIR: return Errno::Isdir;
    case ELOOP: return Errno::Loop;
    case EMFILE: return Errno::Mfile;
    case EMLINK: return Errno::Mlink;
    case ENAMETOOLONG: return Errno::Nametoolong;
    case ENETDOWN: return Errno::Netdown;
    case ENETRESET: return Errno::Netreset;
    case ENETUNREACH: return Errno::Netunreach;
    case ENFILE: return Errno::Nfile;
    case ENOBUFS: return Errno::Nobufs;
    case ENODEV: return Errno::Nodev;
    case ENOENT: return Errno::Noent;
    case ENOLCK: return Errno::Nolck;
    case ENOMEM: return Errno::Nomem;
    case ENOSPC: return Errno::Nospc;
    case ENOSYS: return Errno::Nosys;
    case ENOTCONN: return Errno::Notconn;
    case ENOTDIR: return Errno::Notdir;
    case ENOTEMPTY: return Errno::Notempty;
    case ENOTSOCK: return Errno::Notsock;
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

Sys<Handle> opened(int fd) {
  if (fd < 0) return last_error();
  return Handle{fd};
}

Sys<size_t> transferred(ssize_t n) {
  if (n < 0) return last_error();
  return static_cast<size_t>(n);
}

timespec to_timespec(uint64_t ns) {
  timespec t{};
  t.tv_sec = static_cast<time_t>(ns / kNanoseconds);
  t.tv_nsec = static_cast<decltype(t.tv_nsec)>(ns % kNanoseconds);
  return t;
}

const iovec* LibcHost::as_iovecs(std::span<const Buffer> buffers) {
  static_assert(sizeof(Buffer) == sizeof(iovec) && offsetof(Buffer, data) == offsetof(iovec, iov_base) &&
                offsetof(Buffer, size) == offsetof(iovec, iov_len));
  return reinterpret_cast<const iovec*>(buffers.data());
}

int LibcHost::at_flags(bool follow) const { return follow && leaves_last_link() ? 0 : AT_SYMLINK_NOFOLLOW; }

int LibcHost::open_flags(const OpenOptions& options) {
  int flags = O_CLOEXEC;
  if (options.write) {
    flags |= options.read ? O_RDWR : O_WRONLY;
  } else {
    flags |= O_RDONLY;
  }
  if (options.create) flags |= O_CREAT;
  if (options.exclusive) flags |= O_EXCL;
  if (options.truncate) flags |= O_TRUNC;
  if (options.directory) flags |= O_DIRECTORY;
  if (!options.follow) flags |= O_NOFOLLOW;
  if (options.fdflags & fdflag::Append) flags |= O_APPEND;
  if (options.fdflags & fdflag::Dsync) flags |= O_DSYNC;
  if (options.fdflags & (fdflag::Sync | fdflag::Rsync)) flags |= O_SYNC;
  if (options.fdflags & fdflag::Nonblock) flags |= O_NONBLOCK;
  return flags;
}

Handle LibcHost::standard_stream(int number) { return number; }

bool LibcHost::is_terminal(Handle handle) { return isatty(handle) == 1; }

Sys<Handle> LibcHost::open_root(const std::string& host_path) {
  return opened(::open(host_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

void LibcHost::close(Handle handle) { ::close(handle); }

Sys<Handle> LibcHost::open(Handle dir, const std::string& path, const OpenOptions& options) {
  return open_beneath(dir, path, open_flags(options), 0666);
}

Sys<Stat> LibcHost::stat(Handle handle) {
  struct stat s{};
  if (fstat(handle, &s) != 0) return last_error();
  return from_stat(s);
}

Errno LibcHost::set_times(Handle handle, const Times& times) {
  return outcome(futimens(handle, to_timespecs(times).data()));
}

Errno LibcHost::set_size(Handle handle, uint64_t size) {
  if (size > static_cast<uint64_t>(INT64_MAX)) return Errno::Fbig;
  return outcome(ftruncate(handle, static_cast<off_t>(size)));
}

Errno LibcHost::allocate(Handle handle, uint64_t offset, uint64_t length) {
  return from_errno(posix_fallocate(handle, static_cast<off_t>(offset), static_cast<off_t>(length)));
}

Errno LibcHost::advise(Handle handle, uint64_t offset, uint64_t length, uint32_t advice) {
  static constexpr std::array<int, kAdviceCount> kAdvice = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL,
                                                            POSIX_FADV_RANDOM,   POSIX_FADV_WILLNEED,
                                                            POSIX_FADV_DONTNEED, POSIX_FADV_NOREUSE};
  return from_errno(posix_fadvise(handle, static_cast<off_t>(offset), static_cast<off_t>(length), kAdvice[advice]));
}

Errno LibcHost::sync(Handle handle, bool data_only) { return outcome(data_only ? fdatasync(handle) : fsync(handle)); }

Errno LibcHost::set_flags(Handle handle, uint16_t fdflags) {
  int flags = fcntl(handle, F_GETFL);
  if (flags < 0) return last_error();
  flags &= ~(O_APPEND | O_NONBLOCK);
  if (fdflags & fdflag::Append) flags |= O_APPEND;
  if (fdflags & fdflag::Nonblock) flags |= O_NONBLOCK;
  return fcntl(handle, F_SETFL, flags) < 0 ? last_error() : Errno::Success;
}

Sys<uint64_t> LibcHost::seek(Handle handle, int64_t offset, Whence whence) {
  int how = whence == Whence::Set ? SEEK_SET : whence == Whence::Cur ? SEEK_CUR : SEEK_END;
  off_t position = lseek(handle, offset, how);
  if (position < 0) return last_error();
  return static_cast<uint64_t>(position);
}

Sys<size_t> LibcHost::read(Handle handle, std::span<const Buffer> buffers) {
  return transferred(readv(handle, as_iovecs(buffers), static_cast<int>(buffers.size())));
}

Sys<size_t> LibcHost::write(Handle handle, std::span<const Buffer> buffers) {
  return transferred(writev(handle, as_iovecs(buffers), static_cast<int>(buffers.size())));
}

Sys<size_t> LibcHost::write_now(Handle handle, std::span<const Buffer> buffers) { return write(handle, buffers); }

Sys<size_t> LibcHost::read_at(Handle handle, std::span<const Buffer> buffers, uint64_t offset) {
  return transferred(preadv(handle, as_iovecs(buffers), static_cast<int>(buffers.size()), static_cast<off_t>(offset)));
}

Sys<size_t> LibcHost::write_at(Handle handle, std::span<const Buffer> buffers, uint64_t offset) {
  return transferred(pwritev(handle, as_iovecs(buffers), static_cast<int>(buffers.size()), static_cast<off_t>(offset)));
}

Sys<Stat> LibcHost::stat_at(Handle dir, const std::string& path, bool follow) {
  Place place;
  if (Errno e = find(dir, path, follow ? Last::Follow : Last::NoFollow, place); e != Errno::Success) return e;
  struct stat s{};
  if (fstatat(place.dir, place.name.c_str(), &s, at_flags(follow)) != 0) return last_error();
  return from_stat(s);
}

Errno LibcHost::set_times_at(Handle dir, const std::string& path, bool follow, const Times& times) {
  // Linux does not even look for the file, then.
  if (times.access == Times::Kind::Keep && times.modification == Times::Kind::Keep) {
    return stat_at(dir, path, follow).error;
  }
  Place place;
  if (Errno e = find(dir, path, follow ? Last::Follow : Last::NoFollow, place); e != Errno::Success) return e;
  return outcome(utimensat(place.dir, place.name.c_str(), to_timespecs(times).data(), at_flags(follow)));
}

Errno LibcHost::create_directory(Handle dir, const std::string& path) {
  Place place;
  if (Errno e = find(dir, path, Last::Entry, place); e != Errno::Success) return e;
  return outcome(mkdirat(place.dir, place.name.c_str(), 0777));
}

Errno LibcHost::remove_directory(Handle dir, const std::string& path) {
  Place place;
  if (Errno e = find(dir, path, Last::Entry, place); e != Errno::Success) return e;
  return outcome(unlinkat(place.dir, place.name.c_str(), AT_REMOVEDIR));
}

Errno LibcHost::unlink_file(Handle dir, const std::string& path) {
  Place place;
  if (Errno e = find(dir, path, Last::Entry, place); e != Errno::Success) return e;
  return outcome(unlinkat(place.dir, place.name.c_str(), 0));
}

Errno LibcHost::rename(Handle old_dir, const std::string& old_path, Handle new_dir, const std::string& new_path) {
  Place from, to;
  if (Errno e = find(old_dir, old_path, Last::Entry, from); e != Errno::Success) return e;
  if (Errno e = find(new_dir, new_path, Last::Entry, to); e != Errno::Success) return e;
  return outcome(renameat(from.dir, from.name.c_str(), to.dir, to.name.c_str()));
}

Errno LibcHost::link(Handle old_dir, const std::string& old_path, bool follow, Handle new_dir,
                     const std::string& new_path) {
  Place from, to;
  if (Errno e = find(old_dir, old_path, follow ? Last::Follow : Last::NoFollow, from); e != Errno::Success) return e;
  if (Errno e = find(new_dir, new_path, Last::Entry, to); e != Errno::Success) return e;
  int flags = leaves_last_link() && follow ? AT_SYMLINK_FOLLOW : 0;
  return outcome(linkat(from.dir, from.name.c_str(), to.dir, to.name.c_str(), flags));
}

Errno LibcHost::symlink(const std::string& target, Handle dir, const std::string& path) {
  if (is_absolute(target)) return Errno::Notcapable;
  Place place;
  if (Errno e = find(dir, path, Last::Entry, place); e != Errno::Success) return e;
  if (symlinkat(target.c_str(), place.dir, place.name.c_str()) == 0) return Errno::Success;
  Errno e = last_error();
  // Linux says "exists" of a file that is named like a directory.
  struct stat s{};
  bool is_file = e == Errno::Exist && place.name.ends_with('/') &&
                 fstatat(place.dir, place.name.c_str(), &s, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOTDIR;
  return is_file ? Errno::Notdir : e;
}

Sys<size_t> LibcHost::read_link(Handle dir, const std::string& path, Buffer buffer) {
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

Errno LibcHost::list(Handle dir, std::vector<DirEntry>& entries) {
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

void LibcHost::poll(std::span<PollItem> items, uint64_t timeout) {
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
    fds[i].events = items[i].write ? POLLOUT : kReadable;
  }
  int n = wait_for(fds, items.size(), timeout);
  int error = errno;
  for (size_t i = 0; i < items.size(); ++i) {
    auto& item = items[i];
    // A host that cannot poll this must not keep the guest waiting for ever.
    item.ready = n < 0 ? error != EINTR : fds[i].revents != 0;
    item.hangup = n > 0 && (fds[i].revents & kGone) != 0;
    item.bytes = item.ready && !item.write ? readable_bytes(item.handle) : 1;
  }
}

Sys<uint64_t> LibcHost::clock_time(ClockId clock) {
  timespec t{};
  if (clock_gettime(host_clock(clock), &t) != 0) return last_error();
  return nanoseconds(t);
}

Sys<uint64_t> LibcHost::clock_resolution(ClockId clock) {
  timespec t{};
  if (clock_getres(host_clock(clock), &t) != 0) return last_error();
  return nanoseconds(t);
}

void LibcHost::yield() { ::sched_yield(); }

Errno LibcHost::random(Buffer buffer) {
  constexpr size_t kMost = 256;  // of getentropy()
  while (buffer.size > 0) {
    size_t n = std::min(buffer.size, kMost);
    if (getentropy(buffer.data, n) != 0) return last_error();
    buffer.data += n;
    buffer.size -= n;
  }
  return Errno::Success;
}

}  // namespace chiwawa::wasi
