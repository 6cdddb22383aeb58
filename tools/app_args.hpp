// Splitting one string into words as a shell does.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chiwawa::tools {

/// Words are separated by white space. 'single quotes' keep everything, "double quotes" everything but \" and \\,
/// and outside of quotes a backslash keeps the next character. Nothing is expanded. Nothing if a quote stays open or
/// the text ends with a lone backslash.
std::optional<std::vector<std::string>> split_words(std::string_view text);

}  // namespace chiwawa::tools
