#!/bin/sh
# if_built.sh FILE COMMAND...: runs the command; where FILE is missing it says so, and ctest counts the test as skipped.
if [ ! -e "$1" ]; then
  echo "SKIPPED: $1 is not built"
  exit 77
fi
shift
exec "$@"
