# ./dev format
# shellcheck shell=bash

run_format() {
  sources '*.cpp' '*.hpp' '*.c' '*.h' | xargs -r -d '\n' clang-format-22 -i
}

check_format() {
  sources '*.cpp' '*.hpp' '*.c' '*.h' | xargs -r -d '\n' clang-format-22 --dry-run -Werror ||
    die "sources are not formatted: run ./dev format"
}
