#!/usr/bin/env python3
"""exam_generated.py - the exam's other half: wrong programs that mutate.py
makes of the solutions, by one edit each.

Each must lose points. One that does not, a survivor, shows a hole in the
cases, or it is no wrong program: then tests/mutants/EQUIVALENT.txt says why.
The exam fails where a survivor is not in that list, and where the list names
one that is caught, or that no edit makes any more; with --quick it tries those
of the list without valgrind and without the sweep. The scores go into the page
and the exam.json that exam.py has written; generated.json has each mutant.
"""
import collections
import concurrent.futures
import difflib
import fnmatch
import json
import pathlib
import shutil
import sys
import time

sys.dont_write_bytecode = True
import exam  # noqa: E402
import mutate  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SOLUTIONS = HERE.parent / "solutions"
EQUIVALENT = HERE / "mutants" / "EQUIVALENT.txt"
# Which functions of net.c are edited: where they are written, and where what
# they return is the matter.
TOOLBOX = {"client": "*", "sequential": "*", "sigpipe": "echo"}


class Mutant:
    """A solution with one edit."""

    def __init__(self, step, edit, name):
        self.step, self.edit, self.name = step, edit, name
        self.trouble, self.caught_by, self.cases = "", "", []
        self.reason = None

    def diff(self):
        old, new = self.edit.source.text, self.edit.result()
        lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(),
                                          n=2, lineterm=""))[3:]
        return "".join(f"    {line}\n" for line in lines)

    def submission(self, folder):
        submission = folder / "submission"
        shutil.rmtree(folder, ignore_errors=True)
        submission.mkdir(parents=True)
        for name in (f"{self.step}.c", "net.c", "net.h"):
            shutil.copy(SOLUTIONS / name, submission)
        path = submission / self.edit.source.path.name
        path.write_text(self.edit.result(), "latin-1")
        return submission

    def examine(self, options):
        """Plain first: what falls there needs no valgrind."""
        folder = options.work / "generated" / self.name
        submission = self.submission(folder)
        listed = self.reason is not None
        quick = ("--case", exam.NO_SWEEP) if listed and options.quick else ()
        for tool in ("no",) if quick else ("no", "only"):
            turn = exam.grade_folder(self.step, submission, folder, options,
                                     "--first-failure", "--valgrind", tool,
                                     *quick)
            self.trouble = turn.trouble or ", ".join(
                f"not graded: {name}" for name in turn.names("error"))
            self.cases = turn.names("fail")
            if len(self.cases) > 1:
                self.trouble = "grade went on behind the first failure"
            if self.trouble or self.cases or turn.note:
                break
        self.caught_by = "build" if "build" in turn.broken() \
            else "valgrind" if tool == "only" and self.cases \
            else "cases" if self.cases or turn.note else ""
        if listed and self.caught_by:
            self.trouble = "is listed as equivalent, but caught by " \
                f"{self.caught_by}: {', '.join(self.cases)}"
        return self

    def as_data(self):
        edit = self.edit
        return {"name": self.name, "step": self.step,
                "file": edit.source.path.name, "line": edit.line,
                "function": edit.function, "operator": edit.operator,
                "old": edit.old, "new": edit.new, "trouble": self.trouble,
                "caught_by": self.caught_by, "cases": self.cases,
                "equivalent": self.reason}


class Rule:
    """A paragraph of EQUIVALENT.txt: which edits, and why they are right."""

    def __init__(self, head, reason):
        self.head, self.reason, self.used = head, reason, 0
        fields = head.split(None, 3)
        if len(fields) != 4 or not reason:
            raise ValueError(f"{EQUIVALENT.name}: {head}: needs STEPS "
                             "FUNCTION OPERATOR TEXT and a reason")
        steps, self.function, self.operator, text = fields
        self.steps = exam.STEPS if steps == "*" else steps.split(",")
        text, _, nth = text.partition(" #")
        self.nth = int(nth or 0)
        self.text, _, self.new = text.partition(" -> ")

    def matches(self, mutant):
        edit = mutant.edit
        return mutant.step in self.steps and \
            fnmatch.fnmatchcase(edit.function, self.function) and \
            edit.operator == self.operator and self.nth in (0, edit.nth) and \
            (not self.new or " ".join(edit.new.split()) == self.new) and \
            (edit.old == self.text or self.text.endswith("...")
             and edit.old.startswith(self.text[:-3]))


def read_rules():
    """Heads at the margin, the reason indented below them."""
    rules, heads, reason = [], [], []
    for line in EQUIVALENT.read_text().splitlines() + [""]:
        if line.startswith("#"):
            continue
        if line[:1].isspace():
            reason.append(line.strip())
        elif line:
            heads.append(line)
        elif heads:
            rules += [Rule(head, " ".join(reason)) for head in heads]
            heads, reason = [], []
    return rules


