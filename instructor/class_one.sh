#!/bin/sh
# class_one.sh ID DIGEST OPTION... - grades one submission of a class, in the
# class's folder, here or on another machine. GNU parallel runs it. Prints a
# line "ID VERDICT". Exit status 0: graded, 3: not, or ended by SIGTERM.
set -u

id=$1
digest=$2
shift 2
submission=submissions/$id
report=reports/$id

mkdir -p "$report" build
# class.sh ends who holds this lock, and has removed "open" before it looks.
exec 8>"build/$id.job"
flock -n 8 && echo $$ >&8 && [ -e open ] || exit 3
# A newer one is in its place; or it was graded, but not yet put down so.
[ "$(cat "$submission/.digest" 2>/dev/null)" = "$digest" ] || exit 0
[ "$(cat "$report/graded" 2>/dev/null)" != "$digest" ] || exit 0

rm -rf "$report"
mkdir "$report"
grade=
ended=
trap 'ended=yes; [ -z "$grade" ] || kill "$grade"' TERM
kit/grade --submission "$submission" --told-as exercises --report "$report" \
    --interposer kit/interposer.so --verbose "$@" \
    </dev/null >"$report/report.txt" 2>&1 8>&- &
grade=$!
[ -z "$ended" ] || kill "$grade"
wait "$grade"
status=$?
[ -z "$ended" ] || wait "$grade"
[ -z "$ended" ] || exit 3
if [ $status -gt 1 ]; then
    echo "$id not graded, see reports/$id/report.txt"
    exit 3
fi
echo "$digest" >"$report/graded"
# The report's own lines, not those of a string in it.
sed -n 's/^  "score": \(.*\),$/\1/p; s/^  "max_score": \(.*\),$/\1/p' \
    "$report/report.json" | paste -s -d / | sed "s/^/$id /"
