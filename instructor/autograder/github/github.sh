#!/bin/sh
# github.sh - the step of the workflow that grades, in the student's checkout.
# Leaves annotations, the job's summary, the output `result` for the reporter
# of the older GitHub Classroom, and the report in $GITHUB_WORKSPACE/report.
# Exit status: 0 full marks, 1 points lost, 2 not graded; FAULTLINE_PASS=always
# makes the first two 0, for a reporter that must come to run.
set -u

report=$GITHUB_WORKSPACE/report
rm -rf "$report"
# Nothing that is printed in between is taken for a command.
word=$(cat /proc/sys/kernel/random/uuid)
echo "::stop-commands::$word"
sh "$(dirname "$0")/grade.sh" . "$report"
status=$?
echo "::$word::"

[ $status -le 1 ] || {
    echo "::error title=Faultline::not graded; the log says why"
    exit $status
}
cat "$report/annotations.txt"
cat "$report/summary.md" >>"$GITHUB_STEP_SUMMARY"
echo "result=$(cat "$report/classroom.txt")" >>"$GITHUB_OUTPUT"
[ "${FAULTLINE_PASS:-}" != always ] || status=0
exit $status
