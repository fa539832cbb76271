#!/bin/sh
# bench.sh BUILD [RUNS] - what was measured, where, when and how; Markdown.
set -u

build=$1
runs=${2:-300}
model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)

echo "# What a case costs"
echo
echo "One scenario, played in turn in each way: start a forked echo server with"
echo "a failure armed that is never due, connect, echo a line, half-close, end."
echo "The ratios are medians over neighbouring runs; load is of the machine's"
echo "others, and stretches all of it."
echo
echo "- Machine: ${model:-$(uname -m)}, $(nproc) cores, Linux $(uname -r)"
echo "- Date: $(date -u +%Y-%m-%d)"
echo "- Load before: $(cut -d' ' -f1 /proc/loadavg) (1 min), of $(nproc) cores"
echo "- Command: \`make bench RUNS=$runs\`"
echo
"$build/tests/bench/bench" "$build/tests/bench/server" "$build/interposer.so" \
    "$runs" || exit
echo
echo "A case of ours is a fork of a program that was executed once; the third row"
echo "is the same library with an exec each time. What strace takes, in times of"
echo "the bare scenario, is the most that any harness can be quicker than strace."

# The median of five, in ms.
time_of() {
    for _ in 1 2 3 4 5; do
        begun=$(date +%s%N)
        "$build/grade" --interposer "$build/interposer.so" \
            --submission solutions --report "$build/bench" --formats none \
            "$@" >/dev/null 2>&1 || exit 1
        echo $((($(date +%s%N) - begun) / 1000000))
    done | sort -n | sed -n 3p
}

echo
echo "# What grading the seven solutions costs"
echo
echo "Medians of five, in ms; building them is in each."
echo
echo "| of \`make grade SUBMISSION=solutions\` |    ms |"
echo "|---------------------------------------|------:|"
built=$(time_of --case compiles --valgrind no)
swept=$(time_of --case '@(survives|reports)_every_*' --valgrind no)
printf '| %-37s | %5d |\n' "building alone" "$built" \
    "the sweeps, without building" $((swept - built)) \
    "all but valgrind's cases" "$(time_of --valgrind no)" \
    "valgrind's cases alone" "$(time_of --valgrind only)" \
    "everything" "$(time_of)"

echo
echo "# What a sweep costs"
echo
echo "The sequential server's, medians of five, in ms. In the first table the"
echo "scene grows, and with it the number of runs and what each has to play."
echo
"$build/tests/bench/sweeps" "$build/interposer.so" solutions tests/bench/hangs
