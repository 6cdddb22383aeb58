# ./dev demo [size]: the main job, told step by step. A real program is stopped in the middle and continued elsewhere.
# shellcheck shell=bash

run_demo() {
  local size=${1:-11}
  run_setup
  build_presets native wasi
  build_guests
  [[ -x build/native/chiwawa && -e build/wasi/chiwawa.wasm ]] || die "this version cannot run programs yet"

  rm -rf build/demo
  mkdir -p build/demo
  cp build/guests/lua.wasm fixtures/demo/demo.lua build/demo/
  (
    cd build/demo || exit
    tell_demo "$size"
  )
}

# Both run chiwawa with the same arguments, in the current directory.
native() { ../native/chiwawa "$@"; }
on_node() { node ../../tests/hosts/node.mjs ../wasi/chiwawa.wasm "$@"; }

tell_demo() {
  local size=$1 began
  local program=(--dir . lua.wasm -- demo.lua "$size")
  cat <<END

The program is Lua 5.4, compiled to WebAssembly, unmodified; it runs fixtures/demo/demo.lua: queens on a chess board,
sorted words, sums. It knows nothing about being stopped.

1. First without a stop, in chiwawa as a native program of this machine.
END
  local began=$EPOCHREALTIME
  native "${program[@]}" >whole.txt
  show whole.txt
  say "   (took $(seconds_since "$began") s)"

  say
  say "2. Once more, and in the middle the file checkpoint.trigger appears."
  stop_in_the_middle native first.txt "${program[@]}"
  say "   The program is gone; its state is in checkpoint.bin ($(stat -c %s checkpoint.bin) bytes):"
  ../native/snapshot-inspect checkpoint.bin | head -n 20 | sed 's/^/   | /'

  say
  say "3. It goes on inside chiwawa.wasm: chiwawa itself compiled to WebAssembly, running in Node."
  began=$EPOCHREALTIME
  on_node --dir . --restore checkpoint.bin lua.wasm >second.txt
  show second.txt
  say "   (took $(seconds_since "$began") s)"
  compare first.txt second.txt

  say
  say "4. And the other way round: started inside chiwawa.wasm on Node, stopped there, continued natively."
  stop_in_the_middle on_node first.txt "${program[@]}"
  native --dir . --restore checkpoint.bin lua.wasm >second.txt
  show second.txt
  compare first.txt second.txt

  say
  say "Done: the same program, the same output, wherever it was stopped and continued."
}

# stop_in_the_middle RUNNER OUTPUT ARGUMENT...: runs with --cr until half of the lines are out, then asks it to stop.
stop_in_the_middle() {
  local runner=$1 output=$2
  shift 2
  rm -f checkpoint.bin checkpoint.trigger
  local half=$(($(wc -l <whole.txt) / 2)) pid status=0
  : >"$output"
  "$runner" --cr "$@" >"$output" 2>messages.txt &
  pid=$!
  while kill -0 "$pid" 2>/dev/null && (($(wc -l <"$output") < half)); do sleep 0.02; done
  : >checkpoint.trigger
  wait "$pid" || status=$?
  show "$output"
  sed 's/^/   /' messages.txt
  ((status == 0)) || die "the stopped run ended with exit code $status instead of 0"
  grep -qx 'Execution stopped for checkpoint\.' messages.txt || die "the program was not stopped"
  [[ -s checkpoint.bin && ! -e checkpoint.trigger ]] || die "no checkpoint was written, or its trigger is still there"
}

# show FILE: the first and last lines of an output.
show() {
  local lines
  lines=$(wc -l <"$1")
  if ((lines <= 8)); then
    sed 's/^/   | /' "$1"
  else
    head -n 3 "$1" | sed 's/^/   | /'
    say "   | ... $((lines - 6)) lines ..."
    tail -n 3 "$1" | sed 's/^/   | /'
  fi
}

compare() {
  cat "$@" >joined.txt
  cmp whole.txt joined.txt || die "the two parts differ from the uninterrupted run"
  say "   Both parts together are byte for byte the output of the uninterrupted run."
}

# seconds_since EPOCHREALTIME
seconds_since() {
  local now=$EPOCHREALTIME elapsed
  elapsed=$((${now//[.,]/} - ${1//[.,]/}))
  printf '%d.%d' $((elapsed / 1000000)) $((elapsed % 1000000 / 100000))
}
