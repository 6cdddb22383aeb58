// Which features a module uses; a part of validate(), which see.
#pragma once

#include "interp/features.hpp"
#include "interp/module.hpp"
#include "interp/result.hpp"

namespace chiwawa {

/// Refuses a module that uses a feature outside of `enabled`: the error names the first that it meets, section by
/// section, and where that is in the module. Requires a valid module. Takes time linear in its size.
Result<void> check_features(const Module& module, FeatureSet enabled);

}  // namespace chiwawa
