// Feature, FeatureSet: the proposals of features.def, and which of them a module may use.
#pragma once

#include <cstdint>
#include <iterator>
#include <string_view>

#include "interp/opcode.hpp"

namespace chiwawa {

enum class Feature : uint8_t {
  mvp,  ///< what the first version of WebAssembly has already: it is always on, and not listed in kFeatures
#define FEATURE(id, name, standard, description) id,
#include "interp/features.def"
};

/// A version of the standard, or none as yet.
enum class Standard : uint8_t { Wasm1 = 1, Wasm2, Wasm3, Beyond };

struct FeatureInfo {
  Feature feature;
  std::string_view name;  ///< as the proposal's
  Standard standard;      ///< the first version that has it
  std::string_view description;
};

inline constexpr FeatureInfo kFeatures[] = {
#define FEATURE(id, name, standard, description) {Feature::id, name, Standard::standard, description},
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
  constexpr FeatureSet with(Feature feature) const { return FeatureSet(bits_ | bit(feature)); }
  constexpr FeatureSet without(Feature feature) const {
    return FeatureSet((bits_ & ~bit(feature)) | bit(Feature::mvp));
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
