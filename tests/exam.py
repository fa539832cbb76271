#!/usr/bin/env python3
"""exam.py - the kit's own exam: does it fail every wrong program for the
right reason, and pass every right one, each time?

A mutant (tests/mutants/STEP/NAME.c) must fail its obligation (`Fails:`) and
no other but those that its bug breaks by its nature (`Also:`); one of the
verdicts should name its line (`Line:`). A variant (tests/variants/STEP/NAME.c)
and a solution must get full marks, a stub none.

With --quick one mutant of each obligation of a step is examined, those with
`Quick: yes`, none whose report tests/golden/ has, and every variant but those
with `Quick: no`: slow ones, those much like others, and those that only the
sweep or valgrind can tell from others; all of them without the sweep, but for
mutants that only the sweep finds, and without valgrind, but for those that
nothing else tells at the right line.

The right line is where the student has to look: a call, since a program is
seen by its calls. It is the one to change; or, where what is to change makes
no call, the one that gets its wrong value, or whose result it mistreats; for
what is lost, the one that took it. It is marked BUG. Where the bug is that
something is not there, no line is right: `Line: none (what is missing)`.
A verdict names a line as its place or as one of the callers that it shows
(`write_all (net.c:23) from serve (forked.c:41)`), or as the other one where
the fault is between two: closed twice, freed and used, a race.
"""
import argparse
import collections
import concurrent.futures
import datetime
import fnmatch
import json
import os
import pathlib
import platform
import re
import shlex
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # the sources stay as they are
import exam_page  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
STEPS = "client sequential forked reaper sigpipe threaded select".split()
OBLIGATIONS = ("build startup echo partial interrupt reset accept fork thread "
               "memory concurrency zombie handler sigpipe descriptors leak "
               "race idle shutdown isolation").split()
LONGEST_S = 600       # for one program; the grader has deadlines of its own
NEAR_LINES = 5        # a call's result is often looked at a little below
WATCHED = {"memory", "leak", "descriptors", "race"}  # seen by valgrind
RACE = "has_no_data_race"  # helgrind's; memcheck's are the others
NO_SWEEP = "!(survives_every_*|reports_every_*)"
LINE_SCORE = 0.95     # of a whole exam, at the least
REPEATED_MUTANTS = 20  # the others are told once, however often we repeat

# As memcheck.c and findings.c say it.
OTHER_LINE = (r", (?:first closed in|freed in|allocated in|against the \w+ in)"
              r" \w+ \(([\w.]+\.c:\d+)\)")

# It ends with its parent, whichever way that ends.
BUSY = """import os
parent = os.getppid()
while os.getppid() == parent:
    sum(range(100000))"""


class Program:
    """One submission of the exam, and what must come of it."""

    def __init__(self, kind, step, path):
        self.kind, self.step, self.path = kind, step, path
        self.name = path.stem
        self.fails, self.also, self.line = None, set(), None
        text = path.read_text()
        quick = re.search(r"^ \* Quick: (\w+)", text, re.M)
        self.quick = quick and quick[1]
        if kind == "mutants":
            self.read_claim(text)
        elif kind == "variants" and not text.startswith("/* Right: "):
            raise ValueError(f"{path}: begins with no /* Right: */")

    def __str__(self):
        return f"{self.kind}/{self.step}/{self.name}"

    def read_claim(self, text):
        head = text.partition("*/")[0]
        fields = dict(re.findall(r"^[/ ]\*\s*(Wrong|Fails|Also|Line):\s*(.*)$",
                                 head, re.M))
        self.fails = fields.get("Fails", "").partition(" ")[0]
        self.also = set(re.findall(r"\w+", fields.get("Also", "")))
        unknown = ({self.fails} | self.also) - set(OBLIGATIONS)
        if unknown or "Wrong" not in fields:
            raise ValueError(f"{self.path}: needs Wrong, Fails, Line in its "
                             f"first lines {' '.join(unknown)}")
        line = fields.get("Line", "").strip()
        marks = [n for n, code in enumerate(text.splitlines(), 1)
                 if code.rstrip().endswith("/* BUG */")]
        if re.fullmatch(r"none \(.+\)", line):
            if marks:
                raise ValueError(f"{self.path}: no Line, but marked BUG")
        else:
            self.line = int(line)
            if marks != [self.line]:
                raise ValueError(f"{self.path}: Line: {line}, but the line "
                                 f"marked BUG is {marks}")


