#!/bin/sh
# bench.sh BUILD [RUNS] - what was measured, where, when and how; Markdown.
set -u

build=$1
runs=${2:-300}
model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)

echo "Machine: ${model:-$(uname -m)}, $(nproc) cores, Linux $(uname -r)"
echo "Date: $(date -u +%Y-%m-%d)"
echo "Load before: $(cut -d' ' -f1 /proc/loadavg)"
echo "Command: \`make bench RUNS=$runs\`"
echo
"$build/tests/bench/bench" "$build/tests/bench/server" "$build/interposer.so" \
    "$runs"
