#!/bin/sh
# autolab.sh [-A] HANDIN - grades an archive with the student's files at its top
# or in exercises/. With -A the last line on stdout is Autolab's autoresult;
# where nothing was graded there is none, and Autolab says so rather than
# giving 0 points.
set -u

autoresult=
[ "$1" != -A ] || { autoresult=yes && shift; }

rm -rf submission report
mkdir submission
tar -xf "$1" -C submission --no-same-owner --no-same-permissions || {
    echo "The handin is no tar archive. Make it with:"
    echo "    tar -cf handin.tar exercises"
    exit 2
}
sh "$(dirname "$0")/grade.sh" submission report --formats autolab
status=$?
[ $status -le 1 ] || exit $status
[ -z "$autoresult" ] || cat report/autolab.txt
