#!/bin/sh
# check.sh BUILD - the kit's own tests. Each part prints a line; the output of
# a part is shown where it fails. The exam, the longest, runs beside the others.
set -u
unset MAKEFLAGS MFLAGS MAKELEVEL

build=$1
results=$build/check/results
mkdir -p "$build/check"
: >"$results"

trap 'trap - TERM; kill 0' INT TERM # the exam goes with it

# part NAME COMMAND...: runs it with its output in a log.
part() {
    name=$1
    log=$build/check/$name.log
    shift
    begun=$(date +%s)
    if "$@" >"$log" 2>&1 </dev/null; then
        echo "ok $name ($(($(date +%s) - begun)) s)" | tee -a "$results"
    else
        tail -n 40 "$log"
        echo "not ok $name (all of it: $log)" | tee -a "$results"
    fi
}


solutions() {
    out=$(make -s grade BUILD="$build" SUBMISSION=solutions \
        REPORT="$build/check/solutions") || { echo "$out"; return 1; }
    echo "$out" | grep -q '^100/100 points'
}

stubs() {
    out=$(make -s grade BUILD="$build" SUBMISSION=exercises \
        REPORT="$build/check/exercises" 2>&1)
    echo "$out" | grep -q '^0/100 points' &&
        [ "$(echo "$out" | grep -c 'not started')" = 7 ]
}

sanitizers() {
    # The programs under test are not sanitized: nor what they preload.
    make -s unit BUILD="$build/asan" CC=clang INTERPOSER="$build/interposer.so" \
        CFLAGS='-Werror -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined'
}

compiles_with() {
    make -s build BUILD="$build/$1" CC="$1" CFLAGS=-Werror
}

part compiles_with_gcc compiles_with gcc
part compiles_with_clang compiles_with clang
make -s build BUILD="$build" || exit 1
part exam make -s exam QUICK=1 BUILD="$build" &
part unit_tests make -s unit BUILD="$build"
part solutions_get_full_marks solutions
part stubs_are_not_started stubs
part formats tests/formats.py --grade "$build/grade" \
    --interposer "$build/interposer.so" \
    "$build/check/solutions" "$build/check/exercises"
part stubs_and_solutions tests/stubs.py
part mutations tests/mutations.py
part bad_input tests/bad_input.sh "$build"
part rows tests/rows.py --quick --grade "$build/grade" \
    --interposer "$build/interposer.so"
part play_by_hand tests/play_by_hand.py "$build"
part torture tests/torture.py "$build"
part hostile tests/hostile.py --quick --grade "$build/grade" \
    --interposer "$build/interposer.so"
part words tests/words.py --grade "$build/grade" \
    --interposer "$build/interposer.so"
part packages tests/packages.sh "$build"
part services tests/services.py "$build"
part class tests/class.py "$build"
part watch tests/watch.py --build "$build"
part replays tests/replays.py --few --times 2 --grade "$build/grade" \
    --interposer "$build/interposer.so"
part unit_tests_under_sanitizers sanitizers
part format_and_linters make -s lint BUILD="$build"
wait
failed=$(grep -c '^not ok' "$results")
echo "check: $(grep -c '^ok' "$results") passed, $failed failed"
[ "$failed" = 0 ]
