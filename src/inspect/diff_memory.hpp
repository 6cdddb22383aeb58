// The memory half of a diff.
#pragma once

#include <vector>

#include "inspect/diff.hpp"

namespace chiwawa::inspect {

/// Appends one entry for each memory that either side has. Errors as diff().
Result<void> diff_memories(const Subject& a, const Subject& b, const DiffOptions& options,
                           std::vector<MemoryChanges>& memories, int& which);

}  // namespace chiwawa::inspect
