#!/usr/bin/env python3
"""words.py - the words that a student reads, kept to be read by reviewers.

    words.py [--grade FILE] [--interposer FILE] [--rewrite] [NAME ...]

tests/golden/STEP.MUTANT.txt is the complete terminal report of the wrong
program tests/mutants/STEP/MUTANT.c. Without --rewrite each is compared with
what the grader says now. Numbers that differ from machine to machine and from
run to run are replaced by letters. To keep one more, make it an empty file.
"""
import argparse
import concurrent.futures
import difflib
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
LINES_AT_MOST = 40
COLUMNS = 80
LABEL, ACTOR = 12, 12  # columns before a row, and of who acts in it

NORMAL = [
    (r"\b1[56]\d{3}\b", "PORT"),            # as the sandbox has them free
    (r"\bport \d+", "port PORT"),
    (r"\d+\.\d s\b", "T s"),
    (r"\b\d+ calls without", "N calls without"),
    (r"spins: \d+ calls, and pauses of \d+", "spins: N calls, and pauses of N"),
    (r"\((both |all three )?x\d+( and more)?\)", r"(\1xN)"),
    (r"(fork|waitpid|wait\d)\((.*?)\) = [1-9]\d*", r"\1(\2) = PID"),
    (r"\b\d+ KiB", "N KiB"),
    (r"byte \d{5,} (.*?) is 0x.*? was sent", r"byte N \1 is X, but Y was sent"),
    (r"\(isolation: [a-z]+\)", "(isolation: KIND)"),
]


def report_of(golden, options):
    """What the student sees, who has this mutant in exercises/."""
    step, name = golden.name.split(".")[:2]
    with tempfile.TemporaryDirectory(prefix="words-") as work:
        submission = pathlib.Path(work) / "exercises"
        submission.mkdir()
        shutil.copy(HERE / "mutants" / step / f"{name}.c",
                    submission / f"{step}.c")
        run = subprocess.run(
            [options.grade, "--interposer", options.interposer,
             "--submission", "exercises",
             "--report", "report", "--step", step],
            cwd=work, stdin=subprocess.DEVNULL, capture_output=True,
            timeout=300, check=False)
    text = (run.stdout + run.stderr).decode(errors="replace")
    for pattern, letter in NORMAL:
        text = re.sub(pattern, letter, text)
    return text


def too_big(text):
    lines = text.splitlines()
    if len(lines) > LINES_AT_MOST:
        return f"{len(lines)} lines are more than a screen"
    wide = [line for line in lines
            if len(line) > COLUMNS and not line.startswith("  again ")]
    return f"wider than {COLUMNS}: {wide[0]}" if wide else ""


def take_apart(text):
    """The report without its played rows; and these, each actor's its own.

    Who of two that act at once comes first is nobody's order, and so it is
    chance which row is the oldest that is told.
    """
    rest, rows, playing = [], {}, False
    for line in text.splitlines():
        playing = line.startswith("  played ") or \
            (playing and line.startswith(" " * LABEL))
        if not playing or line.startswith(" " * LABEL + "("):
            rest.append(line)
            continue
        row = line[LABEL:].removesuffix("  (xN)")
        told = rows.setdefault(row[:ACTOR].strip(), [])
        if told[-1:] != [row]:
            told.append(row)
    return rest, rows


def says_the_same(kept, text):
    rest, rows = take_apart(kept)
    rest_now, rows_now = take_apart(text)
    for who in set(rows) & set(rows_now):
        both = min(len(rows[who]), len(rows_now[who]))
        if rows[who][-both:] != rows_now[who][-both:]:
            return False
    return rest == rest_now and bool(rows) == bool(rows_now)


def compare(golden, text):
    """Lines that say what is wrong; none where nothing is."""
    kept, trouble = golden.read_text(), []
    if not says_the_same(kept, text):
        trouble = list(difflib.unified_diff(
            kept.splitlines(), text.splitlines(), golden.name, "now",
            lineterm=""))
    if too_big(text):
        trouble.append(too_big(text))
    return trouble


def main():
    build = HERE.parent / "build"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grade", type=pathlib.Path, default=build / "grade")
    parser.add_argument("--interposer", type=pathlib.Path,
                        default=build / "interposer.so")
    parser.add_argument("--rewrite", action="store_true")
    parser.add_argument("name", nargs="*", help="STEP.MUTANT")
    options = parser.parse_args()
    options.grade = options.grade.resolve()
    options.interposer = options.interposer.resolve()

    goldens = [g for g in sorted((HERE / "golden").glob("*.*.txt"))
               if not options.name or g.name[:-len(".txt")] in options.name]
    wrong = 0
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        texts = pool.map(lambda g: report_of(g, options), goldens)
        for golden, text in zip(goldens, texts):
            if options.rewrite:
                golden.write_text(text)
            trouble = compare(golden, text)
            wrong += bool(trouble)
            print("\n".join([f"not ok {golden.name}"] + trouble) if trouble
                  else f"ok {golden.name}")
    print(f"words: {len(goldens) - wrong} of {len(goldens)} as kept")
    return 1 if wrong or not goldens else 0


if __name__ == "__main__":
    sys.exit(main())
