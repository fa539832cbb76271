#!/usr/bin/env python3
"""services.py - what `make autograder` packs works where each service
puts it: laid out as the service does it, under a folder of our own."""
import base64
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree
import zipfile

KIT = pathlib.Path(__file__).resolve().parent.parent
STEP = "sequential"
MUTANT = KIT / "tests/mutants" / STEP / "reset_ends_the_server.c"
MEMORY = 768 << 20

failed = 0


def claim(name, holds, said=""):
    global failed
    failed += not holds
    print(f"{'ok' if holds else 'not ok'} {name}" +
          ("" if holds else f": {str(said)[-3000:]}"))


def run(command, cwd, **changes):
    """Exit status and what it said."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd),
                   "CFLAGS": "-O0", "STEP": STEP, **changes}
    done = subprocess.run(command, cwd=cwd, env=environment, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, errors="replace",
                          check=False)
    return done.returncode, done.stdout


def pack(target, packed):
    """Packs a bundle twice; the two must be the same. Returns its path."""
    paths = []
    for turn in ("first", "again"):
        os.umask(0o022 if turn == "first" else 0o077)
        status, said = run([KIT / "instructor/pack.sh", target,
                            packed / turn], KIT)
        paths.append(sorted(p for p in (packed / turn).rglob("*")
                            if target in str(p) and p.is_file()))
        if status:
            claim(f"{target}_is_packed", False, said)
    os.umask(0o022)
    first, again = ([p.read_bytes() for p in turn] for turn in paths)
    claim(f"{target}_is_the_same_again", first and first == again, paths)
    return paths[0]


def submit(folder, source):
    """A student's files: a good toolbox, and this server."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("net.c", "net.h"):
        shutil.copy(KIT / "solutions" / name, folder)
    shutil.copy(source, folder / f"{STEP}.c")


def load(path):
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {}


# ---- Half a processor and 768 MiB

def limit_v1(name):
    cpu, memory = (pathlib.Path("/sys/fs/cgroup") / kind / name
                   for kind in ("cpu", "memory"))
    for group in (cpu, memory):
        group.mkdir()
    (cpu / "cpu.cfs_quota_us").write_text("50000")
    (memory / "memory.limit_in_bytes").write_text(str(MEMORY))
    return [cpu, memory]


def limit_v2(name):
    top = pathlib.Path("/sys/fs/cgroup")
    if not {"cpu", "memory"} <= set(
            (top / "cgroup.subtree_control").read_text().split()):
        raise FileNotFoundError("no controllers")
    group = top / name
    group.mkdir()
    (group / "cpu.max").write_text("50000 100000")
    (group / "memory.max").write_text(str(MEMORY))
    return [group]


@contextlib.contextmanager
def small_machine():
    """A prefix of a command that runs it in a machine so small; as far as
    this one lets us make it, which is told."""
    groups, name = [], f"faultline-{os.getpid()}"
    for limit in (limit_v2, limit_v1):
        with contextlib.suppress(OSError):
            groups = limit(name)
            break
    if not groups:
        print("# limits: one processor by taskset; no cgroup to be had")
        yield ["taskset", "-c", str(min(os.sched_getaffinity(0)))]
        return
    print(f"# limits: 0.5 CPU, 768 MiB by {limit.__name__[-2:]} cgroups")
    enter = "".join(f"echo $$ >{g}/cgroup.procs && " for g in groups)
    try:
        yield ["sh", "-c", enter + 'exec "$@"', "small"]
    finally:
        for group in groups:
            for peak in ("memory.max_usage_in_bytes", "memory.peak"):
                with contextlib.suppress(OSError):
                    print(f"# at most {int((group / peak).read_text()) >> 20}"
                          " MiB of memory in use")
            with contextlib.suppress(OSError):  # who was killed still goes
                group.rmdir()


# ---- The services

