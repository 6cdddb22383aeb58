// Feature, FeatureSet: the proposals of features.def, and which of them a module may use.
#pragma once

#include <cstdint>
#include <iterator>
#include <string_view>

#include "interp/opcode.hpp"

namespace chiwawa {

enum class Feature : uint8_t {
  mvp,  ///< what the first version of WebAssembly has already: it is always on, and not listed in kFeatures
#define FEATURE(id, name, standard, base, description) id,
#include "interp/features.def"
};

/// A version of the standard, or none as yet.
enum class Standard : uint8_t { Wasm1 = 1, Wasm2, Wasm3, Beyond };

struct FeatureInfo {
  Feature feature;
  std::string_view name;  ///< as the proposal's
  Standard standard;      ///< the first version that has it
  Feature base;           ///< the feature that it builds on, or mvp
  std::string_view description;
};

inline constexpr FeatureInfo kFeatures[] = {
#define FEATURE(id, name, standard, base, description) \
  {Feature::id, name, Standard::standard, Feature::base, description},
#include "interp/features.def"
};

class FeatureSet {
 public:
  /// Only the first version's.
  constexpr FeatureSet() = default;
  static constexpr FeatureSet all() { return up_to(Standard::Beyond); }
  /// Everything that this version of the standard has.
  static constexpr FeatureSet up_to(Standard standard) {
    FeatureSet set;
    for (const FeatureInfo& info : kFeatures) {
      if (info.standard <= standard) set = set.with(info.feature);
    }
    return set;
  }

  constexpr bool has(Feature feature) const { return (bits_ & bit(feature)) != 0; }
  /// And with those that it builds on.
  constexpr FeatureSet with(Feature feature) const {
    FeatureSet set(bits_ | bit(feature));
    for (const FeatureInfo& info : kFeatures) {
      if (info.feature == feature && info.base != Feature::mvp) set = set.with(info.base);
    }
    return set;
  }
  /// And without those that build on it. Requires another than mvp.
  constexpr FeatureSet without(Feature feature) const {
    FeatureSet set(bits_ & ~bit(feature));
    for (const FeatureInfo& info : kFeatures) {
      if (info.base == feature) set = set.without(info.feature);
    }
    return set;
  }
  bool operator==(const FeatureSet&) const = default;

 private:
  constexpr explicit FeatureSet(uint32_t bits) : bits_(bits) {}
  static constexpr uint32_t bit(Feature feature) { return uint32_t{1} << static_cast<uint8_t>(feature); }

  uint32_t bits_ = bit(Feature::mvp);
};

static_assert(std::size(kFeatures) < 32);  // and mvp

/// Null if no feature has this name.
const FeatureInfo* find_feature(std::string_view name);
/// The name; "mvp" for that.
std::string_view name(Feature feature);

/// The feature that an instruction belongs to. Requires a known opcode.
Feature feature_of(Opcode opcode);

}  // namespace chiwawa
