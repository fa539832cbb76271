#!/usr/bin/env python3
"""hostile.py - grades submissions that attack, in each isolation there is.

Each folder of tests/hostile/ is one; the comment at the head of its source
says what it does, and in lines of the form `key: value` what must hold:

    case     the cases to play, as CASE= (echoes_a_line)
    most     the points that it may get at the most
    least    the points that it must get (0)
    status   the exit statuses of the grader that are right (1); any: all
    says     what the report must say: a regular expression
    never    what it must not say
    only     the isolations that it is about, where that is not each
    walled   what it attacks is safe only where there are walls of some kind
    long     the isolations in which it takes long: --quick leaves them to
             make exam, as it does all but one of what is not about walls
    link, pipe   a file that the runner makes: a symbolic link, a pipe

Beside that, after each: the grader has ended within its time, its report is
whole, no process is left, and nothing outside is changed. @CANARY@ in a
source is a folder that anybody can write to, and that must stay as it is;
@REPORT@ the report's; @PORT@ is a port that the machine listens on.

Whatever fails to hold them, they are bound: by limits, by being the first that
the kernel ends when memory is short, and where they run as the caller
(ISOLATION=plain) by being a user that nobody else is, never root.
"""
import argparse
import contextlib
import ctypes
import json
import multiprocessing
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree
from pathlib import Path

HERE = Path(__file__).parent / "hostile"
# Namespaces are made in one way by root, in another by anybody else.
KINDS = {"namespaces": "namespaces", "rootless": "namespaces", "uid": "uid",
         "plain": "plain"}
AS_NOBODY = ("rootless", "plain")
LONGEST_S = 300
SECRET = "SECRET-7d1c"
PR_SET_CHILD_SUBREAPER = 36
FIRST_USER = 57000  # whom nobody is
IPC_KEY = str(0x7057116e)
STRAYS = [Path(folder) / "hostile-was-here"
          for folder in ("/", "/tmp", "/var/tmp", "/dev/shm")]


class Attack:
    def __init__(self, folder):
        self.folder = folder
        self.name = folder.name
        source = next(folder.glob("*.c")).read_text()
        head = source[:source.index("*/")]
        self.rules = dict(re.findall(r"^ \* (\w+): (.+)$", head, re.M))
        if "most" not in self.rules:
            sys.exit(f"hostile.py: {self.name} does not say what must hold")
        self.walls = "walled" in self.rules or "least" in self.rules

    def prepare(self, folder, port):
        canary = folder.with_name("canary")
        folder.mkdir()
        shutil.copy(HERE / "net.h", folder)
        for file in self.folder.iterdir():
            text = file.read_text()
            (folder / file.name).write_text(
                text.replace("@CANARY@", str(canary))
                .replace("@REPORT@", str(folder.with_name("report")))
                .replace("@PORT@", str(port)))
        if "link" in self.rules:
            (folder / self.rules["link"]).symlink_to(canary / "client.c")
        if "pipe" in self.rules:
            os.mkfifo(folder / self.rules["pipe"])


def snapshot(canary):
    return {path.name: (path.read_bytes(), path.stat().st_mode)
            for path in canary.iterdir()}


def what_is_left():
    """Orphans come to us: whoever is there now has outlived its grading."""
    left = []
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return left
        if pid:
            continue
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
        for child in map(int, children.split()):
            name = Path(f"/proc/{child}/comm").read_text().strip()
            left.append(f"{name} ({child})")
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def bounds(user):
    """The net below: a containment that fails must not take the machine."""
    resource.setrlimit(resource.RLIMIT_CPU, (600, 600))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    Path("/proc/self/oom_score_adj").write_text("1000")
    if user:
        resource.setrlimit(resource.RLIMIT_NPROC, (1000, 1000))
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)


def grade(options, kind, submission, report, case):
    user = 0
    report.mkdir()
    if kind in AS_NOBODY and os.getuid() == 0:
        user = FIRST_USER + os.getpid() % 1000
        os.chown(report, user, user)
    run = subprocess.Popen(
        [options.grade, "--interposer", options.interposer, "--isolation",
         KINDS[kind], "--submission", submission, "--report", report, "--step",
         "sequential", "--case", case, "--valgrind", "no"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, start_new_session=True,
        preexec_fn=lambda: bounds(user),
        env={**os.environ, "FAULTLINE_SECRET": SECRET})
    try:
        out, _ = run.communicate(timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
        return None, b""
    return run.returncode, out


def judge(attack, status, out, report, walled):
    """What does not hold; '' where all does."""
    rules = attack.rules
    if status is None:
        return f"the grader has not ended within {LONGEST_S} s"
    wanted = rules.get("status", "1")
    if wanted != "any" and str(status) not in wanted.split():
        return f"exit status {status}, not {wanted}"
    if status not in (0, 1, 2):
        return f"exit status {status}"
    try:
        text = (report / "report.json").read_text()
        score = json.loads(text)["score"]
    except (OSError, ValueError) as error:
        return f"no whole report: {error}"
    if score > float(rules["most"]):
        return f"{score} points, more than {rules['most']}"
    if score < float(rules.get("least", 0)):
        return f"{score} points, fewer than {rules['least']}"
    said = out.decode("latin-1") + text
    if not re.search(rules.get("says", ""), said):
        return f"the report does not say: {rules['says']}"
    if SECRET in said:
        return "the environment got in"
    trouble = not_as_text(report)
    if trouble:
        return trouble
    if "never" in rules and walled and re.search(rules["never"], said):
        return f"the report says: {rules['never']}"
    return ""


def not_as_text(report):
    """What a program prints can't be told from the report's own words."""
    for file in report.iterdir():
        if file.name == "hostile-was-here":
            return "it has written into the report"
        text = file.read_text(errors="replace")
        found = re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]|^::\w+::forged"
                          r"|^ok .*forged", text, re.M)
        if found and file.suffix != ".log":
            return f"{file.name} has {found.group()!r}"
    cases = xml.etree.ElementTree.parse(report / "junit.xml").iter("testcase")
    if any(case.get("name") == "forged" for case in cases):
        return "junit.xml has a forged case"
    return ""


