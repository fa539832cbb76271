#!/bin/sh
# class.sh BUILD - grades every folder in $SUBMISSIONS, $JOBS at a time, on
# this machine or on those of the file $HOSTS, and writes class.csv, class.json
# and class.html to the folder $CLASS. What was graded stays so: started again
# after an interruption, it goes on where it was.
#
# Exit status: 0 all are graded, 1 interrupted, 2 some could not be graded.
set -u

build=$1
out=${CLASS:-$build/class}
here=$(cd "$(dirname "$0")" && pwd)
jobs=${JOBS:-$(nproc)}

give_up() {
    echo "class: $*" >&2
    exit 2
}

case $jobs in
*[!0-9]* | '' | 0* | ????*) give_up "JOBS is a number from 1 to 999, not $jobs" ;;
esac
[ -n "${SUBMISSIONS:-}" ] ||
    give_up "say where the submissions are: make class SUBMISSIONS=DIR"
for file in "HOSTS=${HOSTS:-}" "COURSE=${COURSE:-}"; do
    [ -z "${file#*=}" ] || [ -f "${file#*=}" ] ||
        give_up "$file: there is no such file"
done

"$build/grade" --list --step "${STEP:-}" --course "${COURSE:-}" >/dev/null ||
    exit 2

# ---- The kit as it is now grades all of them

set -- "$build/grade" "$build/interposer.so" "$build/valgrind.supp" \
    "$here/class_one.sh"
settings=$(cat "$@" ${COURSE:+"$COURSE"} | sha256sum
    echo "${STEP:-}|${VALGRIND:-}|${ISOLATION:-}")
mkdir -p "$out/kit" && out=$(cd "$out" && pwd) ||
    give_up "cannot write to the folder $out"
exec 9>"$out/lock"
flock -n 9 || give_up "another make class is at work in $out"
# parallel may be killed, or interrupted while it starts a job, and forget it.
end_jobs() {
    rm -f "$out/open"
    for job in "$out"/build/*.job; do
        [ -e "$job" ] || continue
        flock -n "$job" true || kill "$(cat "$job")" 2>/dev/null
        flock "$job" true
    done
    rm -rf "$out/build"
}

end_jobs
if [ "$settings" != "$(cat "$out/settings" 2>/dev/null)" ]; then
    [ ! -s "$out/joblog" ] ||
        echo "class: the kit or its options are others now: all are graded anew"
    rm -rf "$out/jobs" "$out/joblog" "$out/reports"
    rm -f "$out/kit/course"
    [ -z "${COURSE:-}" ] || cp "$COURSE" "$out/kit/course"
    cp "$@" "$out/kit" && echo "$settings" >"$out/settings" ||
        give_up "cannot write to the folder $out"
fi
python3 "$here/class_list.py" "$SUBMISSIONS" "$out" || exit 2

# ---- Grading

hosts=
workdir=.faultline-class-$(echo "$out" | cksum | cut -d ' ' -f 1)
if [ -n "${HOSTS:-}" ]; then
    cp "$HOSTS" "$out/hosts"
    hosts="--sshloginfile hosts --wd $workdir --return reports/{1}
        --transferfile submissions/{1} --basefile kit/grade
        --basefile kit/interposer.so --basefile kit/valgrind.supp
        --basefile kit/class_one.sh --basefile open${COURSE:+ --basefile kit/course}"
fi

# Lines "ID VERDICT" -> where we are.
tell() {
    trap '' INT
    begun=$(date +%s)
    told=0
    while read -r id verdict; do
        told=$((told + 1))
        left=$((todo - told))
        eta=$(((($(date +%s) - begun) * left + told - 1) / told))
        if [ $eta -ge 90 ]; then
            eta="$(((eta + 59) / 60)) min"
        else
            eta="$eta s"
        fi
        printf '%*d of %d  %-24s %s%s\n' ${#all} $((all - left)) "$all" \
            "$(cat "submissions/$id/.name")" "$verdict" \
            "$([ $left = 0 ] || echo ", $eta left")"
    done
}

# Lines of "jobs" that no report answers.
ungraded() {
    while read -r id digest; do
        [ "$(cat "submissions/$id/.digest" 2>/dev/null)" != "$digest" ] ||
            [ "$(cat "reports/$id/graded" 2>/dev/null)" = "$digest" ] ||
            echo "$id"
    done <jobs | sort -u | wc -l
}

cd "$out" || exit 2
all=$(find submissions -mindepth 1 -maxdepth 1 | wc -l)
todo=$(ungraded)
if [ "$todo" -lt "$all" ]; then
    echo "class: $((all - todo)) of $all are graded already"
fi
export HOME="${HOME:-$out/kit}" # parallel keeps something there
# What runs here has no kit of its own; {1} has no sign that a shell minds.
export CLASS_FOLDER="$out"
interrupted=
trap 'interrupted=yes' INT
: >open
# shellcheck disable=SC2016,SC2086
parallel --plain --will-cite --jobs "$jobs" $hosts --timeout 3600 \
    --termseq TERM,10000,KILL,100 \
    --joblog joblog --resume-failed --colsep ' ' --arg-file jobs --quote sh -c \
    'test -x kit/grade || cd "$CLASS_FOLDER"; exec sh kit/class_one.sh "$@"' \
    one {1} {2} --jobs 2 --formats none --course "${COURSE:+kit/course}" \
    --step "${STEP:-}" --valgrind "${VALGRIND:-}" \
    --isolation "${ISOLATION:-}" </dev/null 9>&- | tell
[ -z "$hosts" ] ||
    parallel --plain --will-cite --nonall --sshloginfile hosts \
        rm -rf "$workdir" </dev/null
end_jobs

# ---- The results so far

python3 "$here/class_page.py" . || exit 2
if [ -n "$interrupted" ]; then
    echo "class: interrupted; the same command goes on from here"
    exit 1
fi
[ "$(ungraded)" = 0 ] || exit 2
