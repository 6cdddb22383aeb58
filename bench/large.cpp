// How the time for large modules grows with their size: the last lines of each shape say how long a byte takes, and how
// far the times are from that (RMS): some tens of percent are the caches, more is not linear.
#include <benchmark/benchmark.h>

#include "interp/decode.hpp"
#include "interp/instantiate.hpp"
#include "interp/machine.hpp"
#include "interp/validate.hpp"
#include "large_modules.hpp"

namespace {

using namespace chiwawa;

/// From the bytes to the end of the first function.
void load_and_run(benchmark::State& state, const test::LargeShape& shape) {
  const std::vector<uint8_t> bytes = shape.make(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    auto module = decode(bytes);
    if (!module || !validate(*module)) {
      state.SkipWithError("the module is refused");
      break;
    }
    Store store;
    const auto made = instantiate(store, std::make_shared<const Module>(std::move(*module)), {});
    Machine machine(store);
    if (!made || !machine.invoke(FuncAddr{0}, {}) || machine.run().kind != Outcome::Kind::Finished) {
      state.SkipWithError("it does not run");
      break;
    }
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * static_cast<int64_t>(bytes.size())));
  state.SetComplexityN(static_cast<int64_t>(bytes.size()));
}

const bool registered = [] {
  for (const test::LargeShape& shape : test::large_shapes()) {
    benchmark::RegisterBenchmark(("large/" + std::string(shape.name)).c_str(), load_and_run, shape)
        ->RangeMultiplier(4)
        ->Range(1 << 18, 1 << 22)
        ->Unit(benchmark::kMillisecond)
        ->Complexity(benchmark::oN);
  }
  return true;
}();

}  // namespace
