#!/usr/bin/env python3
"""stubs.py - does each solution differ from its stub only where that says
TODO?

    stubs.py [STUBS SOLUTIONS]
"""
import difflib
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
NOTHING = {"", "{", "}", "};", "*/"}  # lines that say nothing


def places(stub, solution):
    """(first line, stub's lines, solution's lines) of each difference; two
    that only lines which say nothing keep apart are one."""
    found, apart = [], []
    matcher = difflib.SequenceMatcher(None, stub, solution, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            apart = stub[a:b]
        elif found and all(line.strip() in NOTHING for line in apart):
            first, before, after = found[-1]
            found[-1] = (first, before + apart + stub[a:b],
                         after + apart + solution[c:d])
        else:
            found.append((a + 1, stub[a:b], solution[c:d]))
    return found


def trouble_with(stub, solution):
    """Lines that say what is wrong; none where nothing is."""
    wrong, differ = [], places(stub, solution)
    for first, before, after in differ:
        if not any("TODO" in line for line in before):
            wrong.append(f"line {first} says no TODO, but was changed:")
            wrong += [f"-{line}" for line in before]
            wrong += [f"+{line}" for line in after]
    todos = sum("TODO" in line for line in stub)
    done = sum("TODO" in line for _, before, _ in differ for line in before)
    if done < todos:
        wrong.append(f"{todos - done} TODO of the stub are left as they are")
    return wrong


def knows_its_job():
    """A change beside a TODO and a TODO that is left are both found."""
    stub = ["int f(void);", "/* TODO: f */", "int g(void);"]
    return not trouble_with(stub, [stub[0], "int f(void) { }", stub[2]]) and \
        trouble_with(stub, stub) and \
        trouble_with(stub, ["int f(int);", *stub[1:]])


def main():
    stubs, solutions = ROOT / "exercises", ROOT / "solutions"
    if len(sys.argv) == 3:
        stubs, solutions = map(pathlib.Path, sys.argv[1:])
    names = sorted(path.name for path in stubs.glob("*.[ch]"))
    wrong = 0 if knows_its_job() else 1
    if names != sorted(path.name for path in solutions.glob("*.[ch]")):
        print("not ok: the folders hold different files")
        wrong += 1
    for name in names:
        trouble = trouble_with((stubs / name).read_text().splitlines(),
                               (solutions / name).read_text().splitlines())
        wrong += bool(trouble)
        print("\n".join([f"not ok {name}"] + trouble) if trouble
              else f"ok {name}")
    return 1 if wrong or not names else 0


if __name__ == "__main__":
    sys.exit(main())
