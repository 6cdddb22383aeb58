// The values of --params: text -> typed values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "interp/result.hpp"
#include "interp/types.hpp"

namespace chiwawa::tools {

/// Whether a word can only be meant as parameters: it begins with "I32(", "I64(", "F32(", "F64(", "V128(", "RefNull" or
/// "RefExtern(".
bool looks_like_params(std::string_view word);

/// Parses lists like "I32(1),I64(-2) F32(0x1.8p3)" and checks them against `types`. Integers: decimal or hexadecimal,
/// from the least signed to the largest unsigned number. Floats: decimal, hexadecimal, inf, nan, nan:0xPAYLOAD, with
/// sign. Vectors: up to 32 hexadecimal digits behind 0x. References: RefNull, and RefExtern(N) for externref.
/// Phase::Invoke, naming the parameter, on failure.
Result<std::vector<Value>> parse_params(const std::vector<std::string>& lists, const std::vector<ValType>& types);

}  // namespace chiwawa::tools
