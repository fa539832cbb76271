#!/usr/bin/env python3
"""class.py BUILD - `make class` grades every folder, each once, the same as
one by one, whatever they are named and wherever it was interrupted."""
import contextlib
import csv
import html.parser
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import sys
import tempfile

KIT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(sys.argv[1]).resolve()
STEPS = "sequential forked"
PATIENCE_S = 60  # for a process that was killed to be gone
BLOCKED = "#include <unistd.h>\nint main(void)\n{\n    for (;;)\n" \
          "        pause();\n}\n"
BROKEN = "int main(void)\n{\n    return x;\n}\n"


def mutant(step, name):
    return (KIT / "tests/mutants" / step / f"{name}.c").read_text()


# Folder -> what is in it beside the solution.
SUBMISSIONS = {
    b"ada": {},
    b"=cmd|' C calc'!A0": {"forked.c": mutant("forked", "serves_in_parent")},
    b"a\nb <i>&amp; 100% $(id) \"'": {
        "sequential.c": mutant("sequential", "stops_at_nul"),
        "forked.c": None},
    b"not utf-8 \xff": {"sequential.c": BLOCKED, "forked.c": None},
    b"not utf-8 \xfe": {"sequential.c": BROKEN, "forked.c": None},
    b"-rf": {"sequential.c": None,
             "forked.c": mutant("forked", "exits_on_accept_error")},
    "{} Žofie".encode(): {
        "forked.c": (KIT / "exercises/forked.c").read_text()},
    b"n" * 250: {"sequential.c": None, "net.c": "x" * (2 << 20)},
}

# Before ada's grading stands a gate, so that Ctrl-C always finds work undone.
GATED = """#!/bin/sh
case $* in *submissions/ada*) read -r _ <"$GATE" ;; esac
exec "$GRADE" "$@"
"""

failed = 0


def claim(name, holds, said=""):
    global failed
    failed += not holds
    print(f"{'ok' if holds else 'not ok'} {name}" +
          ("" if holds else f": {said}"))


def fill(folder, changes):
    if folder.endswith("Žofie".encode()):  # the handout, unpacked
        folder += b"/faultline/exercises"
    os.makedirs(folder)
    files = {name: (KIT / "solutions" / name).read_text()
             for name in ("sequential.c", "forked.c", "net.c", "net.h")}
    files.update(changes)
    for name, text in files.items():
        if text is not None:
            with open(os.path.join(folder, name.encode()), "w",
                      encoding="utf-8") as file:
                file.write(text)


class Class:
    """A class in a folder of its own."""

    def __init__(self, work):
        self.work, self.out = work, work / "class"
        self.submissions = work / "submissions"
        self.submissions.mkdir()
        self.kit = work / "kit"
        self.kit.mkdir()
        for name in ("interposer.so", "valgrind.supp"):
            shutil.copy(BUILD / name, self.kit)
        (self.kit / "grade").write_text(GATED)
        (self.kit / "grade").chmod(0o755)
        self.environment = {
            **os.environ, "GRADE": str(BUILD / "grade"), "GATE": "/dev/null", "SUBMISSIONS": str(self.submissions),
            "CLASS": str(self.out), "STEP": STEPS, "VALGRIND": "no",
            "JOBS": "2", "HOSTS": "", "COURSE": ""}

    def start(self, **changes):
        """Begins a run in a session of its own, as at a terminal."""
        return subprocess.Popen(
            [KIT / "instructor/class.sh", self.kit], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            env={**self.environment, **changes})

    def run(self, **changes):
        """Its exit status and what it said."""
        process = self.start(**changes)
        said = process.communicate()[0]
        return process.returncode, said

    def jobs_done(self):
        lines = (self.out / "joblog").read_text().splitlines()[1:]
        return [line.split("\t")[0] for line in lines
                if line.split("\t")[6:8] == ["0", "0"]]

    def graded(self):
        """Folder of each report -> when it was finished."""
        return {path.parent.name: path.stat().st_mtime_ns
                for path in self.out.glob("reports/*/graded")}

    def data(self):
        return json.loads((self.out / "class.json").read_text())


def verdicts(report):
    return [(step["name"], step["score"], step["note"],
             [(c["name"], c["status"], c["score"]) for c in step["cases"]])
            for step in report["steps"]]


