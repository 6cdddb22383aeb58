// Lists of one value type, for block types that name just their result.
#pragma once

#include <array>
#include <map>
#include <span>

#include "interp/types.hpp"

namespace chiwawa {

class SingleTypes {
 public:
  /// The list of this type. It lives as long as the object, at least.
  std::span<const ValType> of(ValType type) {
    static constexpr std::array<ValType, 256> kUndefined = [] {
      std::array<ValType, 256> all{};
      for (uint32_t i = 0; i < all.size(); ++i) all[i] = static_cast<ValType>(i);
      return all;
    }();
    const auto number = static_cast<uint32_t>(type);
    if (number < kUndefined.size()) return {&kUndefined[number], 1};
    return {&defined_.try_emplace(type, type).first->second, 1};
  }

 private:
  std::map<ValType, ValType> defined_;
};

}  // namespace chiwawa
