// libFuzzer target: any bytes as a module, taken as far as they go - decoded, validated, instantiated, run, taken apart
// in the middle and put together again. A problem that is not a crash (an error without a cause, a state that cannot be
// restored) ends the process, too.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "hostile/hostile_modules.hpp"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace chiwawa::hostile;
  Tally tally;
  Random random = random_of({data, size});  // where the machine stops
  try_module(Bytes(data, data + size), "fuzzed module", random, tally);
  for (const std::string& problem : tally.problems) std::fprintf(stderr, "%s\n", problem.c_str());
  if (!tally.problems.empty()) std::abort();
  return 0;
}
