// Whole snapshots in memory: to make one of a chain, and to write one again.
#pragma once

#include <string>

#include "interp/result.hpp"
#include "snapshot/stream.hpp"

namespace chiwawa::snapshot {

/// Writes the snapshot `path`, which may be an increment, with everything that it has from its bases, as one that needs
/// none. Name, time and embedded modules are kept. Needs as much memory as the guest. Phase::Snapshot, Phase::Io.
Result<void> flatten(Sink& sink, const std::string& path);

/// Reads the snapshot `path`, writes it again (an increment with the same base) and compares: whatever was read must
/// give the same bytes. Phase::Snapshot with the offset of the first that differs. Needs as much memory as the guest.
Result<void> check_canonical(const std::string& path);

}  // namespace chiwawa::snapshot
