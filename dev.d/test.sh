# ./dev test [ctest arguments]: everything from nothing to a verdict. Without arguments, all tests but those labelled matrix.
# shellcheck shell=bash

run_test() {
  [[ $# -gt 0 ]] || set -- -LE '^matrix$'
  run_setup
  build_presets native sanitize wasi wasi-tail wasi-simd
  build_preset wasi-threads chiwawa
  build_guests

  local failed=()
  (pack_js) || failed+=('JavaScript package')
  note "Formatting"
  (check_format) || failed+=(formatting)
  note "clang-tidy, src/ and tools/"
  local files
  mapfile -t files < <(tidy_candidates 'src/*.cpp' 'tools/*.cpp')
  run_tidy "${files[@]}" >build/tidy.log 2>&1 || {
    grep -A4 -e ' error: ' -e ' warning: ' build/tidy.log || tail -n 20 build/tidy.log
    failed+=(clang-tidy)
  }
  note "Generated code"
  if (find_flatc) >/dev/null 2>&1; then
    (run_schema --check) || failed+=('generated header')
  else
    say "skipped: the pinned flatc cannot be had here"
  fi
  note "Tests of the native build (and of the wasm builds it drives)"
  run_ctest native "$@" || failed+=('native tests')
  note "With sanitizers: unit tests, vectors, spoilt modules and snapshots, fuzzers"
  run_ctest sanitize -L 'unit|vectors|hostile|fuzz' -LE slow || failed+=('sanitized tests')

  say
  local preset
  for preset in native sanitize; do
    say "--- $preset"
    sed -n '/^[0-9]*% tests passed/,$p' "build/$preset-tests.log"
  done
  if [[ ${#failed[@]} -gt 0 ]]; then
    local IFS=,
    die "failed: ${failed[*]}"
  fi
  say "All tests passed."
}

# run_ctest PRESET ARGUMENT...
run_ctest() {
  local preset=$1
  shift
  ctest --preset "$preset" -j "$(jobs)" --no-tests=ignore "$@" 2>&1 | tee "build/$preset-tests.log"
}