def objects_left():
    """System V's, which outlive their processes."""
    return [table.name for table in Path("/proc/sysvipc").iterdir()
            for line in table.read_text().splitlines()
            if line.split()[0] == IPC_KEY]


def run_one(options, attack, kind, work):
    canary = work / "canary"
    canary.mkdir()
    canary.chmod(0o777)
    shutil.copy("solutions/client.c", canary)
    (canary / "secret").write_text(SECRET)
    before = snapshot(canary)
    listener = socket.create_server(("127.0.0.1", 0))
    attack.prepare(work / "submission", listener.getsockname()[1])
    status, out = grade(options, kind, work / "submission", work / "report",
                        attack.rules.get("case", "echoes_a_line"))
    listener.close()
    # Said by the grader itself, where the kernel has no fence.
    walled = b" can " not in out[:200] or "walled" not in attack.rules
    wrong = judge(attack, status, out, work / "report", walled)
    left = what_is_left()
    if not wrong and left:
        wrong = "left behind: " + ", ".join(left)
    if not wrong and walled and snapshot(canary) != before:
        wrong = "changed what lies outside"
    wrong = wrong or " ".join(objects_left())
    user = FIRST_USER + os.getpid() % 1000
    for folder in Path("/tmp").glob("faultline.*"):
        if kind not in AS_NOBODY:
            break
        with contextlib.suppress(FileNotFoundError):  # somebody else's, then
            if folder.stat().st_uid == user:
                wrong = wrong or f"left {folder}"
    for stray in STRAYS:
        if stray.exists():
            stray.unlink()
            wrong = wrong or (f"left {stray}" if walled else "")
    return wrong, out


def work_through(options, jobs, results):
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    while True:
        job = jobs.get()
        if job is None:
            return
        attack, kind = job
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
            os.chmod(folder, 0o755)
            wrong, out = run_one(options, attack, kind, Path(folder))
        results.put((attack.name, kind, wrong, out,
                     time.monotonic() - begun))


def available(options):
    """The isolations that this machine has."""
    kinds = []
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for kind in KINDS:
            if kind == "rootless" and os.getuid() != 0:
                continue
            status, out = grade(options, kind, Path(folder),
                                Path(folder) / kind, "listens")
            if status != 2:
                kinds.append(kind)
            elif b"there is no isolation" not in out:
                sys.exit(f"hostile.py: {out.decode()}")
    return kinds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--grade", default="build/grade")
    parser.add_argument("--interposer", default="build/interposer.so")
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    attacks = [Attack(folder) for folder in sorted(HERE.iterdir())
               if folder.is_dir()
               and (not options.names or folder.name in options.names)]
    with tempfile.TemporaryDirectory(prefix="hostile-kit-") as folder:
        bring_kit(options, Path(folder))
        return attack_all(options, attacks)


def bring_kit(options, folder):
    """To where any user can come."""
    folder.chmod(0o755)
    library = Path(options.interposer)
    for file in (Path(options.grade), library,
                 library.with_name("valgrind.supp")):
        shutil.copy(file, folder)
    options.grade = folder / Path(options.grade).name
    options.interposer = folder / library.name


def attack_all(options, attacks):
    kinds = [options.kind] if options.kind else available(options)
    short, long = multiprocessing.Queue(), multiprocessing.Queue()
    results, count = multiprocessing.Queue(), 0
    for attack in attacks:
        for kind in kinds:
            takes_long = kind in attack.rules.get("long", "").split()
            if options.quick and (takes_long or
                                  not attack.walls and kind != kinds[0]):
                continue
            if kind in attack.rules.get("only", kind).split():
                (long if takes_long else short).put((attack, kind))
                count += 1
    # Most that take long wait; what takes memory is short.
    processors = os.cpu_count() or 1
    workers = []
    for queue in [short] * processors + [long] * 2 * processors:
        queue.put(None)
        workers.append(multiprocessing.Process(
            target=work_through, args=(options, queue, results)))
        workers[-1].start()
    failed = 0
    for _ in range(count):
        name, kind, wrong, out, took_s = results.get()
        failed += bool(wrong)
        if wrong or options.verbose:
            print(f"{'not ok' if wrong else 'ok'} {name} ({kind}, "
                  f"{took_s:.1f} s) {wrong}", flush=True)
            if wrong or options.names:
                print(out.decode("latin-1").encode("unicode_escape")
                      .decode().replace("\\n", "\n"))
    for worker in workers:
        worker.join()
    print(f"hostile: {len(attacks)} attacks in {', '.join(kinds)}: "
          f"{count - failed} of {count} are held")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
