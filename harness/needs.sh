#!/bin/sh
# needs.sh WHAT... - finds what is missing on this machine, and installs it
# where it may: as root, or with sudo that asks for no password, on a system
# with apt. Otherwise prints the command to run, and ends with status 2.
#
# WHAT is grade (to grade), class (many at once), hosts (on many machines),
# check (for the kit's own tests too), bench (to measure).
set -u

missing=
wished=

# want TEST PACKAGE: the package is missing where the test fails.
want() {
    eval "$1" >/dev/null 2>&1 || missing="$missing $2"
}

# The same, of what there is some use without.
wish() {
    eval "$1" >/dev/null 2>&1 || wished="$wished $2"
}

can_install() {
    command -v apt-get && { [ "$(id -u)" = 0 ] || sudo -n true; }
}

library() {
    want "pkg-config --exists $1" "$2"
}

for what in "$@"; do
    case $what in
    grade)
        want 'command -v pkg-config' pkg-config
        want "command -v ${CC:-cc}" gcc
        want 'printf "#include <stdio.h>\n" | ${CC:-cc} -E -' libc6-dev
        library cmocka libcmocka-dev
        library libfiu libfiu-dev
        library jansson libjansson-dev
        library libdw libdw-dev
        library libelf libelf-dev
        library expat libexpat1-dev
        library libxml-2.0 libxml2-dev
        library libseccomp libseccomp-dev
        [ "${VALGRIND:-yes}" = no ] || wish 'command -v valgrind' valgrind
        ;;
    check)
        want 'command -v gcc' gcc
        want 'command -v clang' clang
        want 'command -v clang-format' clang-format
        want 'command -v clang-tidy' clang-tidy
        want 'command -v cppcheck' cppcheck
        want 'command -v python3' python3
        want 'command -v fiu-ctrl' fiu-utils
        # For the system's own Python: another one does not see them.
        want '/usr/bin/python3 -c "import jsonschema"' python3-jsonschema
        want '/usr/bin/python3 -c "import junitparser"' python3-junitparser
        want '/usr/bin/python3 -c "import yaml"' python3-yaml
        want 'command -v xmllint' libxml2-utils
        want 'command -v cmark-gfm' cmark-gfm
        want 'perl -e "use TAP::Parser"' perl
        ;;
    class)
        # moreutils has another program of that name.
        want 'parallel --version | grep "GNU parallel"' parallel
        want 'command -v python3' python3
        ;;
    hosts)
        want 'command -v ssh' openssh-client
        want 'command -v rsync' rsync
        ;;
    bench) # each is measured where it is there
        wish 'command -v strace' strace
        wish 'command -v fiu-run' fiu-utils
        ;;
    *)
        echo "needs.sh: there is no list $what" >&2
        exit 2
        ;;
    esac
done
needed=$missing
[ -n "$wished" ] && can_install >/dev/null 2>&1 && missing="$missing$wished"
[ -n "$missing" ] || exit 0

install="apt-get install -y --no-install-recommends$missing"
if ! command -v apt-get >/dev/null 2>&1; then
    echo "Faultline needs these packages (Debian's names):$missing" >&2
    echo "Install them with your system's package manager, then again." >&2
    exit 2
fi
if [ "$(id -u)" = 0 ]; then
    sudo=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    sudo='sudo -n '
else
    echo "Faultline needs packages that are missing here. Please run:" >&2
    echo "    sudo $install" >&2
    exit 2
fi
echo "Faultline installs what is missing here: $sudo$install"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if ! { ${sudo}apt-get update && ${sudo}$install; } >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    rm -f "$log"
    [ -n "$needed" ] || exit 0
    echo "The installation failed. Please run: ${sudo}$install" >&2
    exit 2
fi
rm -f "$log"
