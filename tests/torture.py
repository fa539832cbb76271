#!/usr/bin/env python3
"""torture.py BUILD - what `make torture` must find in the wrong programs of
tests/torture/, which survive each failure by itself: found, made small, and
played again by the command that it prints. The seed is fixed, and plans are
counted, not seconds: it finds the same each time.
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
PLANS, SEED = 3000, 1  # a bound far off
REPLAYS = 3


def run(*command):
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def torture(step, submission, work):
    return run(BUILD / "torture", "--step", step, "--plans", PLANS, "--seed",
               SEED, "--finds", 1, "--submission", submission, "--interposer",
               BUILD / "interposer.so", "--report", work)


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
        status, said = torture(step, submission, work)
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
    troubles = list(pool.map(trouble_with, PROGRAMS))
for program, trouble in zip(PROGRAMS, troubles):
    print("not ok" if trouble else "ok", program.stem, trouble)
sys.exit(any(troubles) or not PROGRAMS)
