# ./dev schema [--check]: schema/snapshot_generated.h from schema/snapshot.fbs, with the pinned FlatBuffers compiler.
# --check changes nothing: it fails if the header is old, or if the schema breaks with the last released one.
# shellcheck shell=bash disable=SC2154 # deps and stamps are set in common.sh

readonly flatc_version=23.5.26

run_schema() {
  local fresh=build/schema
  find_flatc || die "needs flatc $flatc_version: not on the path, and not to be had through this machine's mirror"
  rm -rf "$fresh"
  mkdir -p "$fresh"
  "${flatc[@]}" --cpp --cpp-std c++17 --require-explicit-ids -o "$fresh" schema/snapshot.fbs
  if [[ ${1:-} != --check ]]; then
    cp "$fresh/snapshot_generated.h" schema/
    return
  fi
  cmp "$fresh/snapshot_generated.h" schema/snapshot_generated.h || die "the generated header is old: run ./dev schema"
  local released
  released=$(find schema/released -name '*.fbs' | sort -V | tail -n 1)
  "${flatc[@]}" --conform "$released" schema/snapshot.fbs ||
    die "the schema breaks with $released: see schema/COMPATIBILITY.md"
}

# Sets flatc to the command that runs it. Building it takes minutes, and this system's own package has another version:
# Debian 13's program runs with its own C library, unpacked beside it.
find_flatc() {
  flatc=(flatc)
  if have flatc && [[ $(flatc --version) == "flatc version $flatc_version" ]]; then return; fi
  local root=$deps/flatc
  if [[ ! -e $stamps/flatc ]]; then
    have apt-get && have dpkg-deb || return 1
    once flatc unpack_flatc "$root"
  fi
  local loader libraries
  loader=$(find "$root" -name 'ld-linux*.so.*' | head -n 1)
  libraries=$(dirname "$(find "$root" -name 'libstdc++.so.6' | head -n 1)")
  flatc=("$loader" --library-path "$libraries" "$root/usr/bin/flatc")
  [[ $("${flatc[@]}" --version) == "flatc version $flatc_version" ]]
}

unpack_flatc() {
  note "Unpacking the FlatBuffers compiler"
  local download=$deps/downloads/flatc package
  rm -rf "$1" "$download"
  mkdir -p "$1" "$download"
  prepare_private_apt deb
  (cd "$download" && private_apt_get download flatbuffers-compiler libc6 libstdc++6 libgcc-s1 >/dev/null 2>&1) ||
    die "cannot download the FlatBuffers compiler"
  for package in "$download"/*.deb; do dpkg-deb -x "$package" "$1"; done
  rm -rf "$download"
}
