#!/bin/sh
# gitlab.sh - the job's script, in the student's checkout: leaves the report in
# report/, where the job's artifacts are taken from. Exit status: 0 full marks,
# 1 points lost, 2 not graded.
set -u

rm -rf report
exec sh "$(dirname "$0")/grade.sh" . report
