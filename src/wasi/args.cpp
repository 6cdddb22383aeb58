// args_*, environ_*.
#include <string>
#include <vector>

#include "wasi/functions.hpp"

namespace chiwawa::wasi::preview1 {
namespace {

/// Bytes of all strings, each with its final zero.
uint64_t total_size(const std::vector<std::string>& strings) {
  uint64_t size = 0;
  for (const auto& s : strings) size += s.size() + 1;
  return size;
}

Answer sizes_get(Call& call, const std::vector<std::string>& strings, uint32_t count, uint32_t size) {
  if (!call.memory.has(count, 4) || !call.memory.has(size, 4)) return Errno::Fault;
  if (total_size(strings) > UINT32_MAX) return Errno::Overflow;
  call.memory.store<uint32_t>(count, static_cast<uint32_t>(strings.size()));
  call.memory.store<uint32_t>(size, static_cast<uint32_t>(total_size(strings)));
  return Errno::Success;
}

Answer get(Call& call, const std::vector<std::string>& strings, uint32_t pointers, uint32_t bytes) {
  if (!call.memory.has(pointers, uint64_t{strings.size()} * 4) || !call.memory.has(bytes, total_size(strings))) {
    return Errno::Fault;
  }
  for (const auto& s : strings) {
    call.memory.store<uint32_t>(pointers, bytes);
    call.memory.store_text(bytes, {s.data(), s.size() + 1});
    pointers += 4;
    bytes += static_cast<uint32_t>(s.size() + 1);
  }
  return Errno::Success;
}

}  // namespace

Answer args_get(Call& call, uint32_t argv, uint32_t argv_buf) {
  return get(call, call.wasi.config.args, argv, argv_buf);
}

Answer args_sizes_get(Call& call, uint32_t argc, uint32_t argv_buf_size) {
  return sizes_get(call, call.wasi.config.args, argc, argv_buf_size);
}

Answer environ_get(Call& call, uint32_t environ, uint32_t environ_buf) {
  return get(call, call.wasi.config.environ, environ, environ_buf);
}

Answer environ_sizes_get(Call& call, uint32_t count, uint32_t environ_buf_size) {
  return sizes_get(call, call.wasi.config.environ, count, environ_buf_size);
}

}  // namespace chiwawa::wasi::preview1