def gradescope(work):
    bundle, = pack("gradescope", work)
    root = work / "autograder"
    for name in ("source", "submission", "results"):
        (root / name).mkdir(parents=True)
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(root / "source")
        modes = {i.filename: i.external_attr >> 16 for i in archive.infolist()}
    for name, mode in modes.items():  # as unzip(1) does
        (root / "source" / name).chmod(mode)
    claim("gradescope_can_run_it", all(
        modes.get(name, 0) & 0o111 for name in ("setup.sh", "run_autograder")),
        modes)
    shutil.copy(root / "source/run_autograder", root)
    here = {"AUTOGRADER": str(root)}
    status, said = run(["sh", root / "source/setup.sh"], root, **here)
    claim("gradescope_sets_up", status == 0, said)

    submit(root / "submission", KIT / "solutions" / f"{STEP}.c")
    with small_machine() as small:
        status, said = run([*small, "sh", root / "run_autograder"], root,
                           **here)
    results = load(root / "results/results.json")
    tests = results.get("tests", [])
    claim("gradescope_grades_in_a_small_machine", status == 0 and tests and
          sum(t["score"] for t in tests) == sum(t["max_score"] for t in tests)
          == 10, said)

    shutil.rmtree(root / "submission")
    submit(root / "submission/faultline/exercises", MUTANT)
    status, said = run(["sh", root / "run_autograder"], root, VALGRIND="no",
                       **here)
    results = load(root / "results/results.json")
    claim("gradescope_exits_0_with_points_lost", status == 0 and
          any(t["status"] == "failed" for t in results.get("tests", [])), said)
    status, said = run(["sh", root / "run_autograder"], root,
                       **{**here, "STEP": "moon"})
    claim("gradescope_gives_no_points_for_what_is_not_graded", status == 2 and
          not (root / "results/results.json").exists(), said)
    return root / "source/faultline/build"


def unpack(bundle, place):
    with tarfile.open(bundle) as archive:
        archive.extractall(place)


RUNNER = {name: f"a-{name.lower()}" for name in (
    "CLASSROOM", "ASSIGNMENT", "SUBMISSION_TAG", "COMMIT_URL", "RELEASE_URL",
    "REVIEW_URL")}
# What schema classroom50/result/v1 wants; it forbids more than it names.
RESULT = {"schema", "classroom", "assignment", "submission", "commit",
          "release", "review", "datetime", "score", "max-score", "tests"}


def classroom50(work, built):
    bundle, = pack("classroom50", work)
    unpack(bundle, work / "pages")
    grader = work / "pages/autograders/autograder.py"
    checkout = work / "checkout"
    here = {**RUNNER, "BUILD": str(built), "VALGRIND": "no"}

    submit(checkout / "exercises", MUTANT)
    precious = work / "precious"
    precious.write_text("mine")
    (checkout / "result.json").symlink_to(precious)
    status, said = run([sys.executable, grader], checkout, **here)
    result = load(checkout / "result.json")
    claim("classroom50_exits_0_with_points_lost", status == 0 and
          0 < result.get("score", 0) < result["max-score"], said)
    claim("classroom50_result_has_its_shape", set(result) == RESULT and
          result["schema"] == "classroom50/result/v1" and
          result["classroom"] == "a-classroom" and
          all(isinstance(t["score"], int) for t in result["tests"]) and
          result["score"] == sum(t["score"] for t in result["tests"]), result)
    claim("classroom50_follows_no_link", precious.read_text() == "mine" and
          not (checkout / "result.json").is_symlink(), "")
    os.unlink(checkout / "result.json")
    status, said = run([sys.executable, grader], checkout,
                       **{**here, "STEP": "moon"})
    claim("classroom50_tells_what_is_not_graded", status == 1 and
          not (checkout / "result.json").exists(), said)


def read_yaml(path):
    status, said = run(
        ["/usr/bin/python3", "-c", "import json, sys, yaml\n"
         "json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)", path],
        KIT)
    claim(f"{path.name}_is_yaml", status == 0, said)
    return json.loads(said) if status == 0 else {}


def github(work, built):
    bundle, = pack("github", work)
    space = work / "workspace"
    unpack(bundle, space)
    (space / "faultline").rename(space / "kit")
    steps = read_yaml(space / "kit/.github/workflows/faultline.yml")[
        "jobs"]["grade"]["steps"]
    # What "Take the submission" leaves; its kit is not the one that grades.
    submit(space / "submission/exercises", MUTANT)
    shutil.copytree(space / "kit/autograder", space / "submission/autograder")
    (space / "submission/autograder/grade.sh").write_text("exit 0\n")
    for name in ("output", "summary"):
        (space / name).touch()
    here = {"GITHUB_WORKSPACE": str(space), "BUILD": str(built),
            "GITHUB_OUTPUT": str(space / "output"), "VALGRIND": "no",
            "GITHUB_STEP_SUMMARY": str(space / "summary")}
    step, = (step for step in steps if "run" in step)
    cwd = space / step["working-directory"]
    command = ["bash", "-e", "-c", step["run"]]
    status, said = run(command, cwd, **here)
    claim("github_fails_where_points_are_lost", status == 1, said)
    lines = said.splitlines()
    word = lines[0].removeprefix("::stop-commands::")
    told = lines[lines.index(f"::{word}::") + 1:] if f"::{word}::" in lines \
        else []
    claim("github_annotates_the_line", any(
        line.startswith(f"::error file=exercises/{STEP}.c,line=")
        for line in told), said)
    claim("github_has_a_summary",
          STEP in (space / "summary").read_text(), said)
    name, _, value = (space / "output").read_text().strip().partition("=")
    legacy = json.loads(base64.b64decode(value))
    claim("github_has_the_older_result", name == "result" and
          legacy["version"] == 1 and legacy["status"] == "fail", legacy)
    kept = [s for s in steps if "upload-artifact" in s.get("uses", "")]
    claim("github_keeps_the_report", kept and
          (space / kept[0]["with"]["path"] / "report.json").is_file(), kept)
    status, said = run(command, cwd, **{**here, "FAULTLINE_PASS": "always"})
    claim("github_passes_where_it_must", status == 0, said)
    status, said = run(command, cwd, **{**here, "STEP": "moon",
                                        "FAULTLINE_PASS": "always"})
    claim("github_never_passes_what_is_not_graded", status == 2, said)


