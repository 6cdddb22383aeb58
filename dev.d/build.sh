# ./dev build [preset...]
# shellcheck shell=bash

run_build() {
  [[ $# -gt 0 ]] || set -- native wasi
  run_setup
  build_presets "$@"
}

build_presets() {
  local preset
  for preset in "$@"; do build_preset "$preset"; done
}

# build_preset PRESET [TARGET...]: everything, or these targets.
build_preset() {
  local preset=$1
  shift
  note "Building preset $preset"
  mkdir -p build
  cmake --preset "$preset" >"build/$preset-configure.log" 2>&1 || {
    cat "build/$preset-configure.log" >&2
    die "cannot configure preset $preset"
  }
  sed -n '/^-- chiwawa/,/^-- $/s/^-- //p' "build/$preset-configure.log"
  cmake --build --preset "$preset" -j "$(jobs)" ${1+--target "$@"}
}