def place(case):
    where = case["where"]
    return f" {where['file']}:{where['line']}" if where else ""


class Turn:
    """One program, graded once."""

    def __init__(self, step=None, trouble="", isolation="", wall_s=0.0):
        step = step or {"cases": [], "score": 0, "max_score": 0, "note": ""}
        self.cases = step["cases"]
        self.score, self.max_score = step["score"], step["max_score"]
        self.note, self.isolation, self.wall_s = step["note"], isolation, wall_s
        self.trouble = trouble

    def names(self, status):
        return [c["name"] for c in self.cases if c["status"] == status]

    def add(self, other):
        """Cases that were played by themselves."""
        self.cases = list(({c["name"]: c for c in other.cases} |
                           {c["name"]: c for c in self.cases}).values())
        self.trouble = self.trouble or other.trouble

    def failed(self):
        return [c for c in self.cases if c["status"] == "fail"]

    def broken(self):
        """Obligation -> its failed cases."""
        broken = collections.defaultdict(list)
        for case in self.failed():
            broken[case["obligation"]].append(case["name"])
        return dict(broken)

    def verdict(self):
        return {c["name"]: f"{c['status']} {c['score']:g}/{c['max_score']:g}" +
                place(c) for c in self.cases} or \
            {"(the step)": self.trouble or self.note}

    def named_lines(self, program):
        """What the verdicts of its obligation blame: the line, its callers."""
        lines = []
        for case in self.failed():
            if case["obligation"] == program.fails and case["where"]:
                where = case["where"]
                lines.append([f"{where['file']}:{where['line']}"] + re.findall(
                    r"[\w.]+\.c:\d+", where["from"]) + re.findall(
                    OTHER_LINE, case["message"]))
        return lines

    def names_line(self, program, within=0):
        """Does one of its verdicts? Any, where there is no line to name."""
        if program.line is None:
            return program.fails in self.broken()
        near = {f"{program.step}.c:{program.line + i}"
                for i in range(-within, within + 1)}
        return any(near & set(lines) for lines in self.named_lines(program))


