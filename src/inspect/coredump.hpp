// A snapshot as a WebAssembly core dump, for debuggers that read these.
// https://github.com/WebAssembly/tool-conventions/blob/main/Coredump.md
#pragma once

#include "inspect/subject.hpp"
#include "snapshot/stream.hpp"

namespace chiwawa::inspect {

/// Writes a core dump: process, modules, instances, one stack, memories with their contents, globals. References have
/// no place in the format: on the stack they are missing values, in globals null. The offsets of instructions within
/// their functions are 0 (unknown) where the module is not at hand. Errors as BlockStore::read and the sink's;
/// Phase::Invoke if the memories hold more than a module can (4 GiB).
Result<void> write_coredump(snapshot::Sink& sink, const Subject& subject);

}  // namespace chiwawa::inspect
