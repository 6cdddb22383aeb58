// Durations on the command line.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace chiwawa::tools {

/// "30s", "500ms", "5m", "2h": a whole number greater than 0 and a unit, of at most a year. Nothing otherwise.
std::optional<std::chrono::milliseconds> parse_duration(const std::string& text);

}  // namespace chiwawa::tools
