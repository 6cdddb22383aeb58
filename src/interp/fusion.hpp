// Which two operations of slot code are one (fusions.def).
#pragma once

#include <optional>

#include "interp/code.hpp"

namespace chiwawa {

/// The cell that does what `first` and then `second` do, if there is one. Forms with accumulators are not looked at. If
/// first's value is used by others, too (`!only_use`), the cell must leave it in its slot.
std::optional<Cell> fuse(const Cell& first, const Cell& second, bool only_use);

}  // namespace chiwawa
