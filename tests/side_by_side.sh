#!/bin/sh
# side_by_side.sh FIRST SECOND - runs two lines of commands at once, since each
# waits now and then. A command that fails ends its line. What the second says
# is shown when both have ended; the status is 0 where neither failed.
set -u

said=$(mktemp) || exit 1
trap 'rm -f "$said"' EXIT
trap 'trap - TERM; kill 0' INT TERM

sh -ec "$2" >"$said" 2>&1 </dev/null &
second=$!
sh -ec "$1"
first=$?
wait "$second"
second=$?
cat "$said"
[ "$first$second" = 00 ]
