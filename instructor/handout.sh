#!/bin/sh
# handout.sh ARCHIVE - packs what students get: the stubs and the grader, no
# solutions, no tests of the kit. The same files make the same archive, to the
# byte. With --folder instead, fills the folder ARCHIVE, which others pack.
set -eu

if [ "$1" = --folder ]; then
    folder=$2
else
    archive=$1
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    folder=$work/faultline
fi

for solution in solutions/*.c; do
    stub=exercises/${solution#solutions/}
    if cmp -s "$stub" "$solution" || ! grep -q TODO "$stub"; then
        echo "handout: $stub has nothing left to do: is it solved?" >&2
        exit 2
    fi
done

mkdir -p "$folder"
cp Makefile LICENSE .gitignore "$folder"
# The README without what is for others.
awk '/^## / { theirs = /^## For (instructors|those)/ }
     /^MIT license/ { theirs = 0 }
     !theirs' README.md >"$folder/README.md"
{
    find exercises -type f ! -name '.*' -name '*.[ch]'
    find exercises/README.md
    find harness -type f ! -name '.*' ! -name '*~' ! -name '*.o'
} | while IFS= read -r file; do
    mkdir -p "$folder/$(dirname "$file")"
    cp -p "$file" "$folder/$file"
done
[ "$1" != --folder ] || exit 0

mkdir -p "$(dirname "$archive")"
# No time, owner, umask or order of this machine gets in.
tar -C "$work" --sort=name --mtime="@${SOURCE_DATE_EPOCH:-1767225600}" \
    --owner=0 --group=0 --numeric-owner --mode=u+rwX,go+rX,go-w \
    --format=gnu -cf "$work/handout.tar" faultline
gzip -9n <"$work/handout.tar" >"$archive"
echo "packed $archive"