def grade(program, folder, options):
    """Grades one program, in a folder of its own."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    submission = program.path.parent
    if program.kind in ("mutants", "variants"):
        submission = folder / "submission"
        submission.mkdir()
        shutil.copy(program.path, submission / f"{program.step}.c")
    if options.quick:
        turn = grade_folder(program.step, submission, folder, options,
                            "--case", NO_SWEEP, "--valgrind", "no")
        if program.fails in WATCHED and not turn.names_line(program):
            watched = folder / "watched"
            watched.mkdir()
            turn.add(grade_folder(
                program.step, submission, watched, options, "--case",
                RACE if program.fails == "race" else f"!({RACE})",
                "--valgrind", "only"))
        if program.kind != "mutants" or program.fails in turn.broken():
            return turn
    more = ("--valgrind", options.valgrind) if options.valgrind else ()
    return grade_folder(program.step, submission, folder, options, *more)


def grade_folder(step, submission, folder, options, *more):
    """Grades a step of a submission; what comes of it goes to `folder`."""
    begun = time.monotonic()
    try:
        run = subprocess.run(
            shlex.split(options.under) +
            [options.grade, "--interposer", options.interposer,
             "--submission", submission,
             "--report", folder / "report", "--step", step, "--formats", "none",
             "--verbose", *more],
            stdin=subprocess.DEVNULL, capture_output=True,
            timeout=LONGEST_S, check=False)
        wall_s = time.monotonic() - begun
        (folder / "out.txt").write_bytes(run.stdout + run.stderr)
        report = json.loads((folder / "report" / "report.json").read_text())
    except subprocess.TimeoutExpired:
        return Turn(trouble=f"no verdict within {LONGEST_S} s")
    except (FileNotFoundError, json.JSONDecodeError):
        return Turn(trouble="no report: " +
                    run.stderr.decode(errors="replace").strip()[-200:])
    return Turn(report["steps"][0], isolation=report["isolation"],
                wall_s=wall_s)


def judge(program, turn):
    """What is wrong with the grader's verdict; '' where it is right."""
    if turn.trouble:
        return turn.trouble
    if turn.names("error"):
        return "not graded: " + ", ".join(turn.names("error"))
    if program.kind == "stubs":
        right = turn.score == 0 and turn.note.startswith("not started")
        return "" if right else f"{turn.score} points, {turn.note or 'graded'}"
    if program.kind != "mutants":
        right = turn.cases and turn.score == turn.max_score and \
            not turn.failed()
        return "" if right else "false alarm: " + \
            (", ".join(turn.names("fail")) or turn.note or "points lost")
    broken = turn.broken()
    if program.fails not in broken:
        return f"missed: {program.fails} holds; failed: " + \
            (", ".join(turn.names("fail")) or turn.note or "nothing")
    extra = set(broken) - {program.fails} - program.also
    if extra:
        return "blames what it keeps: " + ", ".join(
            f"{name} ({kind})" for kind in sorted(extra)
            for name in broken[kind])
    return ""


class Outcome:
    """A program and its turns, the first of which is told whole."""

    def __init__(self, program):
        self.program, self.first, self.turns = program, None, 0
        self.trouble = ""
        self.seen = collections.defaultdict(collections.Counter)
        self.wall_s = 0.0

    def add(self, turn):
        self.first = self.first or turn
        self.turns += 1
        self.wall_s = max(self.wall_s, turn.wall_s)
        self.trouble = self.trouble or judge(self.program, turn)
        for case, status in turn.verdict().items():
            self.seen[case][status] += 1

    def differs(self):
        """Case -> how often it came out how, where that is not one way."""
        return {case: dict(counts) for case, counts in self.seen.items()
                if len(counts) > 1 or sum(counts.values()) < self.turns}

    def line_is_named(self, within=0):
        """True or False; None where there is no line to name."""
        if self.program.line is None:
            return None
        return self.first.names_line(self.program, within)

    def as_data(self):
        program, turn = self.program, self.first
        data = {"kind": program.kind, "step": program.step,
                "name": program.name, "trouble": self.trouble,
                "score": turn.score, "max_score": turn.max_score,
                "cases": len(turn.cases), "failed": turn.broken(),
                "note": turn.note, "turns": self.turns,
                "differs": self.differs(), "longest_s": round(self.wall_s, 2)}
        if program.kind == "mutants":
            data |= {"fails": program.fails, "also": sorted(program.also),
                     "line": program.line,
                     "named": turn.named_lines(program),
                     "line_is_named": self.line_is_named()}
        return data


def examine(program, turns, options):
    """Of several turns the first is kept, and each that comes out new."""
    outcome, kept = Outcome(program), []
    for turn in range(turns):
        folder = options.work / str(program) / str(turn)
        result = grade(program, folder, options)
        outcome.add(result)
        if result.verdict() in kept:
            shutil.rmtree(folder)
        else:
            kept.append(result.verdict())
    return outcome


def programs(options):
    """In the order of the steps; solutions and stubs first, but before all
    those that take long: at the end they would keep one processor busy."""
    found = []
    for kind, root in (("solutions", "solutions"), ("stubs", "exercises")):
        found += [Program(kind, step, HERE.parent / root / f"{step}.c")
                  for step in STEPS]
    for kind in ("mutants", "variants"):
        for step in STEPS:
            found += [Program(kind, step, path)
                      for path in sorted((HERE / kind / step).glob("*.c"))]
    found = [p for p in found
             if (not options.step or p.step in options.step)
             and fnmatch.fnmatch(p.name, options.only)
             and not (options.valgrind == "no" and p.fails in WATCHED)]
    return sorted(found, key=lambda program: program.quick != "no")


