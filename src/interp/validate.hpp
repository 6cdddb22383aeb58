// Module -> typed or refused. https://webassembly.github.io/spec/core/valid/index.html
#pragma once

#include <cstdint>

#include "interp/features.hpp"
#include "interp/module.hpp"
#include "interp/result.hpp"

namespace chiwawa {

/// More parameters or results than this are refused, as by every browser (https://webassembly.github.io/spec/js-api/,
/// implementation-defined limits). It bounds what one call, block or branch of two bytes can cost, here and later.
constexpr uint32_t kMaxArity = 1000;
/// More fields of a struct are refused.
constexpr uint32_t kMaxFields = 10'000;

/// Checks the whole module: index spaces, constant expressions, segments, exports and every instruction of every
/// function (the algorithm of the specification's appendix), and the limits of this implementation (kMaxFrameSlots,
/// kMaxFunctionBytes, kMaxArity). A valid module that uses a feature outside of `enabled` is refused, too
/// (check_features.hpp). Takes time linear in the module's size. Errors have Phase::Validate, or Phase::Decode for
/// malformed instructions.
Result<void> validate(const Module& module, FeatureSet enabled = FeatureSet::all());

}  // namespace chiwawa
