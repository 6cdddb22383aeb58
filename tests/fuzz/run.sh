#!/usr/bin/env bash
# run.sh FUZZER SECONDS: runs a libFuzzer target from its seeds and from what earlier runs found worth keeping.
# Seeds: tests/fuzz/seeds/NAME/; for modules the guests built into build/guests/ and the official vectors; for snapshots
# those that hostile_tests takes of the guests. Findings: build/fuzz/NAME/crash-*.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."

fuzzer=$1
name=$(basename "$fuzzer")
name=${name#fuzz_}
corpus=build/fuzz/$name
mkdir -p "$corpus"

seeds=()
[[ ! -d tests/fuzz/seeds/$name ]] || seeds+=("tests/fuzz/seeds/$name")
if [[ $name == module ]]; then
  mkdir -p build/fuzz/module-seeds
  # What is larger takes long and tells little more.
  find build/guests build/deps/spec-vectors-*/spec -name '*.wasm' -size -6k -exec cp -t build/fuzz/module-seeds {} + 2>/dev/null || true
  seeds+=(build/fuzz/module-seeds)
fi

if [[ $name == snapshot ]]; then
  mkdir -p build/fuzz/snapshot-seeds
  "$(dirname "$fuzzer")/hostile_tests" --write-seeds build/fuzz/snapshot-seeds build/guests/wat
  seeds+=(build/fuzz/snapshot-seeds)
  export CHIWAWA_FUZZ_GUESTS=build/guests/wat
fi

# (libFuzzer itself would exit with 77, which ctest takes for "skipped".)
options=(-error_exitcode=1 -max_total_time="$2" -timeout=20 -rss_limit_mb=2048 -artifact_prefix="$corpus/" -print_final_stats=1 -verbosity=0)
[[ $name != options ]] || options+=(-close_fd_mask=3 -only_ascii=1)
exec "$fuzzer" "${options[@]}" "$corpus" "${seeds[@]}"
