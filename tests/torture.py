#!/usr/bin/env python3
"""torture.py BUILD - what `make torture` must find in the wrong programs of
tests/torture/, which survive each failure by itself: found, made small, and
played again by the command that it prints; or found under valgrind, where the
graded cases see nothing. The solutions survive it. The seed is fixed, and plans
are counted, not seconds: it finds the same each time.
"""
import concurrent.futures
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

BUILD = pathlib.Path(sys.argv[1]).resolve()
PROGRAMS = sorted(pathlib.Path(__file__).parent.glob("torture/*.c"))
SOLUTIONS = PROGRAMS[0].parents[2] / "solutions"
STEPS = "sequential", "threaded"
PLANS, SEED = 3000, 1  # a bound far off
FEW = 1  # where valgrind is to find it
REPLAYS = 3


def run(*command):
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def torture(step, submission, work, plans, valgrind):
    return run(BUILD / "torture", "--step", step, "--plans", plans, "--seed",
               SEED, "--finds", 1, "--submission", submission, "--interposer",
               BUILD / "interposer.so", "--report", work, "--valgrind",
               valgrind)


def trouble_with_solution(step):
    with tempfile.TemporaryDirectory(prefix="torture-") as work:
        status, said = torture(step, SOLUTIONS, work, FEW, "yes")
    kept = re.search(r"under valgrind +(\d+) of +(\d+) rules kept", said)
    return "" if status == 0 and kept and kept[1] == kept[2] else said


def trouble_under_valgrind(step, submission, work, where):
    """It is graded as if it were right, and found by failing every call."""
    status, said = run(BUILD / "grade", "--step", step, "--submission",
                       submission, "--interposer", BUILD / "interposer.so",
                       "--report", work)
    if status != 0:
        return f"it is no case for torture:\n{said}"
    status, said = torture(step, submission, work, FEW, "yes")
    found = f"HARM under valgrind at {where}()" in said
    return "" if status == 1 and found else f"status {status}, said:\n{said}"


def replay(step, submission, work, fault, peers):
    return run(BUILD / "grade", "--step", step, "--submission", submission,
               "--interposer", BUILD / "interposer.so", "--report", work, "--fault", fault, "--peers", peers,
               "--replay", "text")


def trouble_with(program):
    """What is not as it should be; '' where all is."""
    step = program.name.split(".")[0]
    head = program.read_text().partition("*/")[0]
    needs = re.search(r"Needs: (.*)", head)[1]
    with tempfile.TemporaryDirectory(prefix="torture-") as work:
        work = pathlib.Path(work)
        submission = work / "submission"
        submission.mkdir()
        shutil.copy(program, submission / f"{step}.c")
        if needs.startswith("valgrind, "):
            return trouble_under_valgrind(step, submission, work,
                                          needs.partition(", ")[2])
        status, said = torture(step, submission, work, PLANS, "no")
        if status != 1:
            return f"status {status}, said:\n{said}"
        singles = re.search(r"one by one +(\d+) of +(\d+) survived", said)
        if not singles or singles[1] != singles[2]:
            return f"a single failure does harm:\n{said}"
        again = dict(word.split("=", 1) for line in said.splitlines()
                     if line.startswith("    again ") and needs in line
                     for word in shlex.split(line) if "=" in word)
        if not again:
            return f"not found, or not made small ({needs}):\n{said}"
        for _ in range(REPLAYS):
            status, said = replay(step, submission, work,
                                  again.get("FAULT", ""),
                                  again.get("PEERS", ""))
            if status != 1 or not re.search(r"outcome:? +fail", said):
                return f"the replay does no harm:\n{said}"
    return ""


with concurrent.futures.ThreadPoolExecutor(3) as pool:
    troubles = {program.stem: pool.submit(trouble_with, program)
                for program in PROGRAMS} | \
        {f"solutions/{step}": pool.submit(trouble_with_solution, step)
         for step in STEPS}
for name, trouble in troubles.items():
    print("not ok" if trouble.result() else "ok", name, trouble.result())
sys.exit(any(trouble.result() for trouble in troubles.values()) or
         not PROGRAMS)
