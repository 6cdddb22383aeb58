// Two snapshots -> ordered differences.
#pragma once

#include <string>
#include <vector>

#include "interp/result.hpp"
#include "snapshot/describe.hpp"
#include "snapshot/read.hpp"

namespace chiwawa::snapshot {

/// What differs in one part of the state ("stack", "globals", "memory 0", …), in words: one line each, at most
/// kMaxDetails of them, and a last one that counts the rest.
struct Difference {
  static constexpr size_t kMaxDetails = 16;

  std::string part;
  std::vector<std::string> details;
};

/// Compares two snapshots that were just opened, reads both to their ends and checks them. The differences come in the
/// order in which a person wants to know them: program, stack, globals, tables, segments, memories, WASI. Empty: the
/// states are equal (writers may differ). With Reader::seek_over(), blocks with equal hashes are not read. Bases are
/// looked for from the folders on. Errors as Reader; `which` is set to 0 or 1, for the snapshot that they are of.
Result<std::vector<Difference>> diff(Reader& a, Reader& b, const Names& names_a, const Names& names_b, int& which,
                                     const std::string& folder_a = ".", const std::string& folder_b = ".");

/// The same as text, for people.
std::string print(const std::vector<Difference>& differences);

}  // namespace chiwawa::snapshot
