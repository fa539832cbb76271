#!/bin/sh
# check.sh BUILD - the kit's own tests. Each part prints a line; the output of
# a part is shown where it fails. Three run side by side, the longest first, and
# beside them those that wait more than they work; the attacks run by
# themselves, since they take the whole machine.
set -u
unset MAKEFLAGS MFLAGS MAKELEVEL

build=$1
kit=$build/check/kit
results=$build/check/results
taken=$build/check/taken
rm -rf "$taken"
mkdir -p "$taken"
: >"$results"

trap 'trap - TERM; kill 0' INT TERM # what runs beside goes with it

# part NAME COMMAND...: runs it with its output in a log; once, by the first who
# comes to it.
part() {
    name=$1
    log=$build/check/$name.log
    shift
    mkdir "$taken/$name" 2>/dev/null || return 0
    begun=$(date +%s)
    if "$@" >"$log" 2>&1 </dev/null; then
        echo "ok $name ($(($(date +%s) - begun)) s)" | tee -a "$results"
    else
        echo "$(tail -n 40 "$log")
not ok $name (all of it: $log)"
        echo "not ok $name" >>"$results"
    fi
}

# The kit that is tested is one that gcc, or CC=, has nothing to say of; clang has
# its say with the sanitizers. Whatever calls make finds it as it was built.
export CC="${CC:-gcc}" CFLAGS=-Werror

make_kit() {
    make -s BUILD="$kit" "$@"
}

with_kit() {
    command=$1
    shift
    "$command" "$@" --grade "$kit/grade" --interposer "$kit/interposer.so"
}

# They wait more than they work, and are no others with sanitizers.
long='tests/unit/test_proof.c tests/unit/test_watchdog.c'

# The programs under test are not sanitized: nor what they preload.
sanitizers() {
    make -s unit BUILD="$build/asan" CC=clang INTERPOSER="$kit/interposer.so" \
        WITHOUT="$long" \
        CFLAGS='-Werror -O0 -fsanitize=address,undefined -fno-sanitize-recover=undefined'
}

solutions() {
    out=$(make_kit grade SUBMISSION=solutions \
        REPORT="$build/check/solutions") || { echo "$out"; return 1; }
    echo "$out" | grep -q '^100/100 points'
}

stubs() {
    out=$(make_kit grade SUBMISSION=exercises \
        REPORT="$build/check/exercises" 2>&1)
    echo "$out" | grep -q '^0/100 points' &&
        [ "$(echo "$out" | grep -c 'not started')" = 7 ]
}

part compiles make_kit build
! grep -q "^not ok" "$results" || exit 1

parts() {
    part exam make_kit exam QUICK=1
    part clang_and_sanitizers sanitizers
    part format_and_linters make_kit lint
    part class tests/class.py "$kit"
    part words with_kit tests/words.py
    part rows with_kit tests/rows.py --quick
    part replays with_kit tests/replays.py --few --times 2
    part torture tests/torture.py "$kit"
    part packages tests/packages.sh "$kit"
    part bad_input tests/bad_input.sh "$kit"
    part watch tests/watch.py --build "$kit"
    part solutions_get_full_marks solutions
    part stubs_are_not_started stubs
    part stubs_and_solutions tests/stubs.py
    part mutations tests/mutations.py
    part play_by_hand tests/play_by_hand.py "$kit"
}

part services tests/services.py &
part long_unit_tests make_kit unit UNIT="$long" &
for _ in 1 2 3; do
    parts &
done
wait
part formats with_kit tests/formats.py \
    "$build/check/solutions" "$build/check/exercises"
part hostile with_kit tests/hostile.py --quick
failed=$(grep -c '^not ok' "$results")
echo "check: $(grep -c '^ok' "$results") passed, $failed failed"
[ "$failed" = 0 ]
