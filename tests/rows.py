#!/usr/bin/env python3
"""rows.py - is each row of the catalogue of failures worth its place?

    rows.py [--grade FILE] [--interposer FILE] [--step NAME ...] [--quick]
            [--rewrite]

For each row of harness/catalogue.c and each step: the step's solution, but
wrong in what it does about that one failure. The sweep must find it, in the
row of the right class, against the right rule, at a line that makes the call;
and it must find nothing else. tests/rows.txt says where a row applies, as
--rewrite found it: elsewhere the wrong program is as good as the solution.
--quick takes each row in the first step where it applies, and sweeps its class.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

KIT = pathlib.Path(__file__).resolve().parent.parent
TABLE = KIT / "tests/rows.txt"
STEPS = "client sequential forked reaper sigpipe threaded select".split()
CASES = {"TRANSPARENT": "survives_every_transparent_failure",
         "CONNECTION": "survives_every_connection_failure",
         "RESOURCE": "survives_every_resource_failure",
         "STARTUP": "reports_every_startup_failure"}
# Of the solutions: what they call, with which arguments.
CALLS = {"READ": ["read(fd, buf, len)", "recv(fd, buf, len, flags)"],
         "WRITE": ["write(fd, buf, len)", "send(fd, buf, len, flags)"],
         "ACCEPT": ["accept(fd, addr, size)"],
         "POLL": ["poll(fds, count, ms)", "ppoll(fds, count, ms, mask)",
                  "select(most, in, out, oob, time)"],
         "WAIT": ["waitpid(pid, status, options)"],
         "SHUTDOWN": ["shutdown(fd, how)"],
         "SETSOCKOPT": ["setsockopt(fd, level, option, value, size)"],
         "FORK": ["fork()"], "MALLOC": ["malloc(size)"],
         "PTHREAD_CREATE": ["pthread_create(id, attr, start, arg)"],
         "GETADDRINFO": ["getaddrinfo(host, port, hints, list)"],
         "SOCKET": ["socket(domain, type, protocol)"],
         "BIND": ["bind(fd, addr, size)"], "LISTEN": ["listen(fd, backlog)"],
         "CONNECT": ["connect(fd, addr, size)"]}
TYPES = {"READ": "ssize_t", "WRITE": "ssize_t", "FORK": "pid_t",
         "WAIT": "pid_t", "MALLOC": "void *"}
# What a scene's clients say at once, and a user types: a read of less, or of
# more, is none that its author has ever seen.
LESS_BY_ONE = (39, 119, 59, 79, 19, 3, 11, 5)
HALF = (30, 10, 2, 3)

# Calls can be interrupted, and each step's wrong programs can tell.
HANDLER = """
#include <errno.h>
#include <signal.h>
#include <unistd.h>
static void nothing(int signal)
{
    (void)signal;
}
__attribute__((constructor)) static void handle(void)
{
    struct sigaction action = {.sa_handler = nothing};
    sigaction(SIGUSR1, &action, NULL);
}
"""

# As getaddrinfo(3) says it.
EAI = {"EAGAIN": "EAI_AGAIN", "ENOMEM": "EAI_MEMORY"}


class Row:
    """One failure of the catalogue."""

    def __init__(self, family, action, value, kind):
        self.family, self.value, self.kind = family, value, kind
        self.short = action == "SHORT"

    def __str__(self):
        return f"{self.family.lower()} " + \
            (f"short:{self.value}" if self.short else self.value)

    def is_hit(self):
        """The condition, in C, by which the wrong program knows it."""
        length = "(ssize_t)(len)"
        if self.short and self.family == "WRITE":
            part = {"1": "1", "-1": f"{length} - 1", "0": f"{length} / 2"}
            return f"r_ > 0 && r_ < {length} && r_ == {part[self.value]}"
        if self.short:
            sizes = {"1": (1,), "-1": LESS_BY_ONE, "0": HALF}[self.value]
            return " || ".join(f"r_ == {size}" for size in sizes)
        if self.family == "GETADDRINFO":
            return "r_ == " + EAI[self.value]
        if self.family == "PTHREAD_CREATE":
            return f"r_ == {self.value}"
        failed = "!r_" if self.family == "MALLOC" else "r_ < 0"
        return f"{failed} && errno == {self.value}"

    def mistake(self):
        if self.short:
            return "r_ = (len)" if self.family == "WRITE" else "r_ = 0"
        if self.kind == "CONNECTION":
            return "for (;;) pause()"
        return f"_exit({0 if self.kind == 'STARTUP' else 1})"

    def macros(self):
        text = ""
        for call in CALLS[self.family]:
            name, arguments = call.split("(", 1)
            arguments = re.sub(r"(\w+)", r"(\1)", arguments)
            text += f"#define {call} __extension__({{ " \
                f"{TYPES.get(self.family, 'int')} r_ = {name}({arguments}; " \
                f"if ({self.is_hit()}) {self.mistake()}; r_; }})\n"
        return text

    def obligation(self):
        if self.value == "EINTR":
            return "interrupt"
        if self.kind == "STARTUP":
            return "startup"
        by_family = {"ACCEPT": "accept", "FORK": "fork",
                     "PTHREAD_CREATE": "thread", "MALLOC": "memory"}
        if self.family in by_family:
            return by_family[self.family]
        if self.kind == "TRANSPARENT":
            return "partial"
        return "sigpipe" if self.value == "EPIPE" else "reset"

    def names(self, harm, folder):
        """Does that line of a report speak of this failure, and of a line
        that makes the call?"""
        place = re.match(r"([\w.]+):(\d+) \w+\(\): (short (\w+)|(\w+)\(\) = "
                         r"(\w+)) did harm ", harm)
        if not place:
            return False
        if self.short and place[4] == "write":
            return True  # what a short write sends comes back as short
        code = (folder / place[1]).read_text().splitlines()[int(place[2]) - 1]
        calls = [call.partition("(")[0] for call in CALLS[self.family]]
        if not re.search(r"\b(" + "|".join(calls) + r")\(", code):
            return False
        if self.short:
            return place[4] == self.family.lower()
        error = EAI[self.value] if self.family == "GETADDRINFO" else self.value
        return place[5] in calls and place[6] == error


def catalogue():
    text = (KIT / "harness/catalogue.c").read_text()
    rows = re.findall(r"^    \{FAMILY_(\w+), +FAULT_(\w+), (-?\w+), +CLASS_(\w+),",
                      text, re.M)
    return [Row(*row) for row in rows]


def spoil(text, extra):
    """That behind the last #include of a source."""
    at = text.rindex("\n#include")
    end = text.index("\n", at + 1) + 1
    return text[:end] + extra + text[end:]


