# Third-party code: one pinned version each, the same for native and wasm builds, compiled by this build.
#
# Sources come from build/deps/src/<name> where `./dev setup` unpacked them, otherwise from the upstream release
# (checked against its SHA-256). A folder of your own: -DFETCHCONTENT_SOURCE_DIR_<NAME>=...
# Only what a target links is compiled. Headers are SYSTEM: no warnings from them.
include(FetchContent)
set(FETCHCONTENT_QUIET ON)
if(POLICY CMP0135)
  cmake_policy(SET CMP0135 NEW)
endif()

# chiwawa_dependency(<name> VERSION <v> URL <url> SHA256 <hash>): sets <name>_SOURCE_DIR; adds no targets.
function(chiwawa_dependency name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "VERSION;URL;SHA256" "")
  string(TOUPPER ${name} upper)
  set(unpacked ${PROJECT_SOURCE_DIR}/build/deps/src/${name})
  if(NOT FETCHCONTENT_SOURCE_DIR_${upper} AND EXISTS ${unpacked})
    set(FETCHCONTENT_SOURCE_DIR_${upper} ${unpacked})
  endif()
  FetchContent_Declare(${name} URL ${arg_URL} URL_HASH SHA256=${arg_SHA256} SOURCE_SUBDIR no-cmake-project-wanted)
  FetchContent_MakeAvailable(${name})
  set(${name}_SOURCE_DIR ${${name}_SOURCE_DIR} PARENT_SCOPE)
  if(FETCHCONTENT_SOURCE_DIR_${upper})
    set(origin "unpacked sources")
  else()
    set(origin "upstream release")
  endif()
  set_property(GLOBAL APPEND PROPERTY CHIWAWA_DEPENDENCIES "${name} ${arg_VERSION} (${origin})")
endfunction()

function(chiwawa_header_library target)
  add_library(${target} INTERFACE)
  target_include_directories(${target} SYSTEM INTERFACE ${ARGN})
endfunction()

# --- FlatBuffers: headers only; the generated header is committed (./dev schema).
chiwawa_dependency(flatbuffers VERSION 23.5.26
  URL https://github.com/google/flatbuffers/archive/refs/tags/v23.5.26.tar.gz
  SHA256 1cce06b17cddd896b6d73cc047e36a254fb8df4d7ea18a46acf16c4c0cd3f3f3)
chiwawa_header_library(chiwawa_flatbuffers ${flatbuffers_SOURCE_DIR}/include)

# --- CLI11
chiwawa_dependency(cli11 VERSION 2.4.1
  URL https://github.com/CLIUtils/CLI11/archive/refs/tags/v2.4.1.tar.gz
  SHA256 73b7ec52261ce8fe980a29df6b4ceb66243bb0b779451dbd3d014cfec9fdbb58)
chiwawa_header_library(chiwawa_cli11 ${cli11_SOURCE_DIR}/include)

# --- xxHash, inlined where it is used
chiwawa_dependency(xxhash VERSION 0.8.3
  URL https://github.com/Cyan4973/xxHash/archive/refs/tags/v0.8.3.tar.gz
  SHA256 aae608dfe8213dfd05d909a57718ef82f30722c392344583d3f39050c7f29a80)
chiwawa_header_library(chiwawa_xxhash ${xxhash_SOURCE_DIR})
target_compile_definitions(chiwawa_xxhash INTERFACE XXH_INLINE_ALL)
if(CHIWAWA_WASM_SIMD)
  # With SIMD in WebAssembly it takes clang's own arm_neon.h for an emulation of it. Its plain code does as well.
  target_compile_options(chiwawa_xxhash INTERFACE "-DXXH_HAS_INCLUDE(x)=0")
endif()

# --- Zstandard: single-threaded, portable C.
chiwawa_dependency(zstd VERSION 1.5.7
  URL https://github.com/facebook/zstd/releases/download/v1.5.7/zstd-1.5.7.tar.gz
  SHA256 eb33e51f49a15e023950cd7825ca74a4a2b43db8354825ac24fc1b7ee09e6fa3)
