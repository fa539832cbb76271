#!/bin/sh
# class_one.sh ID DIGEST OPTION... - grades one submission of a class, in the
# class's folder, here or on another machine. GNU parallel runs it. Prints a
# line "ID VERDICT". Exit status 0: graded, 3: not.
set -u

id=$1
digest=$2
shift 2
submission=submissions/$id
report=reports/$id

mkdir -p "$report" build
# A newer one is in its place; or it was graded, but not yet put down so.
[ "$(cat "$submission/.digest" 2>/dev/null)" = "$digest" ] || exit 0
[ "$(cat "$report/graded" 2>/dev/null)" != "$digest" ] || exit 0

rm -rf "$report" "build/$id"
mkdir "$report"
kit/grade --submission "$submission" --report "$report" --build "build/$id" \
    --interposer kit/interposer.so --verbose "$@" >"$report/report.txt" 2>&1 \
    </dev/null
status=$?
rm -rf "build/$id"
if [ $status -gt 1 ]; then
    echo "$id not graded, see reports/$id/report.txt"
    exit 3
fi
echo "$digest" >"$report/graded"
# The report's own lines, not those of a string in it.
sed -n 's/^  "score": \(.*\),$/\1/p; s/^  "max_score": \(.*\),$/\1/p' \
    "$report/report.json" | paste -s -d / | sed "s/^/$id /"