def gitlab(work, built):
    bundle, = pack("gitlab", work)
    unpack(bundle, work)
    kit, checkout = work / "faultline", work / "project"
    job = read_yaml(kit / ".gitlab-ci.yml")["faultline"]
    for command in (["init", "-q"], ["add", "-A"],
                    ["-c", "user.name=a", "-c", "user.email=a@b", "commit",
                     "-qm", "the kit"]):
        run(["git", *command], kit)
    submit(checkout / "exercises", MUTANT)
    tools = work / "tools"
    tools.mkdir()
    (tools / "apt-get").write_text("#!/bin/sh\n")  # it is all here
    (tools / "apt-get").chmod(0o755)
    script = "\n".join(job["before_script"] + job["script"])
    status, said = run(["sh", "-e", "-c", script], checkout, BUILD=str(built),
                       FAULTLINE_KIT=f"file://{kit}", VALGRIND="no",
                       PATH=f"{tools}:{os.environ['PATH']}")
    claim("gitlab_fails_where_points_are_lost", status == 1, said)
    reports = job["artifacts"]["reports"]
    with contextlib.suppress(OSError, xml.etree.ElementTree.ParseError):
        junit = xml.etree.ElementTree.parse(checkout / reports["junit"])
        claim("gitlab_shows_the_cases",
              len(junit.findall(".//failure")) >= 1, said)
        quality = load(checkout / reports["codequality"])
        claim("gitlab_shows_the_line", any(
            q["location"]["path"] == f"exercises/{STEP}.c" for q in quality),
            quality)
        return
    claim("gitlab_has_its_reports", False, said)


def autolab(work, built):
    pack("autolab", work)
    machine = work / "first/faultline-autolab"
    (machine / "autograde-Makefile").rename(machine / "Makefile")
    submit(work / "exercises", MUTANT)
    with tarfile.open(machine / "handin.tar", "w") as archive:
        archive.add(work / "exercises", "exercises")
    here = {"BUILD": str(built), "VALGRIND": "no"}
    status, said = run(["make"], machine, **here)
    last = said.splitlines()[-1]
    with contextlib.suppress(ValueError):
        last = json.loads(last)
    claim("autolab_ends_with_the_scores", status == 0 and
          0 < last["scores"][STEP] < 10 and
          last["scoreboard"] == [last["scores"][STEP]], said)
    (machine / "handin.tar").write_text("no archive")
    status, said = run(["make"], machine, **here)
    claim("autolab_says_how_to_hand_in", status == 2 and
          "tar -cf handin.tar exercises" in said and '"scores"' not in said,
          said)


def bad_input(work):
    for name, words, changes in [
            ("unknown_target", "TARGET is gradescope", {}),
            ("missing_course", "there is no such file",
             {"COURSE": "/nowhere"})]:
        target = "moon" if name == "unknown_target" else "github"
        status, said = run([KIT / "instructor/pack.sh", target, work / "x"],
                           KIT, **changes)
        claim(name, status == 2 and words in said and said.count("\n") == 1,
              said)


def main():
    os.chdir(KIT)
    with tempfile.TemporaryDirectory(prefix="services-") as work:
        rooms = {}
        for name in "gradescope classroom50 github gitlab autolab bad".split():
            rooms[name] = pathlib.Path(work) / name
            rooms[name].mkdir()
        built = gradescope(rooms["gradescope"])
        classroom50(rooms["classroom50"], built)
        github(rooms["github"], built)
        gitlab(rooms["gitlab"], built)
        autolab(rooms["autolab"], built)
        bad_input(rooms["bad"])
    print(f"services: {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
