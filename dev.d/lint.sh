# ./dev lint [--all]
# shellcheck shell=bash

run_lint() {
  run_setup
  note "Formatting"
  check_format
  note "clang-tidy"
  cmake --preset native >/dev/null
  local candidates files
  mapfile -t candidates < <(tidy_candidates 'src/*.cpp' 'tools/*.cpp' 'tests/*.cpp')
  if [[ ${1:-} == --all ]]; then
    files=("${candidates[@]}")
  else
    mapfile -t files < <(comm -12 <(printf '%s\n' "${candidates[@]}" | sort) <(changed_files | sort))
  fi
  if [[ ${#files[@]} -eq 0 ]]; then
    say "nothing to check (./dev lint --all checks everything)"
    return
  fi
  run_tidy "${files[@]}"
}

# Sources that the native build compiles, by patterns.
tidy_candidates() {
  sources "$@" | grep -v -e '_preview1\.cpp$' -e 'wasm_[a-z]*\.cpp$' -e 'chiwawa_embed\.cpp$'
}

run_tidy() {
  printf '%s\n' "$@" | xargs -r -d '\n' -n 1 -P "$(jobs)" \
    clang-tidy-22 -p build/native --quiet --warnings-as-errors='*'
}

# Files that differ from the main branch, committed or not.
changed_files() {
  local base
  base=$(git merge-base HEAD main 2>/dev/null || git merge-base HEAD origin/main 2>/dev/null || git rev-parse HEAD)
  git diff --name-only "$base"
  git ls-files --others --exclude-standard
}