def one_by_one(name, submissions, work):
    folder = work / "alone"
    shutil.rmtree(folder, ignore_errors=True)
    inner = os.path.join(os.fsencode(submissions), name)
    if os.path.isdir(inner + b"/faultline"):
        inner += b"/faultline/exercises"
    subprocess.run(
        [BUILD / "grade", "--submission", inner, "--report",
         folder / "report", "--interposer",
         BUILD / "interposer.so", "--step", STEPS, "--valgrind", "no"],
        stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return json.loads((folder / "report/report.json").read_text())


def killed(room):
    """GNU parallel is gone at once, and its jobs with it."""
    gate = room.work / "never"
    os.mkfifo(gate)
    process = room.start(GATE=str(gate))
    with open(gate, "wb"):  # a job waits before it
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            if is_of(folder, process.pid, room) and \
                    b"/parallel\0--plain" in command_of(folder):
                os.kill(int(folder.name), signal.SIGKILL)
        said = process.communicate()[0]
        left = left_of(process.pid, room)
    claim("killed_leaves_no_process", not left, left)
    claim("killed_is_not_whole", process.returncode == 2, said)
    shutil.rmtree(room.out)


def interrupted(room):
    """Ctrl-C after the second verdict; the terminal tells the whole group."""
    gate = room.work / "gate"
    os.mkfifo(gate)
    process = room.start(GATE=str(gate))
    said = [process.stdout.readline() for _ in range(2)]
    os.killpg(process.pid, signal.SIGINT)
    said = "".join(said) + process.communicate()[0]
    claim("interrupted_says_so", process.returncode == 1 and
          "the same command goes on" in said, said)
    first = room.graded()
    claim("some_are_left", 2 <= len(first) < len(SUBMISSIONS), first)
    left = left_of(process.pid, room)
    claim("leaves_no_process", not left, left)
    claim("page_of_a_part", room.data()["graded"] == len(first), said)

    status, said = room.run()
    again = room.graded()
    claim("goes_on", status == 0 and
          f"{len(first)} of {len(SUBMISSIONS)} are graded already" in said,
          said)
    claim("nothing_is_graded_twice",
          all(again[key] == when for key, when in first.items()), again)
    claim("nothing_is_lost", len(again) == len(SUBMISSIONS), again)
    claim("each_job_is_done_once",
          sorted(map(int, room.jobs_done())) ==
          list(range(1, len(SUBMISSIONS) + 1)), room.jobs_done())
    status, said = room.run()
    claim("a_third_time_does_nothing", status == 0 and room.graded() == again,
          said)


def is_of(folder, session, room):
    """Is this process of that session, or started for this class?"""
    try:
        fields = (folder / "stat").read_text(errors="replace")
        fields = fields.rpartition(")")[2].split()
        environment = (folder / "environ").read_bytes()
    except OSError:
        return False
    return fields[0] != "Z" and (
        int(fields[3]) == session or os.fsencode(room.out) in environment)


def command_of(folder):
    """Empty where the process is gone meanwhile."""
    with contextlib.suppress(OSError):
        return (folder / "cmdline").read_bytes()
    return b""


def left_of(session, room):
    """Processes that are left of a run and do not end by themselves."""
    left = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        if not is_of(folder, session, room):
            continue
        try:
            end = os.pidfd_open(int(folder.name))
        except ProcessLookupError:
            continue
        if not select.select([end], [], [], PATIENCE_S)[0]:
            left.append(command_of(folder))
        os.close(end)
    return left


def the_same_as_one_by_one(room):
    by_name = {who["name"]: who for who in room.data()["submissions"]}
    claim("each_has_a_name_of_its_own", len(by_name) == len(SUBMISSIONS),
          list(by_name))
    wrong = []
    keys = iter(json.loads((room.out / "list.json").read_text()))
    for name in sorted(SUBMISSIONS):
        key = next(keys)["id"]
        report = json.loads(
            (room.out / "reports" / key / "report.json").read_text())
        if len(name) < 200 and verdicts(report) != verdicts(
                one_by_one(name, room.submissions, room.work)):
            wrong.append(name)
    claim("the_same_as_one_by_one", not wrong, wrong)
    scores = [who["score"] for who in by_name.values()]
    claim("scores_tell_them_apart", len(set(scores)) >= 4, scores)


class Page(html.parser.HTMLParser):
    """Collects the links and the tags; a page that escapes has no others."""

    def __init__(self, text):
        super().__init__()
        self.links, self.tags = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.links += [v for k, v in attributes if k == "href"]


def the_page(room):
    text = (room.out / "class.html").read_text(encoding="utf-8")
    page = Page(text)
    claim("page_escapes_names", not page.tags & {"script", "b", "em"} and
          "<i>&" not in text and "a\\nb &lt;i&gt;&amp;amp; 100%" in text,
          page.tags)
    missing = [link for link in page.links if not (room.out / link).is_file()]
    claim("every_link_leads_to_a_report", not missing and
          len(set(page.links)) == len(SUBMISSIONS), missing)
    counts = [f">{case['failed']} of {case['played']}<"
              for case in room.data()["cases"]]
    claim("page_counts_failures",
          counts and all(count in text for count in counts), counts)
    with open(room.out / "class.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    claim("csv_has_a_row_each", len(rows) == len(SUBMISSIONS), rows)
    claim("csv_holds_no_formula",
          not [r for r in rows if r["name"][0] in "=+-@"], rows)
    data = room.data()
    claim("histogram_counts_all", sum(data["histogram"]) == len(SUBMISSIONS),
          data["histogram"])
    claim("cases_are_those_that_failed",
          all(case["failed"] == len(case["who"]) for case in data["cases"]) and
          any(case["obligation"] == "build" and case["failed"] >= 1
              for case in data["cases"]), data["cases"])


def a_new_version(room):
    """A changed submission is graded anew, the others are not."""
    before = room.graded()
    shutil.copy(KIT / "exercises/forked.c",
                os.path.join(room.submissions, "-rf/forked.c"))
    status, said = room.run()
    after = room.graded()
    changed = [key for key in after if after[key] != before[key]]
    claim("only_a_changed_one_is_graded_anew",
          status == 0 and changed == ["+2Drf"], changed or said)


def bad_input(room, work):
    empty = work / "empty"
    empty.mkdir()
    file = work / "file"
    file.touch()
    course = work / "course"
    course.write_text("hide forked/flies\n")
    for name, words, changes in [
            ("no_submissions", "say where", {"SUBMISSIONS": ""}),
            ("empty_class", "holds no folder", {"SUBMISSIONS": str(empty)}),
            ("missing_class", "No such file", {"SUBMISSIONS": "/nowhere"}),
            ("class_is_a_file", "Not a directory", {"SUBMISSIONS": str(file)}),
            ("bad_jobs", "JOBS is a number", {"JOBS": "many"}),
            ("missing_hosts", "no such file", {"HOSTS": "/nowhere"}),
            ("missing_course", "no such file", {"COURSE": "/nowhere"}),
            ("bad_course", "course:1: ", {"COURSE": str(course)}),
            ("unknown_step", "there is no step fork", {"STEP": "fork"})]:
        status, said = room.run(CLASS=str(work / "nothing"), **changes)
        claim(name, status == 2 and words in said and said.count("\n") == 1,
              said)
    tools = work / "tools"
    tools.mkdir()
    (tools / "sh").symlink_to(shutil.which("sh"))
    (tools / "python3").symlink_to(shutil.which("python3"))
    run = subprocess.run([KIT / "harness/needs.sh", "class"],
                         env={"PATH": str(tools)}, capture_output=True,
                         text=True, check=False)
    claim("no_parallel", run.returncode == 2 and "parallel" in run.stderr,
          run.stderr)


# ssh as it looks from here: a shell with a home of its own. SHELL is set as
# sshd(8) sets it, whether or not who runs this has it.
SSH = """#!/bin/sh
while [ "${1#-}" != "$1" ]; do [ "$1" != -l ] || shift; shift; done
mkdir -p "$ELSEWHERE/$1" && cd "$ELSEWHERE/$1" && export HOME="$PWD" SHELL=/bin/sh
unset CLASS_FOLDER
shift
[ "$1" != -- ] || shift
exec sh -c "$*"
"""


def many_machines(work):
    """Two that are reached by ssh, and this one."""
    (work / "machines").mkdir()
    room = Class(work / "machines")
    for name in (b"ada", b"not utf-8 \xff", b"-rf"):
        fill(os.path.join(os.fsencode(room.submissions), name), {})
    ssh, elsewhere = work / "ssh", work / "elsewhere"
    ssh.write_text(SSH)
    ssh.chmod(0o755)
    hosts = work / "hosts"
    hosts.write_text(f"1/{ssh} one\n1/{ssh} two\n1/:\n")
    status, said = room.run(HOSTS=str(hosts), ELSEWHERE=str(elsewhere),
                            JOBS="1", STEP="sequential")
    data = room.data() if status == 0 else {"submissions": []}
    claim("grades_on_other_machines", status == 0 and
          all(w["score"] == w["max_score"] for w in data["submissions"]), said)
    log = (room.out / "joblog").read_text()
    claim("every_machine_has_its_share",
          "ssh one\t" in log and "ssh two\t" in log and "\t:\t" in log, log)
    left = [p for p in elsewhere.glob("*/*") if p.name != ".parallel"]
    claim("leaves_nothing_there", not left, left)


def main():
    with tempfile.TemporaryDirectory(prefix="class-") as work:
        work = pathlib.Path(work)
        room = Class(work)
        for name, changes in SUBMISSIONS.items():
            fill(os.path.join(os.fsencode(room.submissions), name), changes)
        (room.submissions / "roster.txt").touch()
        (room.submissions / "gone").symlink_to("/")
        killed(room)
        interrupted(room)
        the_same_as_one_by_one(room)
        the_page(room)
        a_new_version(room)
        bad_input(room, work)
        if shutil.which("rsync"):
            many_machines(work)
    print(f"class: {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
