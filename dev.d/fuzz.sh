# ./dev fuzz [seconds [name]]
# shellcheck shell=bash

run_fuzz() {
  local seconds=${1:-60} name=${2:-*} fuzzer
  run_setup
  build_presets sanitize
  build_guests
  compgen -G "build/sanitize/fuzz_$name" >/dev/null || die "no fuzzer $name (or this compiler has no libFuzzer)"
  for fuzzer in build/sanitize/fuzz_$name; do
    [[ -x $fuzzer && -f $fuzzer ]] || continue
    note "Fuzzing: ${fuzzer##*/}, $seconds s"
    tests/fuzz/run.sh "$fuzzer" "$seconds"
  done
}
