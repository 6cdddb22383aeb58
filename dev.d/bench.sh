# ./dev bench [benchmark options]
# shellcheck shell=bash

run_bench() {
  run_setup
  if ! compgen -G 'bench/*.cpp' >/dev/null; then die "bench/ has no benchmarks yet"; fi
  if ! compgen -G '/usr/lib/*/cmake/benchmark/benchmarkConfig.cmake' >/dev/null && have apt-get; then
    run_as_root apt-get -q install -y --no-install-recommends libbenchmark-dev
  fi
  build_presets native
  [[ -x build/native/bench_micro ]] || die "Google Benchmark was not found"
  build/native/bench_micro "$@"
}
