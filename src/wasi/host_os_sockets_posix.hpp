// Sockets of native builds.
#pragma once

#include "wasi/host_os_libc.hpp"

namespace chiwawa::wasi {

class PosixSockets : public LibcHost {
 public:
  Sys<Handle> listen(const std::string& address) override;
  Sys<Handle> inherited_listener(int number) override;
  std::string listening_on(Handle listener) override;
  Sys<Handle> accept(Handle listener) override;
  Sys<size_t> receive(Handle socket, std::span<const Buffer> buffers, bool peek) override;
  Sys<size_t> send(Handle socket, std::span<const Buffer> buffers) override;
  Errno shut_down(Handle socket, bool read, bool write) override;
};

}  // namespace chiwawa::wasi
