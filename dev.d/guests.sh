# ./dev guests
# shellcheck shell=bash

run_guests() {
  run_setup
  build_guests
}

build_guests() {
  note "Building guest programs"
  cmake -S fixtures/guests -B build/guests -G Ninja --toolchain "$PWD/cmake/wasi-toolchain.cmake" \
    -DCMAKE_BUILD_TYPE=Release >build/guests-configure.log 2>&1 || {
    cat build/guests-configure.log >&2
    die "cannot configure the guests"
  }
  cmake --build build/guests -j "$(jobs)"
}
