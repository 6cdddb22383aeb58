// Values and names as text, for messages and tools.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "interp/types.hpp"

namespace chiwawa {

/// "0x1f", with at least `digits` digits.
std::string hex(uint64_t number, size_t digits = 0);

/// Text from a stranger, fit for a terminal: control characters, and all beyond ASCII that is no UTF-8, as \xHH.
std::string printable(std::string_view text);

/// A value without its type: signed decimal, the shortest decimal that reads back as the same float, "nan",
/// "nan:0x200000", "-inf"; references as "null" or their number.
std::string number(const Value& value);

}  // namespace chiwawa
