// Module -> typed or refused. https://webassembly.github.io/spec/core/valid/index.html
#pragma once

#include "interp/module.hpp"
#include "interp/result.hpp"

namespace chiwawa {

/// Checks the whole module: index spaces, constant expressions, segments, exports and every instruction of every
/// function (the algorithm of the specification's appendix), and the limits of this implementation (kMaxFrameSlots).
/// Takes time linear in the module's size. Errors have Phase::Validate, or Phase::Decode for malformed instructions.
Result<void> validate(const Module& module);

}  // namespace chiwawa
