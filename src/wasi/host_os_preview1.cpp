// The operating system of wasm builds: another runtime's preview1, through wasi-libc. That runtime does the confining;
// it is told the directory and the path as the guest named them.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <wasi/api.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "wasi/host_os_libc.hpp"

namespace chiwawa::wasi {
namespace {

/// What POSIX hosts follow before they say ELOOP.
constexpr int kMaxLinks = 40;

/// Whether the path's `..` lead out of its directory, counted without looking at symbolic links.
bool climbs_out(const std::string& path) {
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

class Preview1Host final : public LibcHost {
 public:
  Sys<Handle> open(Handle dir, const std::string& path, const OpenOptions& options) override {
    OpenOptions here = options;
    // POSIX says nothing about truncating what is opened for reading, and hosts differ.
    if (here.truncate) here.read = here.write = true;
    // Node follows a link at the end also when it is told not to.
    if (!here.follow) {
      auto named = stat_at(dir, path, false);
      if (named.ok() && named.value.type == Filetype::SymbolicLink) {
        if (here.create && here.exclusive) return Errno::Exist;
        return here.directory ? Errno::Notdir : Errno::Loop;
      }
    }
    return LibcHost::open(dir, path, here);
  }

  Sys<size_t> read_link(Handle dir, const std::string& path, Buffer buffer) override {
    // Node refuses a buffer that is too small for all of it.
    std::array<uint8_t, 4096> whole;
    if (buffer.size >= whole.size()) return LibcHost::read_link(dir, path, buffer);
    auto used = LibcHost::read_link(dir, path, {whole.data(), whole.size()});
    if (!used.ok()) return used;
    size_t n = std::min(used.value, buffer.size);
    std::copy_n(whole.data(), n, buffer.data);
    return n;
  }

  // There is no way to ask whether it listens: accept() will say.
  Sys<Handle> inherited_listener(int number) override {
    auto s = stat(number);
    if (!s.ok()) return s.error;
    return s.value.type == Filetype::SocketStream ? Sys<Handle>(number) : Sys<Handle>(Errno::Notsock);
  }

  Sys<Handle> accept(Handle listener) override {
    __wasi_fd_t fd = 0;
    if (auto e = __wasi_sock_accept(static_cast<__wasi_fd_t>(listener), __WASI_FDFLAGS_NONBLOCK, &fd); e != 0) {
      return static_cast<Errno>(e);
    }
    return static_cast<Handle>(fd);
  }

  Sys<size_t> receive(Handle socket, std::span<const Buffer> buffers, bool peek) override {
    __wasi_size_t bytes = 0;
    __wasi_roflags_t flags = 0;
    const auto e =
        __wasi_sock_recv(static_cast<__wasi_fd_t>(socket), iovecs<const __wasi_iovec_t>(buffers), buffers.size(),
                         peek ? __WASI_RIFLAGS_RECV_PEEK : __wasi_riflags_t{}, &bytes, &flags);
    return e == 0 ? Sys<size_t>(bytes) : Sys<size_t>(static_cast<Errno>(e));
  }

  Sys<size_t> send(Handle socket, std::span<const Buffer> buffers) override {
    __wasi_size_t bytes = 0;
    const auto e = __wasi_sock_send(static_cast<__wasi_fd_t>(socket), iovecs<const __wasi_ciovec_t>(buffers),
                                    buffers.size(), 0, &bytes);
    return e == 0 ? Sys<size_t>(bytes) : Sys<size_t>(static_cast<Errno>(e));
  }

  Errno shut_down(Handle socket, bool read, bool write) override {
    const auto how = (read ? __WASI_SDFLAGS_RD : 0) | (write ? __WASI_SDFLAGS_WR : 0);
    return static_cast<Errno>(
        __wasi_sock_shutdown(static_cast<__wasi_fd_t>(socket), static_cast<__wasi_sdflags_t>(how)));
  }

 protected:
  /// Buffers as the host's iovecs: these have the same layout.
  template <typename T>
  static T* iovecs(std::span<const Buffer> buffers) {
    static_assert(sizeof(T) == sizeof(Buffer) && offsetof(T, buf) == offsetof(Buffer, data) &&
                  offsetof(T, buf_len) == offsetof(Buffer, size));
    return reinterpret_cast<T*>(buffers.data());
  }

  Sys<Handle> open_beneath(Handle dir, const std::string& path, int flags, mode_t mode) override {
    std::string plain;
    const Last last = (flags & O_NOFOLLOW) != 0 ? Last::NoFollow : Last::Follow;
    if (Errno e = confine(dir, path, last, plain); e != Errno::Success) return e;
    return opened(openat(dir, plain.c_str(), flags, mode));
  }

  Errno find(Handle dir, const std::string& path, Last last, Place& place) override {
    place.dir = dir;
    return confine(dir, path, last, place.name);
  }

  /// The path as the host gets it: with every symbolic link replaced by what it names, unless there are none. Our
  /// guest's directory may be inside one of the host's, so its edge is not only the host's to watch; and Node lets
  /// links in the middle of a path lead anywhere. (Against somebody who changes links meanwhile only the host can
  /// help.)
  static Errno confine(Handle dir, const std::string& path, Last last, std::string& plain) {
    if (is_absolute(path) || climbs_out(path)) return Errno::Notcapable;
    std::string rest = path;
    std::vector<size_t> begins;  // of the components in `plain`
    int links = 0;
    plain.clear();
    for (size_t at = 0; at < rest.size();) {
      const size_t end = std::min(rest.find('/', at), rest.size());
      const size_t next = std::min(rest.find_first_not_of('/', end), rest.size());
      const std::string_view name(rest.data() + at, end - at);
      if (name == "..") {
        if (begins.empty()) return Errno::Notcapable;
        plain.resize(begins.back());
        begins.pop_back();
      } else if (name != ".") {
        const size_t begin = plain.size();
        if (!plain.empty()) plain += '/';
        plain += name;
        const bool is_last = next == rest.size();
        const bool slash = end != rest.size();
        if (!is_last || last == Last::Follow || (slash && last == Last::NoFollow)) {
          char target[4096];
          const ssize_t n = readlinkat(dir, plain.c_str(), target, sizeof target);
          if (n >= 0) {
            if (++links > kMaxLinks) return Errno::Loop;
            if (n == 0) return Errno::Noent;
            if (static_cast<size_t>(n) == sizeof target || rest.size() > 2 * sizeof target) return Errno::Nametoolong;
            if (target[0] == '/') return Errno::Notcapable;
            plain.resize(begin);
            rest = std::string(target, static_cast<size_t>(n)) + rest.substr(end);
            at = 0;
            continue;
          }
          if (!is_last && errno != EINVAL) return last_error();
        }
        begins.push_back(begin);
      }
      at = next;
    }
    if (links == 0) {
      plain = path;
    } else if (plain.empty()) {
      plain = ".";
    } else if (rest.ends_with('/')) {
      plain += '/';
    }
    return Errno::Success;
  }

  bool leaves_last_link() const override { return true; }

  clockid_t host_clock(ClockId clock) override {
    return clock == ClockId::Realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC;  // it has no others
  }

  void sleep(uint64_t ns) override {
    timespec t = to_timespec(ns);
    clock_nanosleep(CLOCK_MONOTONIC, 0, &t, nullptr);
  }

  int wait_for(pollfd* fds, size_t count, uint64_t ns) override {
    uint64_t ms = std::min<uint64_t>(ns / 1'000'000 + (ns % 1'000'000 != 0), INT32_MAX);
    return ::poll(fds, count, ns == kForever ? -1 : static_cast<int>(ms));
  }

  uint64_t readable_bytes(Handle) override { return 1; }
};

}  // namespace

std::unique_ptr<HostOs> system_host(bool) { return std::make_unique<Preview1Host>(); }

}  // namespace chiwawa::wasi