def write(step, row, folder):
    folder.mkdir()
    for name in (f"{step}.c", "net.c", "net.h"):
        text = (KIT / "solutions" / name).read_text()
        if name.endswith(".c"):
            text = spoil(text, (HANDLER if name != "net.c" else
                                "#include <errno.h>\n#include <unistd.h>\n") +
                         (row.macros() if row else ""))
        (folder / name).write_text(text)


def sweep(step, row, options):
    """What is wrong with the verdicts on that wrong program, '' or a word on
    it; and whether the failure was found at all."""
    with tempfile.TemporaryDirectory(prefix="rows-") as work:
        folder = pathlib.Path(work) / "submission"
        write(step, row, folder)
        cases = CASES[row.kind] if options.quick and row else \
            "*_every_*_failure"
        run = subprocess.run(
            [options.grade, "--interposer", options.interposer,
             "--submission", folder, "--report", f"{work}/report", "--step",
             step, "--case", cases, "--valgrind", "no", "--formats", "none"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=600,
            check=False)
        try:
            with open(f"{work}/report/report.json", encoding="utf-8") as file:
                cases = json.load(file)["steps"][0]["cases"]
        except FileNotFoundError:
            return run.stderr.decode(errors="replace"), False
        return judge(row, cases, folder)


def judge(row, cases, folder):
    cases = {case["name"]: case for case in cases}
    if cases["compiles"]["status"] != "pass":
        return cases["compiles"]["message"], False
    odd = [f"{case['name']}: {case['status']}: {case['message'][:200]}"
           for case in cases.values()
           if case["status"] not in ("pass", "fail") or
           case["status"] == "fail" and
           (not row or case["name"] != CASES[row.kind]) and
           not (row and row.value == "EINTR")]  # children's ends interrupt, too
    found = cases.get(row and CASES[row.kind])
    if odd or not found or found["status"] == "pass":
        return "; ".join(odd), False
    strange = [harm for harm in found["harm"] if not row.names(harm, folder)]
    if strange or not found["harm"]:
        return f"blames {strange or 'nothing'}", True
    if found["obligation"] != row.obligation():
        return f"against {found['obligation']}, not {row.obligation()}", True
    return "", True


def programs(rows, kept, options):
    """Which to play. Nothing is wrong with the first ones: what the others
    are made of."""
    work = [(step, row) for step in options.step for row in rows]
    if not options.rewrite:
        work = [(step, row) for step, row in work if f"{step} {row}" in kept]
    if options.quick:
        first = {str(row): step for step, row in reversed(work)}
        work = [(step, row) for step, row in work if first[str(row)] == step]
    return [(step, None) for step in dict.fromkeys(s for s, _ in work)] + work


def play(work, kept, options):
    """How many went wrong, and the names of those that were found."""
    failed, names = 0, []
    with concurrent.futures.ThreadPoolExecutor(
            4 * (os.cpu_count() or 1)) as pool:
        results = pool.map(lambda one: sweep(*one, options), work)
        for (step, row), (trouble, found) in zip(work, results):
            name = f"{step} {row}" if row else step
            if found:
                names.append(name)
            elif name in kept and not options.rewrite:
                trouble = f"missed {trouble}"
            failed += bool(trouble)
            print(f"not ok {name}: {trouble}" if trouble else f"ok {name}",
                  flush=True)
    return failed, names


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--grade", default=KIT / "build/grade",
                        type=pathlib.Path)
    parser.add_argument("--interposer", default=KIT / "build/interposer.so",
                        type=pathlib.Path)
    parser.add_argument("--step", nargs="*", default=STEPS, choices=STEPS)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rewrite", action="store_true")
    options = parser.parse_args()
    rows = catalogue()
    kept = TABLE.read_text().splitlines()
    failed, found = play(programs(rows, kept, options), kept, options)
    if options.rewrite:
        found = sorted(
            found + [name for name in kept if name.partition(" ")[0] in
                     set(STEPS) - set(options.step)],
            key=lambda name: STEPS.index(name.partition(" ")[0]))
        nowhere = {str(row) for row in rows} - \
            {name.partition(" ")[2] for name in found}
        TABLE.write_text("".join(f"{name}\n" for name in found) +
                         "".join(f"nowhere {row}\n" for row in rows
                                 if str(row) in nowhere))
    else:
        for row in rows:
            if str(row) not in {name.partition(" ")[2] for name in kept}:
                failed += 1
                print(f"not ok {row}: not in {TABLE.name}; --rewrite it")
    print(f"rows: {len(found)} wrong programs found, {failed} not ok")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
