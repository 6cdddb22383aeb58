// Sizes on the command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace chiwawa::tools {

/// Bytes: a whole number, with an optional suffix K, M or G (powers of 1024). Nothing otherwise.
std::optional<uint64_t> parse_size(const std::string& text);

/// What is wrong with such a text, or nothing.
std::string check_size(const std::string& text);

}  // namespace chiwawa::tools
