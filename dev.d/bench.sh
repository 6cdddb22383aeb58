# ./dev bench [benchmark options]: the micro-benchmarks, then files; ./dev bench throughput [options]: only files
# shellcheck shell=bash

run_bench() {
  run_setup
  if ! compgen -G 'bench/*.cpp' >/dev/null; then die "bench/ has no benchmarks yet"; fi
  if ! compgen -G '/usr/lib/*/cmake/benchmark/benchmarkConfig.cmake' >/dev/null && have apt-get; then
    run_as_root apt-get -q install -y --no-install-recommends libbenchmark-dev
  fi
  if [[ ${1:-} == throughput ]]; then
    shift
    bench_throughput "$@"
    return
  fi
  build_presets native
  [[ -x build/native/bench_micro ]] || die "Google Benchmark was not found"
  build/native/bench_micro "$@"
  if [[ $# -eq 0 ]]; then bench_throughput; fi
}

bench_throughput() {
  build_presets native wasi
  build_guests
  node bench/throughput.mjs "$@"
}
