// sock_*. Sockets come from the embedder, listening; a guest can only accept connections. Each call first waits until
// the host can do it at once: when the wait is given up for a checkpoint nothing has been taken or given.
#include <utility>

#include "wasi/transfer.hpp"

namespace chiwawa::wasi {
namespace {

Errno connection_problem(const Descriptor& socket) {
  if (socket.kind != DescriptorKind::Connection) return Errno::Notconn;
  return socket.is_reset() ? Errno::Connreset : Errno::Success;
}

/// Does `step` as soon as the socket is ready. It may find that it is not, after all: Again.
template <typename Step>
Answer when_ready(Context& wasi, const Descriptor& socket, bool write, Step step) {
  for (;;) {
    auto ready = wasi.await_socket(socket, write);
    if (!ready) return Answer::wait();
    if (*ready != Errno::Success) return *ready;
    Answer answer = step();
    const bool again = answer.kind == HostResult::Kind::Return && answer.error == Errno::Again;
    if (!again || (socket.fdflags & fdflag::Nonblock) != 0) return answer;
    if (wasi.config.slice != 0) return Answer::wait();
  }
}

}  // namespace

Answer receive(Call& call, Descriptor& socket, uint32_t iovs, uint32_t count, uint32_t flags, uint32_t result) {
  Buffers whole;
  uint32_t next = 0;
  if (!whole.load(call.memory, iovs, count, next, kMaxTransfer)) return Errno::Fault;
  if (Errno e = connection_problem(socket); e != Errno::Success) return e;
  auto done = [&](size_t bytes) {
    call.memory.store<uint32_t>(result, static_cast<uint32_t>(bytes));
    return Errno::Success;
  };
  if (whole.bytes() == 0) return done(0);
  const bool peek = (flags & riflag::Peek) != 0;
  const bool all = (flags & riflag::Waitall) != 0 && !peek;
  // The buffers may be others than those that were waited for.
  if (!all || socket.received >= whole.bytes()) socket.received = 0;
  return when_ready(call.wasi, socket, false, [&]() -> Answer {
    Buffers rest = whole;
    if (socket.received > 0) rest.drop(socket.received);
    auto got = call.wasi.os->receive(socket.handle, rest.span(), peek);
    // An error after some bytes is told the next time.
    if (!got.ok() && (socket.received == 0 || got.error == Errno::Again)) return got.error;
    socket.received += got.value;
    const bool at_end = !got.ok() || got.value == 0;
    if (all && !at_end && socket.received < whole.bytes()) return Errno::Again;
    return done(std::exchange(socket.received, 0));
  });
}

Answer send(Call& call, Descriptor& socket, uint32_t iovs, uint32_t count, uint32_t result) {
  Buffers buffers;
  uint32_t next = 0;
  if (!buffers.load(call.memory, iovs, count, next, kMaxTransfer)) return Errno::Fault;
  if (Errno e = connection_problem(socket); e != Errno::Success) return e;
  return when_ready(call.wasi, socket, true, [&]() -> Answer {
    auto sent = call.wasi.os->send(socket.handle, buffers.span());
    if (!sent.ok()) return sent.error;
    call.memory.store<uint32_t>(result, static_cast<uint32_t>(sent.value));
    return Errno::Success;
  });
}

namespace preview1 {

Answer sock_accept(Call& call, uint32_t fd, uint32_t flags, uint32_t new_fd) {
  auto d = socket_descriptor(call, fd, right::SockAccept);
  if (!d.ok()) return d.error;
  if ((flags & ~uint32_t{fdflag::Nonblock}) != 0 || d.value->kind != DescriptorKind::Listener) return Errno::Inval;
  if (!call.memory.has(new_fd, 4)) return Errno::Fault;
  Descriptor connection;
  connection.kind = DescriptorKind::Connection;
  connection.type = Filetype::SocketStream;
  connection.can_block = true;
  connection.fdflags = static_cast<uint16_t>(flags);
  connection.rights_base = d.value->rights_inheriting;
  Context& wasi = call.wasi;
  const Answer answer = when_ready(wasi, *d.value, false, [&]() -> Answer {
    auto handle = wasi.os->accept(d.value->handle);
    // It was there, and has gone: wait for the next one.
    if (handle.error == Errno::Connaborted) return Errno::Again;
    connection.handle = handle.value;
    return handle.error;
  });
  if (answer.kind != HostResult::Kind::Return || answer.error != Errno::Success) return answer;
  const Handle handle = connection.handle;
  auto number = wasi.table.add(std::move(connection));
  if (!number.ok()) {
    wasi.os->close(handle);
    return number.error;
  }
  call.memory.store<uint32_t>(new_fd, number.value);
  return Errno::Success;
}

Answer sock_recv(Call& call, uint32_t fd, uint32_t ri_data, uint32_t ri_data_len, uint32_t ri_flags,
                 uint32_t ro_datalen, uint32_t ro_flags) {
  auto d = socket_descriptor(call, fd, right::FdRead);
  if (!d.ok()) return d.error;
  if ((ri_flags & ~riflag::All) != 0) return Errno::Inval;
  if (!check_transfer(call.memory, ri_data, ri_data_len, ro_datalen) || !call.memory.has(ro_flags, 2)) {
    return Errno::Fault;
  }
  const Answer answer = receive(call, *d.value, ri_data, ri_data_len, ri_flags, ro_datalen);
  if (answer.kind == HostResult::Kind::Return && answer.error == Errno::Success) {
    call.memory.store<uint16_t>(ro_flags, 0);
  }
  return answer;
}

Answer sock_send(Call& call, uint32_t fd, uint32_t si_data, uint32_t si_data_len, uint32_t si_flags,
                 uint32_t so_datalen) {
  auto d = socket_descriptor(call, fd, right::FdWrite);
  if (!d.ok()) return d.error;
  if (si_flags != 0) return Errno::Inval;  // there are none
  if (!check_transfer(call.memory, si_data, si_data_len, so_datalen)) return Errno::Fault;
  return send(call, *d.value, si_data, si_data_len, so_datalen);
}

Answer sock_shutdown(Call& call, uint32_t fd, uint32_t how) {
  auto d = socket_descriptor(call, fd, right::SockShutdown);
  if (!d.ok()) return d.error;
  if (how == 0 || (how & ~sdflag::All) != 0) return Errno::Inval;
  if (Errno e = connection_problem(*d.value); e != Errno::Success) return e;
  return call.wasi.os->shut_down(d.value->handle, (how & sdflag::Read) != 0, (how & sdflag::Write) != 0);
}

}  // namespace preview1
}  // namespace chiwawa::wasi