def mutants(options):
    """Of each step: the edits of all that its main() calls."""
    sources = {path.stem: mutate.Source(path)
               for path in sorted(SOLUTIONS.glob("*.c"))}
    found, names = [], collections.Counter()
    for step in options.step or exam.STEPS:
        for source, function in mutate.reachable(
                "main", [sources[step], sources["net"]]):
            if source is sources["net"] and not fnmatch.fnmatch(
                    function, TOOLBOX.get(step, "")):
                continue
            for edit in mutate.mutations(source, function):
                where = "net" if source is sources["net"] else ""
                name = f"{step}.{edit.operator}.{where}{edit.line}"
                names[name] += 1
                if names[name] > 1:
                    name += f".{names[name]}"
                found.append(Mutant(step, edit, name))
    return [m for m in found if fnmatch.fnmatch(m.name, options.only)]


def tell(mutant):
    if mutant.trouble:
        print(f"not ok {mutant.name}: {mutant.trouble}")
    elif not mutant.caught_by and mutant.reason is None:
        print(f"survives {mutant.name}: {mutant.edit.operator} in "
              f"{mutant.edit.function}()\n{mutant.diff()}", flush=True)


def explain(mutant, rules):
    """Which rules of the list speak of it; the first has the reason."""
    for rule in rules:
        if rule.matches(mutant):
            rule.used += 1
            mutant.reason = mutant.reason or rule.reason


def scores(done):
    table = {}
    for step in exam.STEPS:
        of_step = [m for m in done
                   if m.step == step and m.caught_by != "build"]
        table[step] = {
            "mutants": len(of_step),
            "caught": sum(bool(m.caught_by) for m in of_step),
            "by_valgrind": sum(m.caught_by == "valgrind" for m in of_step),
            "equivalent": sum(m.reason is not None and not m.caught_by
                              for m in of_step),
            "do_not_build": sum(m.step == step and m.caught_by == "build"
                                for m in done)}
    return {step: row for step, row in table.items() if row["mutants"]}


def tell_scores(table):
    for step, row in table.items():
        right = row["mutants"] - row["equivalent"]
        print(f"{step}: {row['caught']} of {right} wrong programs caught"
              f"{exam.exam_page.percent(row['caught'], right)}, "
              f"{row['by_valgrind']} of them by valgrind; "
              f"{row['equivalent']} edits are equivalent, "
              f"{row['do_not_build']} do not compile")


def write_results(done, table, took_s, options):
    options.html.mkdir(parents=True, exist_ok=True)
    mutants_now = [m.as_data() for m in done]
    (options.html / "generated.json").write_text(json.dumps(
        {"kit": "faultline", "took_s": took_s, "scores": table,
         "mutants": mutants_now}, indent=1) + "\n")
    try:
        data = json.loads((options.html / "exam.json").read_text())
    except FileNotFoundError:
        return  # exam.py has not been here
    data["generated"] = {
        "took_s": took_s, "scores": table,
        "survivors": [m for m in mutants_now if not m["caught_by"]]}
    exam.write_files(data, options)


def main():
    options, begun = exam.parse_options(), time.monotonic()
    if not shutil.which("clang"):
        print("clang is missing: harness/needs.sh check", file=sys.stderr)
        return 2
    rules, to_do, done = read_rules(), mutants(options), []
    for mutant in to_do:
        explain(mutant, rules)
    # What nothing catches takes longest, a pause that is not left out above all:
    # at the end it would keep others idle.
    to_do.sort(key=lambda mutant: (mutant.reason is None,
                                   mutant.edit.operator != "jump"))
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = [pool.submit(m.examine, options) for m in to_do]
        try:
            for job in jobs:
                done.append(job.result())
                tell(done[-1])
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    table = scores(done)
    tell_scores(table)
    complete = not options.step and options.only == "*"
    unused = [r.head for r in rules if complete and not r.used]
    for head in unused:
        print(f"not ok {EQUIVALENT.name}: no edit is like this: {head}")
    took_s = round(time.monotonic() - begun, 1)
    write_results(done, table, took_s, options)
    survivors = [m for m in done if not m.caught_by and m.reason is None]
    print(f"generated: {len(survivors)} survive unexplained; "
          f"{options.html}/generated.json, {took_s:.0f} s")
    return 1 if survivors or unused or any(m.trouble for m in done) else 0


if __name__ == "__main__":
    sys.exit(main())
