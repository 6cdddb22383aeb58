// What --features says: which proposals a module may use.
#pragma once

#include <string>
#include <string_view>

#include "interp/features.hpp"

namespace chiwawa::tools {

struct FeatureList {
  FeatureSet enabled = FeatureSet::all();
  bool show = false;  ///< `list` or `help` is among the words: only print the table
};

/// Reads words separated by commas, from left to right, into `list`: `mvp`, `wasm1`, `wasm2`, `wasm3` and `all` stand
/// for all that such a version has and no more; a feature's name, or +name, switches it on, -name off. Gives a
/// complaint for the user, or nothing.
std::string parse_feature_list(std::string_view text, FeatureList& list);

/// The table of all features, as lines of text: name, version of the standard, whether it is on, description.
std::string feature_table(FeatureSet enabled);

}  // namespace chiwawa::tools