file(GLOB zstd_sources ${zstd_SOURCE_DIR}/lib/common/*.c ${zstd_SOURCE_DIR}/lib/compress/*.c
     ${zstd_SOURCE_DIR}/lib/decompress/*.c)
list(FILTER zstd_sources EXCLUDE REGEX "/zstd_(ldm|compress_superblock)\\.c$")
add_library(chiwawa_zstd STATIC EXCLUDE_FROM_ALL ${zstd_sources} ${PROJECT_SOURCE_DIR}/cmake/zstd/absent.c)
target_include_directories(chiwawa_zstd PRIVATE ${zstd_SOURCE_DIR}/lib/compress)
target_compile_definitions(chiwawa_zstd PRIVATE ZSTD_DISABLE_ASM ZSTD_LEGACY_SUPPORT=0)
# Snapshots are written with levels 1 and 3 (src/snapshot/format.hpp), which do not need the slower strategies.
foreach(strategy GREEDY LAZY LAZY2 BTLAZY2 BTOPT BTULTRA)
  target_compile_definitions(chiwawa_zstd PRIVATE ZSTD_EXCLUDE_${strategy}_BLOCK_COMPRESSOR)
endforeach()
if(CHIWAWA_WASM)
  # One decoder of each kind is enough.
  target_compile_definitions(chiwawa_zstd PRIVATE HUF_FORCE_DECOMPRESS_X1 ZSTD_FORCE_DECOMPRESS_SEQUENCES_SHORT)
  # Nobody compresses with a dictionary, nor piece by piece: what does that is left out of the table of compressors.
  foreach(strategy fast doubleFast)
    foreach(dictionary dictMatchState extDict)
      set_property(SOURCE ${zstd_SOURCE_DIR}/lib/compress/zstd_compress.c APPEND PROPERTY COMPILE_DEFINITIONS
                   ZSTD_compressBlock_${strategy}_${dictionary}=ZSTD_compressBlock_${strategy})
    endforeach()
  endforeach()
endif()
target_compile_options(chiwawa_zstd PRIVATE -w)
target_include_directories(chiwawa_zstd SYSTEM PUBLIC ${zstd_SOURCE_DIR}/lib)

# --- SHA-256 from Mbed TLS: that one file and what it needs (mbedtls/sha256.h).
chiwawa_dependency(mbedtls VERSION 3.6.6
  URL https://github.com/Mbed-TLS/mbedtls/releases/download/mbedtls-3.6.6/mbedtls-3.6.6.tar.bz2
  SHA256 8fb65fae8dcae5840f793c0a334860a411f884cc537ea290ce1c52bb64ca007a)
add_library(chiwawa_sha256 STATIC EXCLUDE_FROM_ALL ${mbedtls_SOURCE_DIR}/library/sha256.c
            ${mbedtls_SOURCE_DIR}/library/platform_util.c)
target_compile_definitions(chiwawa_sha256 PUBLIC MBEDTLS_CONFIG_FILE="chiwawa_mbedtls_config.h")
target_compile_options(chiwawa_sha256 PRIVATE -w)
target_include_directories(chiwawa_sha256 SYSTEM PUBLIC ${mbedtls_SOURCE_DIR}/include
                           ${PROJECT_SOURCE_DIR}/cmake/mbedtls)

# --- libdwarf (LGPL 2.1; in wasm builds in snapshot-inspect and snapshot-diff only): source lines of modules with DWARF,
# through its interface for objects of one's own. The readers of other object files are in the list because the rest refers to
# them; the linker leaves them out.
chiwawa_dependency(libdwarf VERSION 0.11.1
  URL https://github.com/davea42/libdwarf-code/archive/refs/tags/v0.11.1.tar.gz
  SHA256 dfd24db87c354b3ba6fa72d29a481014f81768fea15ddcde96a8a938b1557c17)
file(GLOB libdwarf_sources ${libdwarf_SOURCE_DIR}/src/lib/libdwarf/*.c)
add_library(chiwawa_libdwarf STATIC EXCLUDE_FROM_ALL ${libdwarf_sources})
target_compile_definitions(chiwawa_libdwarf PUBLIC LIBDWARF_STATIC)
target_compile_options(chiwawa_libdwarf PRIVATE -w -ffunction-sections -fdata-sections)
target_include_directories(chiwawa_libdwarf SYSTEM PUBLIC ${libdwarf_SOURCE_DIR}/src/lib/libdwarf
                           PRIVATE ${PROJECT_SOURCE_DIR}/cmake/libdwarf)
if(CHIWAWA_WASM)
  # 55 KB of error messages stay out.
  set_property(SOURCE ${libdwarf_SOURCE_DIR}/src/lib/libdwarf/dwarf_error.c APPEND PROPERTY
               COMPILE_OPTIONS -include ${PROJECT_SOURCE_DIR}/cmake/libdwarf/no_messages.h)
endif()

# --- JSON: what the snapshot tools print, and the tests read
chiwawa_dependency(json VERSION 3.11.3
  URL https://github.com/nlohmann/json/archive/refs/tags/v3.11.3.tar.gz
  SHA256 0d8ef5af7f9794e3263480193c491549b2ba6cc74bb018906202ada498a79406)
chiwawa_header_library(chiwawa_json ${json_SOURCE_DIR}/single_include)
target_compile_definitions(chiwawa_json INTERFACE JSON_NOEXCEPTION)

# --- For tests
if(CHIWAWA_TESTS AND NOT CHIWAWA_WASM)
  chiwawa_dependency(catch2 VERSION 3.7.1
    URL https://github.com/catchorg/Catch2/archive/refs/tags/v3.7.1.tar.gz
    SHA256 c991b247a1a0d7bb9c39aa35faf0fe9e19764213f28ffba3109388e62ee0269c)
  # Upstream's single-file form compiles in a fraction of the time; it brings main().
  set(CATCH_CONFIG_DEFAULT_REPORTER console)
  set(CATCH_CONFIG_CONSOLE_WIDTH 120)
  set(catch2_config_dir ${CMAKE_BINARY_DIR}/generated/catch2)
  configure_file(${catch2_SOURCE_DIR}/src/catch2/catch_user_config.hpp.in
                 ${catch2_config_dir}/catch2/catch_user_config.hpp)
  add_library(chiwawa_catch2 STATIC EXCLUDE_FROM_ALL ${catch2_SOURCE_DIR}/extras/catch_amalgamated.cpp)
  target_compile_options(chiwawa_catch2 PRIVATE -w)
  target_include_directories(chiwawa_catch2 SYSTEM PUBLIC ${catch2_SOURCE_DIR}/src ${catch2_config_dir})
  target_link_libraries(chiwawa_catch2 INTERFACE chiwawa_counter_macro)
  list(APPEND CMAKE_MODULE_PATH ${catch2_SOURCE_DIR}/extras)
endif()
