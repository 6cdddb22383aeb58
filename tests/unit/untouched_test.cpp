// What the system says of a memory that a guest has hardly touched.
#include <catch2/catch_test_macros.hpp>

#include "interp/linear_memory.hpp"
#include "snapshot/untouched.hpp"

using namespace chiwawa;

TEST_CASE("Touched pages are never taken for untouched ones", "[snapshot][blocks]") {
  constexpr size_t kBlock = 4096, kTouched[] = {0, 7 * kBlock, (300u << 20) + 5 * kBlock};
  LinearMemory memory;
  REQUIRE(memory.grow_to(1u << 29));
  for (const size_t at : kTouched) memory.data()[at + 9] = 1;
  snapshot::UntouchedPages untouched;
  for (const size_t at : kTouched) {
    CHECK_FALSE(untouched.contain(memory.data() + at, kBlock));
    // Also when it was asked for other pages before, and for a block that only ends there.
    static_cast<void>(untouched.contain(memory.data() + (400u << 20), kBlock));
    CHECK_FALSE(untouched.contain(memory.data() + at, kBlock));
    if (at != 0) CHECK_FALSE(untouched.contain(memory.data() + at - kBlock / 2, kBlock));
  }
#if defined(__linux__)
  // (The system may have given more than one page at a time around the touched ones.)
  size_t found = 0;
  for (size_t at = 0; at < memory.size_bytes(); at += kBlock) found += untouched.contain(memory.data() + at, kBlock);
  CHECK(found > memory.size_bytes() / kBlock / 2);
#endif
  // What was touched later is seen by the next that asks.
  memory.data()[200u << 20] = 1;
  CHECK_FALSE(snapshot::UntouchedPages().contain(memory.data() + (200u << 20), kBlock));
}