def has_golden(program):
    return (HERE / f"golden/{program.step}.{program.name}.txt").exists()


def quick_ones(candidates):
    """Of each obligation the first mutant, and what says so itself; but for
    those whose whole report is compared, by words.py."""
    mutants = [p for p in candidates if p.kind == "mutants"]
    known = {(p.step, p.fails) for p in mutants if has_golden(p)}
    chosen = []
    for program in candidates:
        kind = (program.step, program.fails)
        is_new = program.kind != "mutants" or kind not in known
        if program.quick == "yes" or is_new and program.quick != "no":
            known.add(kind)
            chosen.append(program)
    return [p for p in chosen if p not in mutants or not has_golden(p)]


def repetitions(candidates, options):
    """How often each is graded: of the mutants only some, spread evenly."""
    mutants = [p for p in candidates if p.kind == "mutants"]
    some = min(REPEATED_MUTANTS, len(mutants))
    chosen = {mutants[i * len(mutants) // some] for i in range(some)}
    return [(p, options.repeat if p.kind != "mutants" or p in chosen else 1)
            for p in candidates]


def run_exam(candidates, options):
    outcomes = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = [pool.submit(examine, program, turns, options)
                for program, turns in repetitions(candidates, options)]
        try:
            for job in jobs:
                outcome = job.result()
                outcomes.append(outcome)
                tell(outcome, options)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return outcomes


def tell(outcome, options):
    if outcome.trouble:
        print(f"not ok {outcome.program}: {outcome.trouble}", flush=True)
    elif options.verbose:
        print(f"ok {outcome.program}", flush=True)
    for case, counts in outcome.differs().items():
        came = ", ".join(f"{status} {n} times" for status, n in counts.items())
        print(f"differs {outcome.program}: {case}: {came}", flush=True)


def figures(outcomes):
    """The three figures, and what is behind them."""
    mutants = [o for o in outcomes if o.program.kind == "mutants"]
    right = [o for o in outcomes
             if o.program.kind in ("solutions", "variants")]
    lined = [o for o in mutants if o.program.line is not None]
    return {
        "mutants": len(mutants),
        "caught": sum(not o.trouble for o in mutants),
        "right_programs": len(right),
        "false_alarms": sum(bool(o.trouble) for o in right),
        "with_line": len(lined),
        "line_named": sum(o.line_is_named() for o in lined),
        "line_near": sum(o.line_is_named(NEAR_LINES) for o in lined),
        "near_lines": NEAR_LINES,
        "stubs": sum(o.program.kind == "stubs" for o in outcomes),
        "stubs_not_started": sum(o.program.kind == "stubs" and not o.trouble
                                 for o in outcomes),
        "solutions_score": sum(o.first.score for o in outcomes
                               if o.program.kind == "solutions"),
        "stubs_score": sum(o.first.score for o in outcomes
                           if o.program.kind == "stubs"),
        "differs": sum(bool(o.differs()) for o in outcomes),
        "turns": sum(o.turns for o in outcomes),
    }


def tell_figures(outcomes, total):
    for outcome in outcomes:
        if outcome.line_is_named() is False and not outcome.trouble:
            program = outcome.program
            named = sorted({lines[0] for lines in
                            outcome.first.named_lines(program)})
            print(f"line missed {program}: {program.step}.c:{program.line}, "
                  f"named: {', '.join(named) or 'none'}")
    percent = exam_page.percent
    print(f"solutions: {total['solutions_score']:g} points; stubs: "
          f"{total['stubs_score']:g} points, {total['stubs_not_started']} of "
          f"{total['stubs']} not started")
    print(f"mutation score: {total['caught']} of {total['mutants']} caught "
          f"for the right reason{percent(total['caught'], total['mutants'])}")
    print(f"false alarms: {total['false_alarms']} of "
          f"{total['right_programs']} right programs")
    print(f"line score: {total['line_named']} of {total['with_line']} "
          f"lines named{percent(total['line_named'], total['with_line'])}; "
          f"within {NEAR_LINES} lines: {total['line_near']}"
          f"{percent(total['line_near'], total['with_line'])}")
    print(f"verdicts: {total['turns']} programs graded, {total['differs']} "
          "ever differed")


def write_files(data, options):
    options.html.mkdir(parents=True, exist_ok=True)
    (options.html / "exam.json").write_text(json.dumps(data, indent=1) + "\n")
    (options.html / "index.html").write_text(exam_page.page(data))


def write_results(outcomes, total, begun, options):
    isolation = {o.first.isolation for o in outcomes} - {""}
    data = {"kit": "faultline", "figures": total,
            "date": datetime.datetime.now().astimezone().isoformat(
                timespec="seconds"),
            "took_s": round(time.monotonic() - begun, 1),
            "machine": f"{platform.system()} {platform.release()} "
                       f"{platform.machine()}, "
                       f"{len(os.sched_getaffinity(0))} processors",
            "isolation": ", ".join(sorted(isolation)), "jobs": options.jobs,
            "repeat": options.repeat, "load": options.load,
            "obligations": OBLIGATIONS, "steps": STEPS,
            "programs": [o.as_data() for o in outcomes]}
    write_files(data, options)
    print(f"exam: {options.html}/index.html and exam.json, "
          f"{data['took_s']:.0f} s")


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return value


def parse_options():
    build = HERE.parent / "build"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grade", type=pathlib.Path, default=build / "grade")
    parser.add_argument("--interposer", type=pathlib.Path,
                        default=build / "interposer.so")
    parser.add_argument("--work", type=pathlib.Path, default=build / "exam",
                        help="a folder for each program's report")
    parser.add_argument("--html", type=pathlib.Path, metavar="DIR",
                        help="where index.html and exam.json go (--work)")
    parser.add_argument("--jobs", type=positive,
                        default=4 * (os.cpu_count() or 1),
                        help="graders at a time, each of which mostly waits")
    parser.add_argument("--step", nargs="*", choices=STEPS)
    parser.add_argument("--only", default="*", metavar="PATTERN")
    parser.add_argument("--repeat", type=positive, default=1, metavar="N",
                        help="grade each program N times (of the mutants "
                             f"{REPEATED_MUTANTS})")
    parser.add_argument("--load", type=int, default=0, metavar="N",
                        help="N busy processes beside it")
    parser.add_argument("--under", default="", metavar="COMMAND",
                        help="that the grader is run by: \"nice -n 19\", "
                             "\"taskset -c 0\", \"prlimit --nofile=64\"")
    parser.add_argument("--quick", action="store_true",
                        help="some of the mutants; the sweep and valgrind's "
                             "cases only for those that need them")
    parser.add_argument("--valgrind", choices=["no"], default="",
                        help="without it, and without the mutants that are "
                             "its own")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    for name in ("grade", "interposer", "work"):
        setattr(options, name, getattr(options, name).resolve())
    options.html = (options.html or options.work).resolve()
    return options


def main():
    options, begun = parse_options(), time.monotonic()
    try:
        candidates = programs(options)
        if options.quick:
            candidates = quick_ones(candidates)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if not candidates:
        print("no program is called so", file=sys.stderr)
        return 2
    busy = []
    try:
        for _ in range(options.load):
            busy.append(subprocess.Popen([sys.executable, "-c", BUSY]))
        outcomes = run_exam(candidates, options)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    total = figures(outcomes)
    tell_figures(outcomes, total)
    write_results(outcomes, total, begun, options)
    wrong = any(o.trouble or o.differs() for o in outcomes)
    if not (options.step or options.quick or options.valgrind) and \
            options.only == "*":
        wrong |= total["line_named"] < LINE_SCORE * total["with_line"]
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
