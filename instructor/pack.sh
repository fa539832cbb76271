#!/bin/sh
# pack.sh TARGET BUILD - packs the kit for those who are to use it, in BUILD:
#
#   handout      what students get: the stubs and the grader, no solutions, no
#                tests of the kit
#   gradescope, classroom50, github, gitlab, autolab
#                the same with what the service asks for, see the README in it
#
# $COURSE names a file of points and hidden cases that a bundle grades by. The
# same files make the same archive, to the byte, on any machine.
set -eu

target=$1
build=$2
here=$(dirname "$0")/autograder

give_up() {
    echo "pack: $*" >&2
    exit 2
}

case $target in
handout | gradescope | classroom50 | github | gitlab | autolab) ;;
*) give_up "TARGET is gradescope, classroom50, github, gitlab or autolab," \
    "not '$target'" ;;
esac
[ -z "${COURSE:-}" ] || [ -f "$COURSE" ] ||
    give_up "COURSE=$COURSE: there is no such file"
[ -z "${COURSE:-}" ] ||
    "$build/grade" --list --course "$COURSE" >/dev/null || exit 2
for solution in solutions/*.c; do
    stub=exercises/${solution#solutions/}
    ! cmp -s "$stub" "$solution" && grep -q TODO "$stub" ||
        give_up "$stub has nothing left to do: is it solved?"
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
kit=$work/faultline

# ---- What goes in

handout() {
    mkdir "$kit"
    cp Makefile LICENSE .gitignore "$kit"
    # The README without what is for others.
    awk '/^## / { theirs = /^## For (instructors|those)/ }
         /^MIT license/ { theirs = 0 }
         !theirs' README.md >"$kit/README.md"
    {
        find exercises -type f ! -name '.*' -name '*.[ch]'
        find exercises/README.md
        find harness -type f ! -name '.*' ! -name '*~' ! -name '*.o'
    } | while IFS= read -r file; do
        mkdir -p "$kit/$(dirname "$file")"
        cp "$file" "$kit/$file"
    done
}

# What grades in a service: the handout, and how it is started there.
grader() {
    handout
    mkdir "$kit/autograder"
    cp "$here/grade.sh" "$here/$target/README.md" "$kit/autograder"
    [ ! -f "$here/$target/$target.sh" ] ||
        cp "$here/$target/$target.sh" "$kit/autograder"
    [ -z "${COURSE:-}" ] || cp "$COURSE" "$kit/autograder/course"
}

# ---- Archives: no time, owner, umask or order of this machine gets in

level() {
    chmod -R u+rwX,go+rX,go-w "$work"
    find "$work" -exec touch -h -d "@${SOURCE_DATE_EPOCH:-1767225600}" {} +
}

# plain_tar ARCHIVE NAME...: of what is in the work folder.
plain_tar() {
    archive=$1
    shift
    level
    tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner \
        --format=gnu -cf "$archive" "$@"
}

gzipped() {
    plain_tar "$work/packed.tar" "$1"
    gzip -9n <"$work/packed.tar" >"$build/faultline-$target.tar.gz"
    echo "packed $build/faultline-$target.tar.gz"
}

mkdir -p "$build"
build=$(cd "$build" && pwd)
case $target in
handout)
    handout
    gzipped faultline
    ;;
github)
    grader
    mkdir -p "$kit/.github/workflows"
    cp "$here/github/faultline.yml" "$kit/.github/workflows"
    gzipped faultline
    ;;
gitlab)
    grader
    cp "$here/gitlab/gitlab-ci.yml" "$kit/.gitlab-ci.yml"
    gzipped faultline
    ;;
classroom50)
    grader
    cp "$here/classroom50/autograder.py" "$work"
    mkdir "$work/autograders"
    mv "$kit" "$work/autograder.py" "$work/autograders"
    gzipped autograders
    ;;
gradescope)
    grader
    cp "$here/gradescope/setup.sh" "$here/gradescope/run_autograder" "$work"
    level
    rm -f "$build/faultline-gradescope.zip"
    # An order of its own, names sorted.
    (cd "$work" && TZ=UTC python3 -m zipfile -c \
        "$build/faultline-gradescope.zip" setup.sh run_autograder faultline)
    echo "packed $build/faultline-gradescope.zip"
    ;;
autolab)
    grader
    mkdir -p "$build/faultline-autolab"
    plain_tar "$build/faultline-autolab/autograde.tar" faultline
    cp "$here/autolab/autograde-Makefile" "$here/autolab/README.md" \
        "$build/faultline-autolab"
    echo "packed $build/faultline-autolab/: autograde.tar, autograde-Makefile"
    ;;
esac
