#!/bin/sh
# setup.sh - Gradescope runs it once, as root, when it builds the image: what
# the kit needs is installed, and the kit is built.
set -eu

kit=${AUTOGRADER:-/autograder}/source/faultline
command -v make >/dev/null || {
    apt-get update && apt-get install -y --no-install-recommends make
}
make -s -C "$kit" build
command -v valgrind
