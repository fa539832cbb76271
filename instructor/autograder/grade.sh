#!/bin/sh
# grade.sh SUBMISSION REPORT [OPTION...] - grades one submission with the kit
# that this file came with, in a service: builds the kit where it is not yet,
# takes the files from SUBMISSION, from its folder exercises/ or from that of a
# folder in it (a whole handout, unpacked), and leaves all formats in REPORT. It is built in $BUILD; the kit's build/ without it. Exit
# status: 0 full marks, 1 points lost, 2 not graded.
set -u

kit=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-$kit/build}
submission=$1
report=$2
shift 2

holds_programs() {
    for program in "$kit"/exercises/*.c; do
        [ ! -e "$1/$(basename "$program")" ] || return 0
    done
    return 1
}

for folder in "$submission" "$submission/exercises" \
    "$submission"/*/exercises; do
    if holds_programs "$folder" && [ ! -L "$folder" ]; then
        submission=${folder#./}
        break
    fi
done
[ ! -f "$kit/autograder/course" ] ||
    set -- --course "$kit/autograder/course" "$@"

make -s -C "$kit" build BUILD="$build" || exit 2
# Without it some cases can't be judged: said before, not after.
command -v valgrind >/dev/null || [ "${VALGRIND:-}" = no ] || {
    echo "grade.sh: valgrind is missing here; nothing is graded" >&2
    exit 2
}
exec "$build/grade" --submission "$submission" --told-as exercises \
    --report "$report" \
    --interposer "$build/interposer.so" \
    --jobs "${JOBS:-}" --valgrind "${VALGRIND:-}" --step "${STEP:-}" "$@"
