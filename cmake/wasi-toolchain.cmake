# Cross-compiles to wasm32-wasip1. Two ways to get there:
#   - a real wasi-sdk: set WASI_SDK_PREFIX (environment or -D) to its folder;
#   - clang and lld of this machine (19 or newer) with the sysroot that `./dev setup` prepares in build/deps/wasi-sysroot.
set(CMAKE_SYSTEM_NAME WASI)
set(CMAKE_SYSTEM_VERSION 1)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES WASI_SDK_PREFIX)
# CMake up to 3.28 has no platform file for WASI; this one is ours.
list(APPEND CMAKE_MODULE_PATH ${CMAKE_CURRENT_LIST_DIR}/platform)

if(NOT WASI_SDK_PREFIX AND DEFINED ENV{WASI_SDK_PREFIX})
  set(WASI_SDK_PREFIX $ENV{WASI_SDK_PREFIX})
endif()

if(WASI_SDK_PREFIX)
  set(CHIWAWA_WASI_ORIGIN "wasi-sdk at ${WASI_SDK_PREFIX}")
  set(CMAKE_C_COMPILER ${WASI_SDK_PREFIX}/bin/clang)
  set(CMAKE_CXX_COMPILER ${WASI_SDK_PREFIX}/bin/clang++)
  set(CMAKE_AR ${WASI_SDK_PREFIX}/bin/llvm-ar)
  set(CMAKE_RANLIB ${WASI_SDK_PREFIX}/bin/llvm-ranlib)
  set(CMAKE_SYSROOT ${WASI_SDK_PREFIX}/share/wasi-sysroot)
else()
  set(CHIWAWA_WASI_ORIGIN "clang with the sysroot from ./dev setup")
  find_program(CHIWAWA_WASI_CC NAMES clang-22 clang-23 clang-21 clang-20 clang-19 REQUIRED
               DOC "clang for wasm32-wasip1" NO_CMAKE_FIND_ROOT_PATH)
  string(REGEX MATCH "clang-([0-9]+)$" _ ${CHIWAWA_WASI_CC})
  get_filename_component(bin ${CHIWAWA_WASI_CC} DIRECTORY)
  set(CMAKE_C_COMPILER ${CHIWAWA_WASI_CC})
  set(CMAKE_CXX_COMPILER ${bin}/clang++-${CMAKE_MATCH_1})
  set(CMAKE_AR ${bin}/llvm-ar-${CMAKE_MATCH_1})
  set(CMAKE_RANLIB ${bin}/llvm-ranlib-${CMAKE_MATCH_1})
  set(CMAKE_SYSROOT ${CMAKE_CURRENT_LIST_DIR}/../build/deps/wasi-sysroot)
  get_filename_component(CMAKE_SYSROOT ${CMAKE_SYSROOT} ABSOLUTE)
  if(NOT EXISTS ${CMAKE_SYSROOT}/lib)
    message(FATAL_ERROR "No WASI sysroot: run ./dev setup, or set WASI_SDK_PREFIX to an installed wasi-sdk")
  endif()
endif()

set(CMAKE_C_COMPILER_TARGET wasm32-wasip1)
set(CMAKE_CXX_COMPILER_TARGET wasm32-wasip1)

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
