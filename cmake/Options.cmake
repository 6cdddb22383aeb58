# Everything that can be set from outside. Defaults suit the presets.
include(CheckCXXSourceCompiles)
include(CMakeDependentOption)

# Does the compiler guarantee tail calls? In WebAssembly it does when the target has the instruction.
if(CHIWAWA_WASM)
  set(CHIWAWA_HAVE_MUSTTAIL TRUE)
else()
  check_cxx_source_compiles("int f(int x) { return x; } int g(int x) { [[clang::musttail]] return f(x); } int main() { return g(0); }"
                            CHIWAWA_MUSTTAIL_COMPILES FAIL_REGEX "ignored|unknown attribute")
  set(CHIWAWA_HAVE_MUSTTAIL ${CHIWAWA_MUSTTAIL_COMPILES})
endif()

if(CHIWAWA_WASM OR NOT CHIWAWA_HAVE_MUSTTAIL)
  set(chiwawa_dispatch_default "loop")
else()
  set(chiwawa_dispatch_default "loop;tail")
endif()
set(CHIWAWA_DISPATCH "${chiwawa_dispatch_default}" CACHE STRING
    "Dispatchers to build: 'loop' (one switch, runs everywhere), 'tail' (guaranteed tail calls) or 'loop;tail'")
set_property(CACHE CHIWAWA_DISPATCH PROPERTY STRINGS "loop" "tail" "loop;tail")
option(CHIWAWA_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer (native only)" OFF)
option(CHIWAWA_TESTS "Build the tests" ON)
cmake_dependent_option(CHIWAWA_LTO "Optimise across files when linking (native Release builds)" ON
                       "NOT CHIWAWA_WASM;NOT CHIWAWA_SANITIZE;CMAKE_BUILD_TYPE STREQUAL Release" OFF)
cmake_dependent_option(CHIWAWA_WASM_SIMD "Use the host's SIMD instructions, which it must then have (wasm builds)" OFF
                       CHIWAWA_WASM OFF)
cmake_dependent_option(CHIWAWA_WASM_THREADS "Watch for the trigger file in a second thread, which the host must provide (wasm builds)" OFF
                       CHIWAWA_WASM OFF)
cmake_dependent_option(CHIWAWA_INSPECT "Build snapshot-inspect and snapshot-diff" ON CHIWAWA_WASM ON)
cmake_dependent_option(CHIWAWA_EMBED "Build chiwawa-embed, which the JavaScript package is made from" ON
                       "CHIWAWA_WASM;CHIWAWA_INSPECT" OFF)
set(CHIWAWA_BINARYEN "${PROJECT_SOURCE_DIR}/build/deps/binaryen" CACHE PATH
    "Folder of the npm package binaryen, which makes wasm programs smaller (without it they stay as they are linked)")
if(DEFINED ENV{CHIWAWA_SPEC_VECTORS})
  set(chiwawa_vectors_default "$ENV{CHIWAWA_SPEC_VECTORS}")
else()
  set(chiwawa_vectors_default "${PROJECT_SOURCE_DIR}/../shared/spec-vectors.tar.zst")
endif()
set(CHIWAWA_SPEC_VECTORS "${chiwawa_vectors_default}" CACHE PATH
    "Official test vectors: their folder, or the archive that holds it (default also from the environment)")
set(WASI_TESTSUITE_DIR "$ENV{WASI_TESTSUITE_DIR}" CACHE PATH
    "Folder of the official wasi-testsuite with built programs (default from the environment; empty: its tests are skipped)")
set(WASI_SDK_PREFIX "$ENV{WASI_SDK_PREFIX}" CACHE PATH
    "Folder of an installed wasi-sdk for the wasm32-wasip1 builds (empty: the sysroot that './dev setup' prepares)")

set(CHIWAWA_DISPATCH_LOOP 0)
set(CHIWAWA_DISPATCH_TAIL 0)
foreach(dispatcher IN LISTS CHIWAWA_DISPATCH)
  if(dispatcher STREQUAL "loop")
    set(CHIWAWA_DISPATCH_LOOP 1)
  elseif(dispatcher STREQUAL "tail")
    set(CHIWAWA_DISPATCH_TAIL 1)
  else()
    message(FATAL_ERROR "CHIWAWA_DISPATCH: unknown dispatcher '${dispatcher}' (loop, tail)")
  endif()
endforeach()
if(NOT CHIWAWA_DISPATCH_LOOP AND NOT CHIWAWA_DISPATCH_TAIL)
  message(FATAL_ERROR "CHIWAWA_DISPATCH is empty: name at least one of loop, tail")
endif()
if(CHIWAWA_DISPATCH_TAIL AND NOT CHIWAWA_HAVE_MUSTTAIL)
  message(FATAL_ERROR "CHIWAWA_DISPATCH names 'tail', but ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} "
                      "does not guarantee tail calls ([[clang::musttail]])")
endif()
if(CHIWAWA_SANITIZE AND CHIWAWA_WASM)
  message(FATAL_ERROR "CHIWAWA_SANITIZE works in native builds only")
endif()
