// UTF-8 as the binary format demands it of names.
#pragma once

#include <cstdint>
#include <span>

namespace chiwawa {

/// Whether the bytes are well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
/// https://webassembly.github.io/spec/core/binary/values.html#names
bool is_utf8(std::span<const uint8_t> bytes);

}  // namespace chiwawa
