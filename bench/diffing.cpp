// Comparing two large snapshots that differ in few places, beside what it costs to read them whole.
#include <cstring>
#include <filesystem>
#include <string>

#include <benchmark/benchmark.h>

#include "guest.hpp"
#include "inspect/diff.hpp"
#include "inspect/open.hpp"
#include "interp/instantiate.hpp"
#include "snapshot/file.hpp"
#include "snapshot/write.hpp"

namespace {

using namespace chiwawa;

/// (module (memory 32768) (func (export "run") nop))
constexpr uint8_t kModule[] = {0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x04, 0x01, 0x60, 0x00, 0x00,
                               0x03, 0x02, 0x01, 0x00, 0x05, 0x05, 0x01, 0x00, 0x80, 0x80, 0x02, 0x07, 0x07, 0x01,
                               0x03, 0x72, 0x75, 0x6e, 0x00, 0x00, 0x0a, 0x05, 0x01, 0x03, 0x00, 0x01, 0x0b};
constexpr size_t kChangedPages = 10;

/// Two snapshots of a guest with 2 GiB of memory, every block of which holds something else, before and after ten
/// bytes, each in another block, have changed. The files are removed at the end.
class Snapshots {
 public:
  Snapshots() {
    auto decoded = decode({std::begin(kModule), std::end(kModule)});
    if (!decoded || !validate(*decoded)) return;
    const auto module = std::make_shared<const Module>(std::move(*decoded));
    Store store;
    store.compile_options.exact = true;
    auto made = instantiate(store, module, {});
    if (!made) return;
    const std::span<uint8_t> memory = store.memories[0]->memory.bytes();
    uint64_t random = 1;
    for (size_t at = 0; at < memory.size(); at += 4096) {
      for (size_t i = 0; i < 128; i += 8) {  // the rest of a block repeats it, so that the files are not too large
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::memcpy(&memory[at + i], &random, 8);
      }
      for (size_t i = 128; i < 4096; i += 128) std::memcpy(&memory[at + i], &memory[at], 128);
    }
    Machine machine(store);
    if (!machine.invoke(made->instance->funcs[0], {})) return;
    machine.run(0);
    bool written = save(store, machine, a);
    for (size_t i = 0; i < kChangedPages; ++i) memory[i * (memory.size() / kChangedPages) + 5] ^= 1;
    written = written && save(store, machine, b);
    ok = written;
  }
  ~Snapshots() {
    std::error_code ignored;
    for (const std::string& path : {a, b}) std::filesystem::remove(path, ignored);
  }

  std::string a = (std::filesystem::temp_directory_path() / "chiwawa-bench-a.bin").string();
  std::string b = (std::filesystem::temp_directory_path() / "chiwawa-bench-b.bin").string();
  bool ok = false;

 private:
  static bool save(const Store& store, Machine& machine, const std::string& path) {
    return static_cast<bool>(snapshot::publish(
        path, [&](snapshot::Sink& sink) { return snapshot::write(sink, store, machine.capture(), std::nullopt); }));
  }
};

const Snapshots& snapshots() {
  static const Snapshots made;
  return made;
}

void diff_2_gib_10_pages(benchmark::State& state) {
  const Snapshots& files = snapshots();
  if (!files.ok) state.SkipWithError("no snapshots could be made");
  for (auto _ : state) {
    inspect::OpenSnapshot a;
    inspect::OpenSnapshot b;
    int which = 0;
    if (!a.open(files.a, inspect::OpenSnapshot::Check::OnlyShown) ||
        !b.open(files.b, inspect::OpenSnapshot::Check::OnlyShown)) {
      state.SkipWithError("the snapshots are refused");
      break;
    }
    const auto differences = inspect::diff(a.subject(), b.subject(), {}, which);
    if (!differences || differences->memories[0].blocks.size() != kChangedPages) state.SkipWithError("wrong result");
  }
}

/// The peer: what a comparison that has no hashes must do at least.
void read_both_whole(benchmark::State& state) {
  const Snapshots& files = snapshots();
  if (!files.ok) state.SkipWithError("no snapshots could be made");
  for (auto _ : state) {
    for (const std::string& path : {files.a, files.b}) {
      snapshot::FileSource source;
      if (!source.open(path) || !snapshot::verify(source)) state.SkipWithError("the snapshots are refused");
    }
  }
}

BENCHMARK(diff_2_gib_10_pages)->Unit(benchmark::kMillisecond);
BENCHMARK(read_both_whole)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
