# ./dev bench [option...]: how fast programs run, in relation to other runtimes (docs/performance.md; --help lists the options)
# ./dev bench micro [benchmark option...]: the micro-benchmarks; ./dev bench throughput [option...]: only files
# ./dev bench watching [option...]: what --stats, --profile, --coverage and --trace cost (docs/watching.md)
# shellcheck shell=bash

run_bench() {
  local part=programs
  case ${1:-} in
    programs | micro | throughput | watching)
      part=$1
      shift
      ;;
    -h | --help) exec node bench/compare/run.mjs --help ;;
  esac
  run_setup
  "bench_$part" "$@"
}

bench_programs() {
  local preset
  for preset in native wasi wasi-tail wasi-simd; do build_preset "$preset" chiwawa; done
  build_guests
  build_native_programs
  node bench/compare/run.mjs "$@"
}

# The same sources for this machine, in build/bench/programs.
build_native_programs() {
  note "Building the programs for this machine"
  cmake -S fixtures/guests/bench -B build/bench -G Ninja -DCMAKE_BUILD_TYPE=Release >build/bench-configure.log 2>&1 || {
    cat build/bench-configure.log >&2
    die "cannot configure the programs of fixtures/guests/bench"
  }
  cmake --build build/bench -j "$(jobs)"
}

bench_micro() {
  if ! compgen -G '/usr/lib/*/cmake/benchmark/benchmarkConfig.cmake' >/dev/null && have apt-get; then
    run_as_root apt-get -q install -y --no-install-recommends libbenchmark-dev
  fi
  build_presets native
  build_guests
  [[ -x build/native/bench_micro ]] || die "Google Benchmark was not found"
  build/native/bench_micro "$@"
}

bench_watching() {
  build_presets native
  build_guests
  node bench/watching.mjs "$@"
}

bench_throughput() {
  build_presets native wasi
  build_guests
  node bench/throughput.mjs "$@"
}
