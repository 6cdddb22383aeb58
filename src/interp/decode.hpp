// bytes -> Module. https://webassembly.github.io/spec/core/binary/modules.html
#pragma once

#include <cstdint>
#include <vector>

#include "interp/module.hpp"
#include "interp/result.hpp"

namespace chiwawa {

/// Decodes a binary module; takes ownership of the bytes. Everything is checked except what validate() checks;
/// function bodies are only delimited, their instructions are not read (validate() reads them and reports malformed
/// ones with Phase::Decode). Needs memory proportional to the input's size, whatever the input says.
Result<Module> decode(std::vector<uint8_t> bytes);

}  // namespace chiwawa
