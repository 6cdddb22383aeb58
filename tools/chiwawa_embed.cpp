// chiwawa-embed.wasm: chiwawa for a program around it that has an event loop, such as a page in a browser. It takes the
// same command line, through WASI, but runs in slices of a few milliseconds: between them whoever embeds it can let
// events happen, ask for a checkpoint, or wait. js/ is built on it.
//
// A reactor: `_initialize` comes first, then begin() once, then proceed() until it returns a number from 0 on.
#include <wasi/api.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <vector>

#include "guest_run.hpp"
#include "open_session.hpp"
#include "options.hpp"
#include "report.hpp"

namespace chiwawa::tools {
namespace {

/// What begin() and proceed() return beside exit codes.
enum Progress : int32_t {
  kGoesOn = -1,
  kWaits = -2,    ///< for time or input; proceed() again after a few milliseconds, or when there is input
  kStopped = -3,  ///< the checkpoint is written, and the run over
};

struct Embedded {
  Options options;
  std::unique_ptr<Session> session;
  std::optional<GuestRun> run;
};

/// There is one, from begin() to the end of the instance.
Embedded& embedded() {
  static Embedded it;
  return it;
}

/// The command line; empty if the embedder gives none.
std::vector<char*> arguments() {
  size_t count = 0;
  size_t size = 0;
  if (__wasi_args_sizes_get(&count, &size) != 0) return {};
  static std::vector<uint8_t> text;
  static std::vector<uint8_t*> words;
  text.resize(size);
  words.resize(count);
  if (__wasi_args_get(words.data(), text.data()) != 0) return {};
  std::vector<char*> result;
  for (uint8_t* word : words) result.push_back(reinterpret_cast<char*>(word));
  return result;
}

int32_t ended(int code) {
  std::fflush(nullptr);
  return code;
}

}  // namespace
}  // namespace chiwawa::tools

using namespace chiwawa::tools;

extern "C" {

/// Reads the command line and the module or snapshot that it names: kGoesOn, or the exit code.
[[clang::export_name("begin")]] int32_t chiwawa_begin() {
  const std::vector<char*> words = arguments();
  std::variant<Options, int> parsed = parse_options(static_cast<int>(words.size()), words.data());
  if (const int* code = std::get_if<int>(&parsed)) return ended(*code);
  Embedded& it = embedded();
  it.options = std::move(*std::get_if<Options>(&parsed));
  // The guest must be left after each slice, whether or not the trigger file is used.
  it.options.checkpoints = true;
  std::variant<std::unique_ptr<Session>, int> session = open_session(it.options);
  if (const int* code = std::get_if<int>(&session)) return ended(*code);
  it.session = std::move(*std::get_if<std::unique_ptr<Session>>(&session));
  it.run.emplace(*it.session, it.options);
  return kGoesOn;
}

/// One slice: kGoesOn, kWaits, kStopped, or the exit code.
[[clang::export_name("proceed")]] int32_t chiwawa_proceed() {
  GuestRun& run = *embedded().run;
  const std::optional<int> code = run.proceed();
  run.leave();
  if (code) return ended(run.stopped() ? kStopped : *code);
  return run.waits() ? kWaits : kGoesOn;
}

/// Asks for a checkpoint, which the next slice writes to --checkpoint-file.
[[clang::export_name("ask")]] void chiwawa_ask() { embedded().run->ask(); }

/// The bytes of all the guest's memories.
[[clang::export_name("memory_size")]] double chiwawa_memory_size() {
  double sum = 0;
  for (const auto& memory : embedded().session->store().memories)
    sum += static_cast<double>(memory->memory.size_bytes());
  return sum;
}

}  // extern "C"
