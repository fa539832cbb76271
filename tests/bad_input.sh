#!/bin/sh
# bad_input.sh BUILD - each bad input gets one clear line and the designed
# exit status, and no half-written report is taken for a whole one.
set -u

build=$1
work=$(mktemp -d)
failed=0
some='@(echoes_a_line|uses_memory_correctly)'
trap 'rm -rf "$work"' EXIT

grade() {
    "$build/grade" --interposer "$build/interposer.so" \
        --report "$work/report" "$@" >"$work/out" 2>&1
}

# told NAME STATUS TEXT CAME: what came is this status, and was said.
told() {
    if [ "$4" = "$2" ] && grep -qF -- "$3" "$work/out"; then
        echo "ok $1"
    else
        failed=$((failed + 1))
        echo "not ok $1: status $4 (not $2), said:"
        head -n 20 "$work/out"
    fi
}

# claim NAME STATUS TEXT OPTION...: grade ends so and says so.
claim() {
    name=$1 status=$2 text=$3
    shift 3
    grade "$@"
    told "$name" "$status" "$text" $?
}

claim unknown_step 2 'there is no step fork; the steps are: client' --step fork
claim unknown_case 2 'no case is named fly' --case fly
claim unknown_option 2 'usage: grade' --fly
claim stray_argument 2 'unexpected argument fly' fly
claim bad_jobs 2 'JOBS is a number' --jobs many
claim bad_isolation 2 'there is no isolation moon' --isolation moon
claim missing_submission 2 'No such file' --submission "$work/nowhere"
touch "$work/file"
claim submission_is_a_file 2 'is not a folder' --submission "$work/file"
claim submission_is_empty 2 'SUBMISSION= is empty' --submission ''
claim the_folder_above 2 'but in ./exercises; name that' --submission .

claim unknown_format 2 \
    'there is no format xml; the formats are: annotations autolab' \
    --formats 'junit xml'
claim missing_course 2 "COURSE=$work/none: No such file" --course "$work/none"
claim course_is_a_folder 2 'Is a directory' --course "$work"
printf '# ours\n\nhide forked/flies\n' >"$work/course"
claim course_with_unknown_case 2 'course:3: no case is named forked/flies' \
    --course "$work/course"
echo 'points forked/listens 3' >"$work/course"
claim course_without_total 2 'course:1: points are set, but no line says' \
    --course "$work/course"
# The README's example is a good one.
sed -n '/^    points forked/,/^    total/p' README.md >"$work/course"
claim course_of_the_readme 0 'All that was played has passed: 1 of' --submission solutions \
    --step forked --case compiles --course "$work/course"
claim missing_report 2 'unable to open' --from "$work/none"

mkdir "$work/empty"
claim step_without_file 1 'there is no file client.c' \
    --submission "$work/empty" --step client

mkdir "$work/broken"
printf 'int main(void)\n{\n    return x;\n}\n' >"$work/broken/client.c"
claim does_not_compile 1 "client.c:3" --submission "$work/broken" --step client
grep -q 'undeclared' "$work/out" ||
    { failed=1; echo "not ok the compiler's words are shown"; }

mkdir "$work/linked"
ln -s "$work/broken/client.c" "$work/linked/client.c"
claim a_link_is_not_taken 1 'there is no file client.c' \
    --submission "$work/linked" --step client

mkdir "$work/with a blank and 'quotes'"
cp solutions/client.c solutions/net.c solutions/net.h \
    "$work/with a blank and 'quotes'"
claim path_with_blanks 0 'All that was played has passed' \
    --submission "$work/with a blank and 'quotes'" --step client --case "$some"

claim report_folder_is_a_file 2 'is not a folder' --report "$work/file" --step client
claim replay_wants_one_case 2 'a replay wants one case' --replay text
claim peers_in_bad_grammar 2 'PEERS=1+1: acts are joined' \
    --replay text --step forked --peers 1+1
claim a_plan_and_a_case 2 'leave CASE= out' --replay text --step forked \
    --fault fork=EAGAIN --case listens
claim peers_of_a_client 2 'the clients of a server; client is none' \
    --replay text --step client --peers 1+
for plan in FAULT=fork=EAGAIN PEERS=1+; do
    make -s grade BUILD="$build" STEP=forked "$plan" >"$work/out" 2>&1
    told "grade_takes_no_$plan" 2 'FAULT= and PEERS= are for make replay' $?
done
claim replay_format 2 'FORMAT is text or json' --replay xml --case listens

# A full disk: the report is written beside and renamed, or not at all.
mkdir "$work/full"
if mount -t tmpfs -o size=8k none "$work/full" 2>/dev/null; then
    dd if=/dev/zero of="$work/full/fill" bs=4k count=1 2>/dev/null
    claim full_disk 2 'cannot write' --submission "$work/empty" \
        --report "$work/full"
    if [ -n "$(find "$work/full" -type f ! -name fill ! -name '*.log')" ]; then
        failed=1
        echo "not ok a full disk leaves no half report"
    fi
    mount -o remount,ro "$work/full" &&
        claim read_only_disk 2 'cannot write into the report folder' \
            --submission "$work/empty" --report "$work/full"
    umount "$work/full"
