// How fast modules are decoded, validated and compiled, and how large compiled code is.
#include <benchmark/benchmark.h>

#include "guest.hpp"
#include "interp/compile.hpp"

namespace {

using namespace chiwawa;

void set_bytes(benchmark::State& state, size_t bytes) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * static_cast<int64_t>(bytes)));
}

void decode(benchmark::State& state, const char* file) {
  const std::vector<uint8_t> bytes = bench::read_file(file);
  for (auto _ : state) {
    auto module = chiwawa::decode(bytes);
    if (!module) state.SkipWithError("the module is refused");
    benchmark::DoNotOptimize(module);
  }
  set_bytes(state, bytes.size());
}

void validate(benchmark::State& state, const char* file) {
  const std::vector<uint8_t> bytes = bench::read_file(file);
  const auto module = chiwawa::decode(bytes);
  for (auto _ : state) {
    if (!module || !chiwawa::validate(*module)) state.SkipWithError("the module is refused");
  }
  set_bytes(state, bytes.size());
}

void decode_and_validate(benchmark::State& state, const char* file) {
  const std::vector<uint8_t> bytes = bench::read_file(file);
  for (auto _ : state) {
    auto module = chiwawa::decode(bytes);
    if (!module || !chiwawa::validate(*module)) state.SkipWithError("the module is refused");
    benchmark::DoNotOptimize(module);
  }
  set_bytes(state, bytes.size());
}

/// A module's instance whose imported functions do nothing: enough to compile against.
const Instance& instantiate_with_stubs(Store& store, const std::vector<uint8_t>& bytes) {
  auto decoded = chiwawa::decode(bytes);
  if (!decoded || !chiwawa::validate(*decoded)) std::abort();
  const auto module = std::make_shared<const Module>(std::move(*decoded));
  std::vector<Extern> imports;
  for (const Import& import : module->imports) {
    if (import.kind != ExternKind::Func) std::abort();
    imports.push_back({ExternKind::Func, raw(store.add_host_function(
                                             {import.module, import.name, module->function_type(import.index)}))});
  }
  const auto made = chiwawa::instantiate(store, module, imports);
  if (!made) std::abort();
  return *made->instance;
}

/// All functions, as the first call of each would. Bytes per second are those of the functions' Wasm code; `size` is
/// how many bytes of code one of them becomes.
void compile(benchmark::State& state, const char* file, CompileOptions options) {
  Store store;
  store.compile_options = options;
  const Instance& instance = instantiate_with_stubs(store, bench::read_file(file));
  const Module& module = *instance.module;
  size_t wasm_bytes = 0, code_bytes = 0;
  for (auto _ : state) {
    wasm_bytes = code_bytes = 0;
    for (uint32_t index = module.imported_functions; index < instance.funcs.size(); ++index) {
      Code code = store[instance.funcs[index]].code;  // not compiled yet
      chiwawa::compile(store, code);
      wasm_bytes += module.body(index).code.size();
      code_bytes += code.storage.size() * sizeof code.storage[0];
    }
  }
  set_bytes(state, wasm_bytes);
  state.counters["size"] = static_cast<double>(code_bytes) / static_cast<double>(wasm_bytes);
}

#define CHIWAWA_LOADING(what)                                              \
  BENCHMARK_CAPTURE(what, lua, "lua.wasm")->Unit(benchmark::kMillisecond); \
  BENCHMARK_CAPTURE(what, sqlite3, "sqlite3.wasm")->Unit(benchmark::kMillisecond)

CHIWAWA_LOADING(decode);
CHIWAWA_LOADING(validate);
CHIWAWA_LOADING(decode_and_validate);
BENCHMARK_CAPTURE(compile, lua, "lua.wasm", CompileOptions{})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(compile, sqlite3, "sqlite3.wasm", CompileOptions{})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(compile, sqlite3_polls, "sqlite3.wasm", CompileOptions{.polls = true})->Unit(benchmark::kMillisecond);

}  // namespace
