#!/usr/bin/env python3
"""replays.py - is a failed case told again, each time that it is replayed?

Of each step and each obligation the first wrong program (tests/mutants) is
graded; the first case of that obligation that it fails is replayed, and the
first plan that a sweep of its calls has printed, each as text and as JSON in
turn, and must fail each time. --few takes one program of each step.
"""
import argparse
import concurrent.futures
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import exam  # noqa: E402

FEW = {"client": "sigpipe", "sequential": "startup", "forked": "fork",
       "reaper": "zombie", "sigpipe": "sigpipe", "threaded": "race",
       "select": "partial"}


def wrong_programs(options):
    """Step and obligation -> the first program that fails it."""
    chosen = {}
    for step in options.step or exam.STEPS:
        for path in sorted((exam.HERE / "mutants" / step).glob("*.c")):
            program = exam.Program("mutants", step, path)
            if not options.few or program.fails == FEW[step]:
                chosen.setdefault((step, program.fails), program)
    return list(chosen.values())


def run_grade(work, program, options, *more):
    return subprocess.run(
        [options.grade, "--interposer", options.interposer, "--submission",
         "exercises", "--report", "report", "--step",
         program.step, *more],
        cwd=work, stdin=subprocess.DEVNULL, capture_output=True, timeout=600,
        check=False)


def what_failed(work, program, options):
    """The options that play it again: a case's name, a sweep's plan."""
    run_grade(work, program, options, "--valgrind",
              "yes" if program.fails in exam.WATCHED else "no")
    report = json.loads((work / "report" / "report.json").read_text())
    cases, plans = [], []
    for case in report["steps"][0]["cases"]:
        if case["status"] != "fail":
            continue
        if "survived" in case:
            plans.append(("--fault", case["faults"]))
        elif case["obligation"] == program.fails:
            cases.append(("--case", case["name"]))
    return cases[:1] + plans[:1]


def trouble_with(run, as_json):
    """What is wrong with what a replay told; '' where nothing is."""
    text = run.stdout.decode(errors="replace")
    if run.returncode != 1:
        return f"exit status {run.returncode}: " + \
            (run.stderr.decode(errors="replace") or text)[-300:]
    if not as_json:
        if "\noutcome   fail\n" not in text:
            return "the outcome is not `fail`:\n" + text[:300]
        told = text.partition("\n\n")[2]
        return "" if "here they part" in told else "no parting is marked"
    try:
        told = json.loads(text)
    except json.JSONDecodeError as error:
        return f"not JSON: {error}"
    if told["status"] != "fail" or not told["expected"] or not told["came"]:
        return f"not told as a failure: {told['status']}"
    return "" if told["story"]["rows"] else "the story has no rows"


def replay(program, options):
    """Lines that say what went wrong."""
    with tempfile.TemporaryDirectory(prefix="replays-") as folder:
        work = pathlib.Path(folder)
        (work / "exercises").mkdir()
        shutil.copy(program.path, work / "exercises" / f"{program.step}.c")
        failed, wrong = what_failed(work, program, options), []
        if not failed:
            wrong.append(f"it fails no case of {program.fails}")
        for what, name in failed:
            for turn in range(options.times):
                kind = "json" if turn % 2 else "text"
                run = run_grade(work, program, options, what, name,
                                "--replay", kind)
                trouble = trouble_with(run, kind == "json")
                if trouble:
                    wrong.append(f"{turn + 1}. replay of {name} ({kind}): "
                                 f"{trouble}")
        return " and ".join(name for _, name in failed), wrong


def main():
    build = exam.HERE.parent / "build"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grade", type=pathlib.Path, default=build / "grade")
    parser.add_argument("--interposer", type=pathlib.Path,
                        default=build / "interposer.so")
    parser.add_argument("--times", type=exam.positive, default=20)
    parser.add_argument("--jobs", type=exam.positive, default=2)
    parser.add_argument("--step", nargs="*", choices=exam.STEPS)
    parser.add_argument("--few", action="store_true")
    options = parser.parse_args()
    options.grade = options.grade.resolve()
    options.interposer = options.interposer.resolve()

    programs, same = wrong_programs(options), 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = pool.map(lambda p: replay(p, options), programs)
        for program, (told, wrong) in zip(programs, results):
            name = f"{program.step}/{program.name} ({program.fails})"
            same += not wrong
            print("\n".join([f"not ok {name}: {told}"] + wrong) if wrong else
                  f"ok {name}: {told}, {options.times} of {options.times}",
                  flush=True)
    print(f"replays: {same} of {len(programs)} programs fail again each time")
    return 1 if same < len(programs) or not programs else 0


if __name__ == "__main__":
    sys.exit(main())
