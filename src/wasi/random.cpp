// random_get.
#include "wasi/functions.hpp"

namespace chiwawa::wasi::preview1 {

Answer random_get(Call& call, uint32_t buf, uint32_t buf_len) {
  if (!call.memory.has(buf, buf_len)) return Errno::Fault;
  if (call.wasi.deterministic) {
    call.wasi.deterministic->fill({call.memory.at(buf), buf_len});
    return Errno::Success;
  }
  return call.wasi.os->random({call.memory.at(buf), buf_len});
}

}  // namespace chiwawa::wasi::preview1
