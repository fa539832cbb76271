#!/usr/bin/env python3
"""watch.py - does `make watch` grade again at each save?

A student at a terminal: saves in place, as vim does (beside, then renamed),
and the toolbox; a full step leads on to the next one; a save ends what is
still being graded under valgrind. Prints how long it took from a save to its
verdict: wall time, and the processor time of the grader.
"""
import argparse
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LONGEST_S = 300
PROMPT = "save a file to grade again"


class Terminal:
    """`watch` in a pseudo-terminal, and what it has said."""

    def __init__(self, build, work, *options):
        self.text, self.at = "", 0
        master, slave = pty.openpty()
        grade = [build / "grade", "--interposer", build / "interposer.so",
                 "--report", work / "report",
                 "--submission", work / "exercises", *options]
        self.process = subprocess.Popen(
            [build / "watch", "--submission", work / "exercises", "--",
             *grade], stdin=slave, stdout=slave, stderr=slave,
            env=os.environ | {"NO_COLOR": "1"}, start_new_session=True)
        os.close(slave)
        self.master = master

    def until(self, *words):
        """What is said from here to behind these words, one by one."""
        begun = self.at
        for word in words:
            end = time.monotonic() + LONGEST_S
            while word not in self.text[self.at:]:
                ready, _, _ = select.select([self.master], [], [], 1)
                if ready:
                    self.text += os.read(self.master, 65536).decode(
                        errors="replace").replace("\r\n", "\n")
                elif time.monotonic() > end:
                    raise TimeoutError(f"never said: {word}\n"
                                       f"{self.text[begun:]}")
            self.at += self.text[self.at:].index(word) + len(word)
        return self.text[begun:self.at]

    def cpu_s(self):
        """Of all that it has run and that has ended."""
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        user, system = stat.rpartition(")")[2].split()[13:15]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def close(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.master)


def save(path, text, by_rename=False):
    if by_rename:
        beside = path.with_name("4913~")
        beside.write_text(text)
        beside.rename(path)
    else:
        path.write_text(text)


def expect(holds, what, said):
    if not holds:
        raise AssertionError(f"{what}; it said:\n{said}")
    print(f"ok {what}")


def try_it(build, work):
    exercises = work / "exercises"
    shutil.copytree(ROOT / "exercises", exercises)
    solution = {name: (ROOT / "solutions" / name).read_text()
                for name in ("net.c", "net.h", "client.c", "sequential.c")}
    broken = (ROOT / "tests/mutants/client/exits_0_on_reset.c").read_text()
    terminal = Terminal(build, work)
    try:
        said = terminal.until(PROMPT)
        expect("not started" in said and "Under valgrind" not in said,
               "a stub is told at once", said)

        begun, cpu_s = time.monotonic(), terminal.cpu_s()
        save(exercises / "client.c", broken)
        said = terminal.until("Next:")
        wall_s = time.monotonic() - begun
        expect("FAILED client: notices_a_reset" in said,
               "a save in place is graded", said)
        terminal.until("Under valgrind:")
        print(f"from the save to the verdict: {wall_s:.2f} s, of which "
              f"{terminal.cpu_s() - cpu_s:.2f} s of processor time")
        said = terminal.until(PROMPT)
        expect(re.search(r"client +#+ +\S+ ", said),
               "what valgrind says follows", said)

        save(exercises / "client.c.swp", "an editor's own file")
        save(exercises / "client.c", "#error half a thought\n", True)
        said = terminal.until(PROMPT)
        expect("half a thought" in said and "Under valgrind" not in said,
               "a renamed file is graded; what does not compile is told once",
               said)

        save(exercises / "net.h", solution["net.h"])
        save(exercises / "net.c", solution["net.c"])
        terminal.until("half a thought", PROMPT)
        print("ok the toolbox belongs to the step at hand")

        save(exercises / "client.c", solution["client.c"], True)
        said = terminal.until("Under valgrind:", "has passed:", "sequential ",
                              PROMPT)
        expect("not started" in said, "a full step leads on to the next", said)

        # Nobody closes the file, so inotify is silent: it looks by itself.
        with open(exercises / "sequential.c", "a") as held:
            held.write("#error not closed\n")
            held.flush()
            said = terminal.until(PROMPT)
        expect("not closed" in said, "where inotify is silent, it looks", said)

        save(exercises / "sequential.c", solution["sequential.c"])
        terminal.until("Under valgrind:")
        save(exercises / "client.c", broken)
        said = terminal.until("FAILED client: notices_a_reset")
        expect("Under valgrind" not in said and PROMPT not in said,
               "a save ends what is being graded", said)
    finally:
        terminal.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="watch-") as work:
        try:
            try_it(options.build.resolve(), pathlib.Path(work))
        except (AssertionError, TimeoutError) as error:
            print(f"not ok {error}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
