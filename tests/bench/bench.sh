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
    "$runs"
