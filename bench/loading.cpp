// How fast modules are decoded and validated.
#include <benchmark/benchmark.h>

#include "guest.hpp"

namespace {

void decode_and_validate(benchmark::State& state, const char* file) {
  const std::vector<uint8_t> bytes = bench::read_file(file);
  for (auto _ : state) {
    auto module = chiwawa::decode(bytes);
    if (!module || !chiwawa::validate(*module)) state.SkipWithError("the module is refused");
    benchmark::DoNotOptimize(module);
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * static_cast<int64_t>(bytes.size())));
}

BENCHMARK_CAPTURE(decode_and_validate, lua, "lua.wasm")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(decode_and_validate, sqlite3, "sqlite3.wasm")->Unit(benchmark::kMillisecond);

}  // namespace
