#include "wasi/host_os_sockets_posix.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>

namespace chiwawa::wasi {
namespace {

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0  // SIGPIPE is ignored in any case
#endif

constexpr int kBacklog = 128;

msghdr message_of(const iovec* buffers, size_t count) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(buffers);
  message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(count);
  return message;
}

bool set_flag(int fd, int get, int set, int flag) {
  const int flags = fcntl(fd, get);
  return flags >= 0 && fcntl(fd, set, flags | flag) == 0;
}

/// A socket of ours never waits, nor do our children get it.
bool prepare(int fd) {
  return set_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK) && set_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC);
}

/// The socket, or the error; `fd` is closed then.
Sys<Handle> kept_if(bool good, int fd) {
  if (good) return Handle{fd};
  const Errno error = last_error();
  ::close(fd);
  return error;
}

Sys<Handle> listen_at(const addrinfo& address) {
  const int fd = socket(address.ai_family, address.ai_socktype, address.ai_protocol);
  if (fd < 0) return last_error();
  const int on = 1;
  return kept_if(prepare(fd) && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                     bind(fd, address.ai_addr, address.ai_addrlen) == 0 && ::listen(fd, kBacklog) == 0,
                 fd);
}

}  // namespace

Sys<Handle> PosixSockets::listen(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return Errno::Inval;
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), address.c_str() + colon + 1, &wanted, &found) != 0) return Errno::Addrnotavail;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list(found, freeaddrinfo);
  Sys<Handle> result = Errno::Addrnotavail;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    result = listen_at(*each);
    if (result.ok()) break;
  }
  return result;
}

Sys<Handle> PosixSockets::inherited_listener(int number) {
  int listens = 0;
  socklen_t size = sizeof listens;
  if (getsockopt(number, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0) return last_error();
  if (listens == 0) return Errno::Notsock;
  // A copy, so that everything that listens is closed in the same way.
  const int fd = dup(number);
  if (fd < 0) return last_error();
  return kept_if(prepare(fd), fd);
}

std::string PosixSockets::listening_on(Handle listener) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (getsockname(listener, generic, &size) != 0) return {};
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (getnameinfo(generic, size, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0) return {};
  const bool v6 = address.ss_family == AF_INET6;
  return (v6 ? "[" : "") + std::string(host) + (v6 ? "]:" : ":") + port;
}

Sys<Handle> PosixSockets::accept(Handle listener) {
  const int fd = ::accept(listener, nullptr, nullptr);
  if (fd < 0) return last_error();
  return kept_if(prepare(fd), fd);
}

Sys<size_t> PosixSockets::receive(Handle socket, std::span<const Buffer> buffers, bool peek) {
  msghdr message = message_of(as_iovecs(buffers), buffers.size());
  return transferred(recvmsg(socket, &message, MSG_DONTWAIT | (peek ? MSG_PEEK : 0)));
}

Sys<size_t> PosixSockets::send(Handle socket, std::span<const Buffer> buffers) {
  const msghdr message = message_of(as_iovecs(buffers), buffers.size());
  return transferred(sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL));
}

Errno PosixSockets::shut_down(Handle socket, bool read, bool write) {
  const int how = read && write ? SHUT_RDWR : read ? SHUT_RD : SHUT_WR;
  return shutdown(socket, how) == 0 ? Errno::Success : last_error();
}

}  // namespace chiwawa::wasi
