// Running a guest to its end, or to a checkpoint.
#pragma once

#include "options.hpp"
#include "session.hpp"

namespace chiwawa::tools {

/// Runs, writes checkpoints as the options ask, prints results, traps and notes. Returns the program's exit code.
int run_guest(Session& session, const Options& options);

}  // namespace chiwawa::tools
