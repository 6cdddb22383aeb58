// sock_*. Nothing that a guest can have open here is a socket.
#include "wasi/functions.hpp"

namespace chiwawa::wasi::preview1 {
namespace {
Errno not_a_socket(Call& call, uint32_t fd) {
  return call.wasi.table.find(fd) == nullptr ? Errno::Badf : Errno::Notsock;
}
}  // namespace

Answer sock_accept(Call& call, uint32_t fd, uint32_t /*flags*/, uint32_t /*new_fd*/) { return not_a_socket(call, fd); }

Answer sock_recv(Call& call, uint32_t fd, uint32_t /*ri_data*/, uint32_t /*ri_data_len*/, uint32_t /*ri_flags*/,
                 uint32_t /*ro_datalen*/, uint32_t /*ro_flags*/) {
  return not_a_socket(call, fd);
}

Answer sock_send(Call& call, uint32_t fd, uint32_t /*si_data*/, uint32_t /*si_data_len*/, uint32_t /*si_flags*/,
                 uint32_t /*so_datalen*/) {
  return not_a_socket(call, fd);
}

Answer sock_shutdown(Call& call, uint32_t fd, uint32_t how) {
  if ((how & ~3u) != 0) return Errno::Inval;
  return not_a_socket(call, fd);
}

}  // namespace chiwawa::wasi::preview1
