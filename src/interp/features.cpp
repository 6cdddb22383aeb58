#include "interp/features.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace chiwawa {

namespace {

/// What the markers between the rows say, by row.
constexpr std::array<Feature, kOpcodeRows> kFeatureOfRow = [] {
  std::array<Feature, kOpcodeRows> table{};
  Feature current = Feature::mvp;
#define PROPOSAL(feature) current = Feature::feature;
#define OPCODE(code, id, text, immediates) table[row_of(code)] = current;
#include "interp/opcodes.def"
  return table;
}();

}  // namespace

const FeatureInfo* find_feature(std::string_view name) {
  const auto* found = std::find_if(std::begin(kFeatures), std::end(kFeatures),
                                   [&](const FeatureInfo& info) { return info.name == name; });
  return found == std::end(kFeatures) ? nullptr : found;
}

std::string_view name(Feature feature) {
  for (const FeatureInfo& info : kFeatures) {
    if (info.feature == feature) return info.name;
  }
  return "mvp";
}

Feature feature_of(Opcode opcode) { return kFeatureOfRow[row_of(opcode)]; }

}  // namespace chiwawa
