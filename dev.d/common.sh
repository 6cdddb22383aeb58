# Shared by all commands of ./dev; sourced with the project's folder as current directory.
# shellcheck shell=bash

readonly deps=$PWD/build/deps
readonly stamps=$deps/stamps

say() { printf '%s\n' "$*"; }
note() { printf '==> %s\n' "$*"; }
die() {
  printf 'dev: %s\n' "$*" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# The set-up's own programs come after what the user already has.
if [[ -d $deps/node/bin ]]; then
  node_major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
  # An older Node on the path does not do.
  if ((node_major < 20)); then PATH=$deps/node/bin:$PATH; fi
fi
export PATH

jobs() {
  say "${CHIWAWA_JOBS:-${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}}"
}

# The newest clang here that brings everything its number stands for (PreferClang.cmake, wasi-toolchain.cmake).
clang_version() {
  local version
  for version in 22 23 21 20 19; do
    if have "clang-$version" && have "clang++-$version"; then
      say "$version"
      return
    fi
  done
  return 1
}

# once NAME COMMAND...: runs the command unless it succeeded under this name before.
once() {
  local name=$1
  shift
  [[ -e $stamps/$name ]] && return
  "$@"
  mkdir -p "$stamps"
  : >"$stamps/$name"
}

# Our own sources, as git knows them (also new files), that match the patterns.
sources() {
  git ls-files --cached --others --exclude-standard --deduplicate -- "$@" | while read -r file; do
    if [[ -f $file && $file != schema/snapshot_generated.h ]]; then say "$file"; fi
  done
}
