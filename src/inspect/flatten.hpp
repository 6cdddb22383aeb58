// An increment and the snapshots that it builds on -> one snapshot that needs no others.
#pragma once

#include <string_view>

#include "inspect/subject.hpp"
#include "snapshot/stream.hpp"

namespace chiwawa::inspect {

/// Writes the same state without a base: byte for byte what a full snapshot at that place would have been, apart from
/// the header. Needs memory for the guest's memories. Errors as BlockStore::read and the sink's; Phase::Instantiate if
/// the host cannot give the memory.
Result<void> flatten(snapshot::Sink& sink, const Subject& subject, std::string_view writer);

}  // namespace chiwawa::inspect
