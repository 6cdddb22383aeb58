// What it costs to be stoppable while nobody asks. Each iteration runs the same call on an ordinary machine and on one
// that polls or counts, in turn, so that their ratio holds while the computer's speed drifts.
#include <algorithm>
#include <chrono>

#include <benchmark/benchmark.h>

#include "guest.hpp"

namespace {

using chiwawa::CompileOptions;
using chiwawa::Dispatch;
using chiwawa::ValType;
using chiwawa::Value;

double seconds(bench::Guest& guest, Value argument) {
  const auto began = std::chrono::steady_clock::now();
  benchmark::DoNotOptimize(guest.call(argument));
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

void compare(benchmark::State& state, const char* file, const char* function, Value argument, CompileOptions options,
             Dispatch dispatch) {
  bench::Guest off(file, function, {}, dispatch);
  bench::Guest on(file, function, options, dispatch);
  std::vector<double> ratios;
  for (auto _ : state) {
    // The order alternates: whoever comes second must not profit.
    const bool first = ratios.size() % 2 == 0;
    const double a = seconds(first ? off : on, argument);
    const double b = seconds(first ? on : off, argument);
    ratios.push_back(first ? b / a : a / b);
  }
  state.counters["ratio"] = median(std::move(ratios));
}

constexpr CompileOptions kPolls = {.polls = true, .exact = false};
constexpr CompileOptions kExact = {.polls = false, .exact = true};
constexpr Value kDepth = {ValType::I32, 24};
constexpr Value kRounds = {ValType::I64, 2'000'000};

#define CHIWAWA_COMPARE(name, file, function, argument, options, dispatch)      \
  BENCHMARK_CAPTURE(compare, name, file, function, argument, options, dispatch) \
      ->Iterations(101)                                                         \
      ->Unit(benchmark::kMillisecond)

#if CHIWAWA_DISPATCH_LOOP
CHIWAWA_COMPARE(recursion_polls_loop, "wat/fib.wasm", "fib", kDepth, kPolls, Dispatch::Loop);
CHIWAWA_COMPARE(tight_loop_polls_loop, "wat/spin.wasm", "spin", kRounds, kPolls, Dispatch::Loop);
CHIWAWA_COMPARE(recursion_exact_loop, "wat/fib.wasm", "fib", kDepth, kExact, Dispatch::Loop);
CHIWAWA_COMPARE(tight_loop_exact_loop, "wat/spin.wasm", "spin", kRounds, kExact, Dispatch::Loop);
#endif
#if CHIWAWA_DISPATCH_TAIL
CHIWAWA_COMPARE(recursion_polls_tail, "wat/fib.wasm", "fib", kDepth, kPolls, Dispatch::Tail);
CHIWAWA_COMPARE(tight_loop_polls_tail, "wat/spin.wasm", "spin", kRounds, kPolls, Dispatch::Tail);
CHIWAWA_COMPARE(recursion_exact_tail, "wat/fib.wasm", "fib", kDepth, kExact, Dispatch::Tail);
CHIWAWA_COMPARE(tight_loop_exact_tail, "wat/spin.wasm", "spin", kRounds, kExact, Dispatch::Tail);
#endif

}  // namespace
