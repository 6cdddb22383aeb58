// The specification's vector operations on plain values, by families; knows no machine. A function has the name of its
// instruction in opcodes.def, whose rows say its parameters.
// https://webassembly.github.io/spec/core/exec/numerics.html
//
// They compute with the compiler's vectors (simd_lanes.hpp), so that one instruction of WebAssembly becomes one of the
// host where it has that. Where it does not come out by itself, the host's intrinsics say it: those of SSE2, which
// every x86-64 has, and of WebAssembly's own vectors. Every such place has a form for all other hosts, too.
#pragma once

#include "interp/simd_access.hpp"
#include "interp/simd_convert.hpp"
#include "interp/simd_float.hpp"
#include "interp/simd_integer.hpp"
#include "interp/simd_relaxed.hpp"
