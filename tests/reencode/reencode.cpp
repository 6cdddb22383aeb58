// Reads snapshots, writes them again, and compares: the scripts call it for every snapshot that they make.
//
//     reencode FILE...
#include <cstdio>

#include "snapshot/flatten.hpp"

int main(int argc, char** argv) {
  int failed = 0;
  for (int i = 1; i < argc; ++i) {
    const chiwawa::Result<void> result = chiwawa::snapshot::check_canonical(argv[i]);
    if (result) continue;
    ++failed;
    std::fprintf(stderr, "%s: %s\n", argv[i], chiwawa::describe(result.error()).c_str());
  }
  return failed == 0 ? 0 : 1;
}
