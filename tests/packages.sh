#!/bin/sh
# packages.sh BUILD - what `make handout` packs works where it is unpacked.
set -u
unset MAKEFLAGS MFLAGS MAKELEVEL

build=$1
work=$(mktemp -d)
failed=0
trap 'rm -rf "$work"' EXIT

# claim NAME COMMAND...: the command succeeds; else its output is shown.
claim() {
    name=$1
    shift
    if ("$@") >"$work/out" 2>&1; then
        echo "ok $name"
    else
        failed=$((failed + 1))
        echo "not ok $name:"
        tail -n 20 "$work/out"
    fi
}

# ioctl(2), SIOCSIFFLAGS, IFF_UP: a new network's loopback is down.
loopback_up='
import fcntl, os, socket, struct, sys
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh22x", b"lo", 1))
os.execvp(sys.argv[1], sys.argv[1:])'

# The network is gone but for the loopback, the environment is a newcomer's.
offline() {
    if unshare -rn true 2>/dev/null; then
        unshare -rn python3 -c "$loopback_up" \
            env -i PATH="$PATH" HOME="$work" CFLAGS=-O0 "$@"
    else
        env -i PATH="$PATH" HOME="$work" CFLAGS=-O0 "$@"
    fi
}

# says TEXT COMMAND...: the command says so, whatever its status.
says() {
    text=$1
    shift
    "$@" >"$work/said" 2>&1
    cat "$work/said"
    grep -q -- "$text" "$work/said"
}

handout=$work/faultline

packs() {
    make -s handout BUILD="$build" && tar -C "$work" -xzf "$archive"
}

is_the_same_again() {
    first=$(sha256sum <"$archive")
    umask 077
    make -s handout BUILD="$build" && [ "$(sha256sum <"$archive")" = "$first" ]
}

holds_no() {
    ! tar -tzf "$archive" | grep -E "$1"
}

stays_at_home() {
    mkdir "$work/kit"
    cp -r Makefile LICENSE README.md .gitignore exercises solutions harness \
        instructor "$work/kit"
    cp solutions/forked.c "$work/kit/exercises"
    cd "$work/kit" && says 'exercises/forked.c has nothing left' make -s handout
}

help_is_true() {
    make -s -C "$handout" help >"$work/help" || return 1
    cat "$work/help"
    ! grep -Eq 'make (check|handout|exam|class|autograder)' "$work/help" &&
        ! grep -Eq 'make (check|handout|exam|class|autograder)|solutions' \
            "$handout/README.md"
}

solves() {
    cp solutions/net.[ch] solutions/sequential.c "$handout/exercises"
    says 'has passed: 27 of' offline make -s -C "$handout" grade STEP=sequential \
        VALGRIND=no
}

archive=$build/faultline-handout.tar.gz
claim handout_is_packed packs
claim handout_is_the_same_again is_the_same_again
claim handout_holds_no_solution holds_no '/(solutions|tests|instructor)/'
claim handout_refuses_a_solved_stub stays_at_home
claim handout_help_is_true help_is_true
claim handout_stubs_get_nothing says '^0/100 points' \
    offline make -s -C "$handout" grade
claim handout_grades_a_solution solves

echo "packages: $failed failed"
[ "$failed" = 0 ]
