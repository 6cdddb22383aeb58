// Modules of 20 MB and functions of 1 MB are decoded, validated, compiled and run in time proportional to their size.
// The test has no clock: tests/CMakeLists.txt runs it with a time limit fifty times what it takes. What is done for
// every pair of bytes of such a function would be done 10^12 times, and not meet it; that clearing memory grows with
// the square it would not notice, `bench_micro --benchmark_filter=large` does (bench/large.cpp).
#include <catch2/catch_test_macros.hpp>

#include "interp/compile.hpp"
#include "large_modules.hpp"
#include "unit/first_function_call.hpp"

using namespace chiwawa;
using namespace chiwawa::test;

namespace {

/// Counts what is reported: with it, compilation takes as long as for a snapshot.
struct Counter : CompileObserver {
  size_t instructions = 0;
  void instruction(uint32_t, uint32_t, std::span<const StackEntry>) override { ++instructions; }
};

void take_all_the_way(Bytes bytes, const MachineKind& kind) {
  FirstFunctionCall call(std::move(bytes), kind);
  CHECK(call.outcome.kind == Outcome::Kind::Finished);
  Counter counter;
  static_cast<void>(observe(call.store, call.store[FuncAddr{0}].code, counter));
}

}  // namespace

TEST_CASE("Large modules take time in proportion", "[.large]") {
  for (const LargeShape& shape : large_shapes()) {
    INFO(shape.name);
    for (const MachineKind& kind : all_machines()) {
      if (kind.dispatch != default_dispatch() || kind.options.polls) continue;
      INFO(kind.name());
      take_all_the_way(shape.make(1'000'000), kind);
    }
  }
}

TEST_CASE("A module of 20 MB takes time in proportion", "[.large]") {
  take_all_the_way(large::many_functions(20'000'000), {default_dispatch(), {}});
}
