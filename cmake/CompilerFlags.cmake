# Flags. Whole-program ones go to every target, also to dependencies; the strict ones hang on two interface targets:
#   chiwawa_strict   warnings as errors, for all code of ours
#   chiwawa_core     chiwawa_strict without exceptions and RTTI, for the libraries in src/
include(CheckCXXCompilerFlag)
include(CheckLinkerFlag)
include(CheckIPOSupported)

if(CHIWAWA_WASM)
  # A real -O2 in Release; the self-hosted engine is tuned at that level.
  string(REPLACE "-O3" "-O2" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
  string(REPLACE "-O3" "-O2" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
  if(CHIWAWA_DISPATCH_TAIL)
    add_compile_options(-mtail-call)
  endif()
  if(CHIWAWA_WASM_SIMD)
    add_compile_options(-msimd128)
  endif()
  if(CHIWAWA_WASM_THREADS)
    # Everything is compiled for a single thread, as the C library is; but for watcher_preview1.cpp, which calls nothing of it.
    # malloc and free are there for hosts: @emnapi/wasi-threads keeps what it says to a new thread in the program's memory.
    add_link_options(-Wl,--shared-memory,--import-memory,--export-memory,--no-check-features
                     -Wl,--export=malloc,--export=free)
  endif()
  add_link_options(
    -Wl,--stack-first            # running out of stack traps instead of overwriting data
    -Wl,-z,stack-size=1048576
    -Wl,--max-memory=4294967296
    "$<$<CONFIG:Release>:-Wl,$<IF:$<BOOL:$<TARGET_PROPERTY:CHIWAWA_KEEPS_NAMES>>,--strip-debug,--strip-all>>")
  # The driver runs a wasm-opt that it finds on the path; the result is slower in some hosts.
  check_linker_flag(CXX --no-wasm-opt CHIWAWA_HAVE_NO_WASM_OPT)
  if(CHIWAWA_HAVE_NO_WASM_OPT)
    add_link_options(--no-wasm-opt)
  endif()
endif()

# chiwawa_small(<target> [EXCEPT <pattern>]): in wasm builds, what is not in a hurry is optimised for size, because hosts compile
# or at least read all of it before anything runs. Sources that match the pattern stay as fast as they can be.
function(chiwawa_small target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "EXCEPT" "")
  if(NOT CHIWAWA_WASM OR NOT CMAKE_BUILD_TYPE STREQUAL "Release")
    return()
  endif()
  get_target_property(sources ${target} SOURCES)
  foreach(source IN LISTS sources)
    if(NOT arg_EXCEPT OR NOT source MATCHES "${arg_EXCEPT}")
      set_property(SOURCE ${source} TARGET_DIRECTORY ${target} APPEND PROPERTY COMPILE_OPTIONS -Oz)
    endif()
  endforeach()
endfunction()

# chiwawa_smaller_program(<target>): in wasm builds, what optimize_wasm.mjs makes of it, if Binaryen and Node are here.
function(chiwawa_smaller_program target)
  if(NOT CHIWAWA_SMALLER_PROGRAMS)
    return()
  endif()
  set_property(TARGET ${target} PROPERTY CHIWAWA_KEEPS_NAMES TRUE)
  add_custom_command(TARGET ${target} POST_BUILD VERBATIM
                     COMMAND ${CHIWAWA_NODE} ${PROJECT_SOURCE_DIR}/cmake/optimize_wasm.mjs ${CHIWAWA_BINARYEN} $<TARGET_FILE:${target}>)
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/optimize_wasm.mjs)
endfunction()
find_program(CHIWAWA_NODE node HINTS ${PROJECT_SOURCE_DIR}/build/deps/node/bin DOC "Node, 20 or newer, for tests and for Binaryen")
set(CHIWAWA_SMALLER_PROGRAMS FALSE)
if(CHIWAWA_WASM AND CMAKE_BUILD_TYPE STREQUAL "Release" AND CHIWAWA_NODE AND EXISTS ${CHIWAWA_BINARYEN}/index.js)
  set(CHIWAWA_SMALLER_PROGRAMS TRUE)
endif()

if(CHIWAWA_SANITIZE)
  string(REGEX REPLACE "-O[0-9sg]" "" CMAKE_CXX_FLAGS_DEBUG "${CMAKE_CXX_FLAGS_DEBUG}")
  add_compile_options(-O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
  # Where the compiler brings libFuzzer, the same build makes the fuzzers.
  set(CMAKE_REQUIRED_LINK_OPTIONS -fsanitize=fuzzer)
  check_cxx_source_compiles("#include <cstddef>\n#include <cstdint>
                             extern \"C\" int LLVMFuzzerTestOneInput(const uint8_t*, size_t) { return 0; }" CHIWAWA_FUZZ)
  unset(CMAKE_REQUIRED_LINK_OPTIONS)
  if(CHIWAWA_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
  endif()
endif()

if(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND NOT CHIWAWA_WASM)
  check_linker_flag(CXX -fuse-ld=lld CHIWAWA_HAVE_LLD)
  if(CHIWAWA_HAVE_LLD)
    add_link_options(-fuse-ld=lld)
  endif()
endif()
if(CHIWAWA_LTO)
  # Clang's thin LTO needs lld; GCC brings its own plugin.
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND NOT CHIWAWA_HAVE_LLD)
    set(chiwawa_ipo FALSE)
  else()
    check_ipo_supported(RESULT chiwawa_ipo OUTPUT chiwawa_ipo_reason LANGUAGES CXX)
  endif()
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ${chiwawa_ipo})
  if(chiwawa_ipo AND CHIWAWA_HAVE_LLD)
    # Programs have most of their code in common, and so have builds.
    add_link_options(-Wl,--thinlto-cache-dir=${CMAKE_BINARY_DIR}/lto-cache)
  endif()
endif()

find_program(CHIWAWA_CCACHE ccache DOC "ccache, used when it is there")
if(CHIWAWA_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CHIWAWA_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CHIWAWA_CCACHE})
endif()

add_library(chiwawa_strict INTERFACE)
target_compile_options(chiwawa_strict INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Werror)
target_compile_definitions(chiwawa_strict INTERFACE
  CHIWAWA_VERSION="${PROJECT_VERSION}"
  CHIWAWA_DISPATCH_LOOP=${CHIWAWA_DISPATCH_LOOP}
  CHIWAWA_DISPATCH_TAIL=${CHIWAWA_DISPATCH_TAIL})
target_include_directories(chiwawa_strict INTERFACE ${PROJECT_SOURCE_DIR}/src)
# Generated code: not ours to warn about.
target_include_directories(chiwawa_strict SYSTEM INTERFACE ${PROJECT_SOURCE_DIR}/schema)

# Linked after chiwawa_strict by users of Catch2's and Google Benchmark's macros: newer clangs call their __COUNTER__ an
# extension.
add_library(chiwawa_counter_macro INTERFACE)
check_cxx_compiler_flag(-Wc2y-extensions CHIWAWA_HAVE_WC2Y)
if(CHIWAWA_HAVE_WC2Y)
  target_compile_options(chiwawa_counter_macro INTERFACE -Wno-c2y-extensions)
endif()

add_library(chiwawa_core INTERFACE)
target_link_libraries(chiwawa_core INTERFACE chiwawa_strict)
target_compile_options(chiwawa_core INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions;-fno-rtti>)
