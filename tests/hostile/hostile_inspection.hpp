// What snapshot-inspect and snapshot-diff do with spoilt snapshots and modules.
#pragma once

#include <memory>

#include "hostile/tally.hpp"

namespace chiwawa::hostile {

/// Shows a snapshot in every view, as far as it can be opened, and compares it with a good one of the same program.
/// Returns a problem, or an empty text.
std::string look_at(const Bytes& file, const std::shared_ptr<const Module>& module, const Bytes& good);

/// Spoils the DWARF and name sections of the modules that have any, and asks for lines and names.
Tally spoil_debug_sections(const Corpus& corpus, size_t count, uint64_t seed);

}  // namespace chiwawa::hostile
