// A transcript's lines. tests/differential/direct.mjs writes the same ones for another engine.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "interp/outcome.hpp"
#include "interp/store.hpp"

namespace chiwawa::differential {

/// "i32:-1", "f64:0x3ff0000000000000", "f32:nan" (any), "v128:0x…", "funcref:null"; of a reference that is not null
/// only what it refers to: "extern:6" (the host's number), "i31:5", "func", "object".
std::string text(const Value& value);

/// " i32:1 i64:2"
std::string text(std::span<const Value> values);

/// "-> i32:1", "trap integer divide by zero", "exit 3"
std::string text(const Outcome& outcome);

/// Digest of all bytes, in hexadecimal.
std::string digest(const LinearMemory& memory);

}  // namespace chiwawa::differential
