// A second thread that looks for the trigger file, in builds for hosts with wasi.thread-spawn.
// https://github.com/WebAssembly/wasi-threads
#pragma once

namespace chiwawa::tools {

/// Starts it, once. False if the host cannot, or if the path is in no directory that the host provides.
bool start_watcher(const char* path);
/// Whether it has seen the file. It does not look any more then.
bool watcher_sees_file();
/// After the file is gone: it looks again.
void let_watcher_go_on();

}  // namespace chiwawa::tools
