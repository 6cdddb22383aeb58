# ./dev build [preset...], ./dev build all
# shellcheck shell=bash

run_build() {
  local preset
  [[ $# -gt 0 ]] || set -- native wasi
  run_setup
  if [[ $* == all ]]; then
    # What there is to give away: programs, package and page.
    build_preset native chiwawa snapshot-inspect snapshot-diff
    build_preset wasi chiwawa chiwawa-embed snapshot-inspect snapshot-diff
    for preset in wasi-tail wasi-simd wasi-threads; do build_preset "$preset" chiwawa; done
    pack_js
    return
  fi
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