fi

# Few open files are enough to start with; where more may not be had, that is
# said. (A root that may do all may have them.)
files=$(ulimit -Sn)
ulimit -Sn 64
claim few_open_files 0 'All that was played has passed' --submission solutions --step sequential \
    --case echoes_a_line
ulimit -Sn "$files"
(ulimit -n 64 && grade --submission solutions --step sequential \
    --case echoes_a_line)
came=$?
case $came in
2) text='a play needs 1024 descriptors' ;;
*) text='All that was played has passed' ;;
esac
told too_few_open_files $came "$text" $came

# Where files may not grow, as on a disk that gets full while it is written.
if (ulimit -f 1 && grade --submission "$work/empty" --report "$work/limited"); \
    [ $? = 2 ] && [ ! -e "$work/limited/report.json" ]; then
    echo "ok file_size_limit"
else
    failed=$((failed + 1))
    echo "not ok file_size_limit:"
    head -n 20 "$work/out"
fi

# ---- Valgrind: the environment's trouble costs no points

# without_points NAME: none are lost, none are given for what was not judged.
without_points() {
    if grep -q '^FAILED' "$work/out" || grep -q 'Full marks\|has passed' "$work/out"; then
        failed=$((failed + 1))
        echo "not ok $1 neither costs nor gives points"
    fi
}

# claim_valgrind NAME TEXT SCRIPT: with this script in valgrind's place.
claim_valgrind() {
    if [ -n "$3" ]; then
        printf '#!/bin/sh\n%s\n' "$3" >"$work/bin/valgrind"
        chmod +x "$work/bin/valgrind"
    fi
    (PATH=$work/bin claim "$1" 2 "$2" --submission solutions \
        --step sequential --case "$some" --isolation plain; exit $failed) ||
        failed=1
    without_points "$1"
}

real=$(command -v valgrind)
mkdir "$work/bin"
ln -s /usr/bin/* "$work/bin/"
rm -f "$work/bin/valgrind"
claim_valgrind no_valgrind 'there is no valgrind on this machine' ''
claim_valgrind valgrind_too_old 'valgrind 3.10 is too old' 'echo valgrind-3.10.1'
claim_valgrind valgrind_of_another_machine 'valgrind does not run here' 'exit 126'
claim_valgrind valgrind_is_killed 'valgrind cannot run the program' \
    "[ \"\$1\" = --version ] && exec $real --version; kill -9 \$\$"
claim_valgrind valgrind_without_memory 'valgrind cannot run the program' \
    "[ \"\$1\" = --version ] || ulimit -v 65536; exec $real \"\$@\""
claim valgrind_was_not_wanted 0 'All that was played has passed' --submission solutions \
    --step sequential --case "$some" --valgrind no

# A program that knows that it is watched gains nothing: where it has valgrind
# killed it is not judged, where it leaves early its rows are skipped.
knowing() {
    mkdir "$work/$1"
    cp solutions/net.c solutions/net.h "$work/$1"
    sed "s|^    for (;;) {|    if (strstr(getenv(\"LD_PRELOAD\"), \"vgpreload\"))\n\
        $2;\n&|; s|^#include <errno.h>|&\n#include <signal.h>|" \
        solutions/sequential.c >"$work/$1/sequential.c"
}

knowing kills_valgrind 'for (fork() ? 0 : kill(getppid(), SIGKILL);;) pause()'
claim a_program_that_kills_valgrind 2 'valgrind was killed before its report' \
    --submission "$work/kills_valgrind" --step sequential --case "$some"
without_points a_program_that_kills_valgrind
knowing leaves_early '_exit(0)'
claim a_program_that_leaves_valgrind 1 'SKIPPED sequential: uses_memory' \
    --submission "$work/leaves_early" --step sequential --case "$some"

# Without IPv6 and without namespaces it grades all the same.
claim plain_isolation 0 'isolation: plain' --submission solutions \
    --step sequential --isolation plain
if unshare -Ur true 2>/dev/null && [ "$(id -u)" = 0 ] &&
    unshare -n sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6' \
        2>/dev/null; then
    unshare -n sh -c "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
        ip link set lo up 2>/dev/null
        '$build/grade' --report '$work/report' \
        --interposer '$build/interposer.so' --submission solutions \
        --step sequential --isolation plain" >"$work/out" 2>&1
    came=$?
    if [ $came = 0 ]; then
        echo "ok no_ipv6"
    else
        failed=$((failed + 1))
        echo "not ok no_ipv6: status $came"
        head -n 20 "$work/out"
    fi
fi

echo "bad input: $failed failed"
[ "$failed" = 0 ]
