#!/usr/bin/env python3
"""mutations.py - does mutate.py make the edits that it says, and does each
line of EQUIVALENT.txt speak of one?
"""
import collections
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True
import exam_generated  # noqa: E402
import mutate  # noqa: E402

SAMPLE = r"""#include <errno.h>
#include <stdio.h>
#include <unistd.h>
static int unused(int fd) { return close(fd); }
static int pass(int from, int to)
{
    char piece[8];
    ssize_t n;
    while ((n = read(from, piece, sizeof(piece))) > 0) {
        if (write(to, piece, (size_t)n) == -1 && errno != EINTR)
            return -1;
    }
    return (int)n;
}
int main(void)
{
    if (pass(0, 1) == -1)
        perror("pass");
    for (int fd = 0; fd < 2; fd++)
        close(fd);
}
"""
EXPECTED = r"""
pass: once: while ((n = read(from, piece, sizeof(piece))) > 0) { if (write(to, piece, (size_t)n) == -1 && errno != EINTR) return -1; } -> if ((n = read(from, piece, sizeof(piece))) > 0) do { if (write(to, piece, (size_t)n) == -1 && errno != EINTR) return -1; } while (0);
pass: negate: (n = read(from, piece, sizeof(piece))) > 0 -> !((n = read(from, piece, sizeof(piece))) > 0)
pass: negate: write(to, piece, (size_t)n) == -1 -> !(write(to, piece, (size_t)n) == -1)
pass: negate: write(to, piece, (size_t)n) == -1 && errno != EINTR -> !(write(to, piece, (size_t)n) == -1 && errno != EINTR)
pass: length: (size_t)n -> ((size_t)n) - 1
pass: length: (size_t)n -> sizeof(piece)
pass: negate: errno != EINTR -> !(errno != EINTR)
pass: errno: errno != EINTR -> 1
pass: jump: return -1 -> (nothing)
main: call: if (pass(0, 1) == -1) perror("pass") -> (nothing)
main: negate: pass(0, 1) == -1 -> !(pass(0, 1) == -1)
main: call: perror("pass") -> (nothing)
main: once: for (int fd = 0; fd < 2; fd++) close(fd) -> { int fd = 0; if (fd < 2) do close(fd); while (0); }
main: negate: fd < 2 -> !(fd < 2)
main: close: close(fd) -> (nothing)
"""


def edits_of_sample():
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        path = pathlib.Path(folder) / "sample.c"
        path.write_text(SAMPLE)
        source = mutate.Source(path)
        return [str(edit) for _, function in mutate.reachable("main", [source])
                for edit in mutate.mutations(source, function)]


class Everything:
    """exam_generated's options: all mutants."""
    step, only = None, "*"


def rules_without_edit():
    rules = exam_generated.read_rules()
    all_of_them = exam_generated.mutants(Everything)
    return [rule.head for rule in rules
            if not any(rule.matches(mutant) for mutant in all_of_them)]


def main():
    expected = collections.Counter(EXPECTED.strip("\n").split("\n"))
    edits = collections.Counter(edits_of_sample())
    wrong = [f"missing: {edit}" for edit in (expected - edits).elements()] + \
        [f"unexpected: {edit}" for edit in (edits - expected).elements()] + \
        [f"{exam_generated.EQUIVALENT.name}: no edit is like this: {head}"
         for head in rules_without_edit()]
    print("\n".join(wrong) or "mutations: as expected")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
