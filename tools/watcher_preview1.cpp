#include "watcher_preview1.hpp"

#ifdef CHIWAWA_WATCHER

#include <wasi/api.h>
#include <wasi/libc-find-relpath.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

// The C library here is the one for programs with a single thread, so the second one calls none of it: it has a stack
// of its own, reads what the first has prepared before it started, and both talk through one word.

namespace {

constexpr size_t kStackSize = 16384;
constexpr size_t kMaxPath = 4096;
/// Between two looks. Nanoseconds.
constexpr int64_t kInterval = 10'000'000;

enum State : int32_t { kLooking, kSeen };

struct Watcher {
  char* stack_top;  // first: wasi_thread_start reads it
  __wasi_fd_t directory;
  char path[kMaxPath];
  int32_t state;
  alignas(16) char stack[kStackSize];
};
Watcher watcher;

bool file_is_there() {
  __wasi_filestat_t status;  // of the library, this wrapper of the host's function only measures the path
  return __wasi_path_filestat_get(watcher.directory, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, watcher.path, &status) == 0;
}

}  // namespace

extern "C" {

/// Starts an instance of this module in a thread, which calls wasi_thread_start(its number, `argument`). Negative: it
/// cannot.
[[clang::import_module("wasi"), clang::import_name("thread-spawn")]] int32_t wasi_thread_spawn(void* argument);

/// Never returns: the thread ends with the process.
[[noreturn]] void chiwawa_watch() {
  for (;;) {
    if (__atomic_load_n(&watcher.state, __ATOMIC_ACQUIRE) == kLooking && file_is_there()) {
      __atomic_store_n(&watcher.state, kSeen, __ATOMIC_RELEASE);
    }
    // Sleeps while the state stays what it is now; whoever changes it to kLooking need not hurry.
    const int32_t state = __atomic_load_n(&watcher.state, __ATOMIC_ACQUIRE);
    __builtin_wasm_memory_atomic_wait32(&watcher.state, state, kInterval);
  }
}

}  // extern "C"

// A new instance begins with the stack pointer of the first: before anything else it gets its own.
asm(R"(
  .globaltype __stack_pointer, i32
  .functype chiwawa_watch () -> ()
  .globl wasi_thread_start
  .type wasi_thread_start,@function
  .export_name wasi_thread_start, wasi_thread_start
wasi_thread_start:
  .functype wasi_thread_start (i32, i32) -> ()
  local.get 1
  i32.load 0
  global.set __stack_pointer
  call chiwawa_watch
  end_function
)");

namespace chiwawa::tools {

bool start_watcher(const char* path) {
  const char* prefix = nullptr;
  char* relative = watcher.path;
  const int directory = __wasilibc_find_relpath(path, &prefix, &relative, kMaxPath);
  if (directory < 0 || std::strlen(relative) >= kMaxPath) return false;
  std::memmove(watcher.path, relative, std::strlen(relative) + 1);
  watcher.directory = static_cast<__wasi_fd_t>(directory);
  watcher.stack_top = watcher.stack + kStackSize;
  return wasi_thread_spawn(&watcher) > 0;
}

bool watcher_sees_file() { return __atomic_load_n(&watcher.state, __ATOMIC_ACQUIRE) == kSeen; }

void let_watcher_go_on() { __atomic_store_n(&watcher.state, kLooking, __ATOMIC_RELEASE); }

}  // namespace chiwawa::tools

#endif  // CHIWAWA_WATCHER
