// random_get.
#include "wasi/functions.hpp"

namespace chiwawa::wasi::preview1 {

Answer random_get(Call& call, uint32_t buf, uint32_t buf_len) {
  if (!call.memory.has(buf, buf_len)) return Errno::Fault;
  return call.wasi.os->random({call.memory.at(buf), buf_len});
}

}  // namespace chiwawa::wasi::preview1
