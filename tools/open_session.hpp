// From the options to a session that can run, with all that is said on the way.
#pragma once

#include <memory>
#include <variant>

#include "options.hpp"
#include "session.hpp"

namespace chiwawa::tools {

/// The session that the options ask for, or - after an error, or when they ask for an explanation only - the exit code.
/// The options must outlive it.
std::variant<std::unique_ptr<Session>, int> open_session(const Options& options);

}  // namespace chiwawa::tools
