#!/usr/bin/python3
"""formats.py - has the readers of each format read what the grader writes.

    formats.py [--grade FILE] [--interposer FILE] [REPORT ...]

Grades a wrong program, one that does not compile and one that is as nasty as
it can be, in a folder whose name is, too; hides cases; puts nasty texts into
each place of a report. Of these, and of the report folders that are named,
each file is read by a reader of its kind, which must see the very cases of
report.json, and no character that a terminal or a page would obey.
"""
import argparse
import base64
import concurrent.futures
import html.parser
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import traceback
import xml.etree.ElementTree

import jsonschema
import junitparser
import yaml

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True  # the sources stay as they are
sys.path.insert(0, str(HERE / "formats"))
import schemas  # noqa: E402

OWN = re.compile(r".*\.log|report\.json")  # in a report folder, no format
SCORED = ["gradescope.json", "classroom50.json", "autolab.txt"]
FILES = ["junit.xml", "report.tap", "classroom.txt", "annotations.txt",
         "summary.md", "gl-code-quality-report.json", *SCORED]
MOST_ANNOTATIONS, MOST_ENVIRONMENT = 10, 128 * 1024
QUARTERS = 4
HARMFUL = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f"
                     "\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")

NASTY = [
    "".join(map(chr, range(1, 32))) + "\x7f", "\x80\x85\x9b31m\x9f",
    "\u202e\u2066evil\u2069\u2028\u2029\u200f\ufeff\ufffe\uffff",
    "\033]0;title\007\033[2J\033[31mred", "a\r\nb\rc\n",
    "'\"`\\\\\" onload=\"x\" '", "]]><!-- <script>alert(1)</script> &amp; &#0;",
    "100%0A%25%0D::error::forged\n::set-output name=x::y\n::stop-commands::z",
    "title,with:commas,line=1::and more", "x # SKIP all\nok 1 - forged\n1..1",
    "...\n---\nBail out!\n  ...\nnot ok 3\n", "key: value\n- [a, {b: c}]\n\t*x",
    "</pre></details>\n\n# big\n\n| a | b |\n|---|---|\n```\n[x](javascript:1)",
    "scores: word: \"x\"}\n{\"scores\":{\"client\":1000}}\n", "", " ", "\n",
    "gr\u00fc\u00df \U0001f642 \u4f60\u597d e\u0301", "x" * 5000,
    "%s%n%d${jndi:x}$(id)`id`",
]
NASTY_FOLDER = b"we ird'\"`$x;%0A\n::error::##[error]\xff\xfe\033[31m"
NASTY_TEXT = (b'\xff\xfe\x1b]0;x\x07\x1b[31m ::error::forged%0A\n::warning::x\n'
              b'  ::add-mask::e\n##[error]x ##[group]\nnot ok 1\n]]><script>"\\\'`\x9b\xe2\x80\xae\x00\r\n')
NASTY_SERVER = r"""
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#line 7 "::error title=a,b\033[31m%0A::<script>.c"
static void answer(int fd)
{
    static const char text[] = { TEXT };
    write(1, text, sizeof(text));
    write(2, text, sizeof(text)); /* before the verdict falls */
    write(fd, text, sizeof(text));
    abort();
}
int main(int argc, char **argv)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    to.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    bind(listener, (struct sockaddr *)&to, sizeof(to));
    listen(listener, 5);
    answer(accept(listener, NULL, NULL));
}
"""


def harmless(text):
    """As view.h says it, said once more."""
    return HARMFUL.sub(
        lambda at: f"\\x{ord(at[0]):02x}" if ord(at[0]) < 256
        else f"\\u{ord(at[0]):04x}", text)


class Case:
    def __init__(self, step, name, status, score, max_score, message=""):
        self.step, self.name, self.status = step, name, status
        self.score, self.max_score, self.message = score, max_score, message

    def key(self):
        return self.step, self.name

    def outcome(self):
        return self.step, self.name, self.status


def is_hidden(case):
    return case.get("visibility", "visible") != "visible"


def cases_of(step, complete):
    """What is to be seen of a step; hidden cases as one."""
    raw = [Case(step["name"], c["name"], c["status"], c["score"],
                c["max_score"], harmless(c["message"])) for c in step["cases"]]
    note = []
    if raw and step["note"] and all(c.status == "skip" for c in raw):
        note = [Case(step["name"], "is_started", "fail", 0, 0,
                     harmless(step["note"]))]
    both = list(zip(raw, map(is_hidden, step["cases"])))
    hidden = [c for c, is_secret in both if is_secret]
    if complete or not hidden:
        return raw + note
    seen = {c.status for c in hidden}
    status = "error" if "error" in seen else \
        "pass" if seen == {"pass"} else "fail"
    return [c for c, is_secret in both if not is_secret] + note + [
        Case(step["name"], "hidden_cases", status,
             sum(c.score for c in hidden), sum(c.max_score for c in hidden))]


class Report:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.data = json.loads(self.read("report.json"))
        self.steps = self.data["steps"]

    def read(self, name):
        return (self.folder / name).read_text(encoding="utf-8")

    def cases(self, complete=False):
        return [case for step in self.steps
                for case in cases_of(step, complete)]

    def trouble(self):
        return [c for c in self.cases() if c.status in ("fail", "error")]


def same(seen, expected, what):
    if seen != expected:
        extra = [x for x in seen if x not in expected][:3]
        missing = [x for x in expected if x not in seen][:3]
        raise AssertionError(f"{what}: extra {extra}, missing {missing}")


def run_reader(*command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, check=False)
    assert done.returncode == 0, \
        f"{command[0]}: {done.stderr.decode(errors='replace')[:2000]}"
    return done.stdout.decode()


def validate(data, schema):
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.validate(data, schema, cls=jsonschema.Draft7Validator)


# ---- One reader a format ----

def check_junit(report):
    path = report.folder / "junit.xml"
    run_reader("xmllint", "--noout", "--nonet", "--schema",
               str(HERE / "formats" / "junit.xsd"), str(path))
    status = {junitparser.Failure: "fail", junitparser.Error: "error",
              junitparser.Skipped: "skip"}
    seen = []
    for suite in junitparser.JUnitXml.fromfile(str(path)):
        cases = list(suite)
        results = [type(r) for c in cases for r in c.result]
        same([suite.tests, suite.failures, suite.errors, suite.skipped],
             [len(cases), *map(results.count, status)], "the suite's counts")
        seen += [(c.classname, c.name,
                  status[type(c.result[0])] if c.result else "pass")
                 for c in cases]
    same(seen, [c.outcome() for c in report.cases()], "junit")
    root = xml.etree.ElementTree.parse(path).getroot()
    for case, expected in zip(root.iter("testcase"), report.cases()):
        if len(case) and expected.name != "hidden_cases":
            same([case[0].get("message")], [expected.message], "message")
        if case.find("failure") is not None:
            assert (case[0].text or "").startswith(expected.message.rstrip("\n")), \
                "the message is not in the body"


# TAP 14 is made so that readers of 13 can read it; Perl's knows no 14.
TAP_READER = r"""
use TAP::Parser;
binmode STDOUT, ":utf8";
local $/; my $tap = <STDIN>;
my $parser = TAP::Parser->new({tap => $tap});
while (my $one = $parser->next) {
    next unless $one->is_test;
    printf "%s\t%s\t%s\n", $one->is_actual_ok ? "ok" : "not ok",
        $one->has_skip ? "skip" : "", $one->description;
}
die join "\n", $parser->parse_errors if $parser->parse_errors;
"""


def check_tap(report):
    text = report.read("report.tap")
    assert text.startswith(f"TAP version 14\n1..{len(report.cases())}\n")
    lines = run_reader("perl", "-e", TAP_READER, text=text.replace(
        "version 14", "version 13", 1).encode()).splitlines()
    seen = []
    for line in lines:
        status, skip, name = line.split("\t")
        step, _, case = name.removeprefix("- ").partition("/")
        seen.append((step, case, skip or status))
    word = {"pass": "ok", "skip": "skip", "fail": "not ok", "error": "not ok"}
    same(seen, [(c.step, c.name, word[c.status]) for c in report.cases()],
         "tap")
    blocks = re.findall(r"^  ---\n(.*?)^  \.\.\.\n", text, re.M | re.S)
    data = [yaml.safe_load(block) for block in blocks]
    for block, case in zip(data, report.trouble(), strict=True):
        if case.name != "hidden_cases":
            same([block["message"]], [case.message], "the YAML")


def check_gradescope(report):
    data = json.loads(report.read("gradescope.json"))
    validate(data, schemas.GRADESCOPE)
    expected = report.cases(complete=True)
    same([(t["name"], t["score"], t["max_score"]) for t in data["tests"]],
         [(f"{c.step}: {c.name}", c.score, c.max_score) for c in expected],
         "gradescope")
    assert sum(t["score"] for t in data["tests"]) == report.data["score"]
    hidden = {(s["name"], c["name"]): c["visibility"] for s in report.steps
              for c in s["cases"] if is_hidden(c)}
    for test, case in zip(data["tests"], expected):
        assert test["visibility"] == hidden.get(case.key(), "visible")


def check_classroom50(report):
    data = json.loads(report.read("classroom50.json"))
    validate(data, schemas.CLASSROOM50)
    same([(t["test-name"], t["passed"], t["score"], t["max-score"])
          for t in data["tests"]],
         [(f"{c.step}/{c.name}", c.status == "pass", c.score * QUARTERS,
           c.max_score * QUARTERS) for c in report.cases()], "classroom50")
    assert data["score"] == report.data["score"] * QUARTERS
    assert data["max-score"] == report.data["max_score"] * QUARTERS


def check_classroom(report):
    text = report.read("classroom.txt")
    assert text.endswith("\n") and text.count("\n") == 1
    assert len(text) < MOST_ENVIRONMENT
    data = json.loads(base64.b64decode(text.strip(), validate=True))
    validate(data, schemas.CLASSROOM)
    word = {"pass": "pass", "skip": "fail", "fail": "fail", "error": "error"}
    same([(t["name"], t["status"], t["score"]) for t in data["tests"]],
         [(f"{c.step}/{c.name}", word[c.status], c.score)
          for c in report.cases()], "classroom")
    # What its reporter publishes.
    assert sum(t["score"] for t in data["tests"]) == report.data["score"]
    assert data["max_score"] == report.data["max_score"]
    full = report.data["score"] == report.data["max_score"]
    assert (data["status"] == "pass") == (full and report.data["graded"])


def check_autolab(report):
    feedback, last = report.read("autolab.txt").splitlines()
    data = json.loads(feedback)
    validate(data, schemas.AUTOLAB_FEEDBACK)
    same([(step, name, data[step][name]["passed"]) for step in data["stages"]
          for name in data[step]],
         [(c.step, c.name, c.status == "pass") for c in report.cases()],
         "autolab")
    # As Autolab's parseAutoresult() does before it decodes.
    scores = json.loads(re.sub(r"([a-zA-Z0-9]+):", r'"\1":', last))
    validate(scores, schemas.AUTOLAB_SCORES)
    same(list(scores["scores"].items()),
         [(s["name"], s["score"]) for s in report.steps], "autolab's scores")


def unescape(text, more=()):
    for character in ["\r", "\n", *more, "%"]:
        text = text.replace(f"%{ord(character):02X}", character)
    return text


def check_annotations(report):
    seen, errors = [], 0
    for line in report.read("annotations.txt").split("\n")[:-1]:
        command = re.fullmatch(r"::(error|notice) (.*?)::(.*)", line)
        assert command, f"no workflow command: {line!r}"
        given = dict(p.split("=", 1) for p in command[2].split(","))
        given = {k: unescape(v, ":,") for k, v in given.items()}
        assert set(given) <= {"file", "line", "title"}, given
        if command[1] == "error":
            errors += 1
            seen.append((given["title"], unescape(command[3])))
    assert errors == min(MOST_ANNOTATIONS, len(report.trouble())), errors
    known = {f"{c.step}/{c.name}": c.message for c in report.trouble()}
    for title, message in seen:
        assert title in known, title
        assert message.startswith(known[title].rstrip("\n")) or \
            title.endswith("/hidden_cases"), title


class Page(html.parser.HTMLParser):
    """The elements of a page and the texts of its <pre>."""
    KNOWN = {"h2", "table", "thead", "tbody", "tr", "th", "td", "code", "p",
             "details", "summary", "pre"}

    def __init__(self, text):
        super().__init__()
        self.open, self.rows, self.texts = [], [], []
        self.feed(text)
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attrs):
        assert tag in self.KNOWN and not attrs, f"<{tag} {attrs}>"
        self.open.append(tag)
        if tag == "pre":
            self.texts.append("")
        if tag == "tr":
            self.rows.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}>"

    def handle_data(self, data):
        if "pre" in self.open:
            self.texts[-1] += data
        elif "tr" in self.open:
            self.rows[-1] += data

    def handle_comment(self, data):
        raise AssertionError(f"<!--{data}-->")


def check_summary(report):
    text = report.read("summary.md")
    assert len(text.encode()) < 1024 * 1024
    page = Page(run_reader("cmark-gfm", "--unsafe", "-e", "table", "-e",
                           "autolink", "-e", "strikethrough",
                           text=text.encode()))
    assert len(page.rows) == 1 + len(report.steps), page.rows
    assert len(page.texts) == len(report.trouble())
    for seen, case in zip(page.texts, report.trouble()):
        if case.name != "hidden_cases":
            assert seen.startswith(case.message.strip("\n")) or \
                seen.startswith(case.message.rstrip("\n")), case.key()


def check_code_quality(report):
    data = json.loads(report.read("gl-code-quality-report.json"))
    validate(data, schemas.CODE_QUALITY)
    marks = [issue["fingerprint"] for issue in data]
    assert len(set(marks)) == len(marks), "GitLab keeps the first of twins"
    known = {f"{c.step}/{c.name}" for c in report.trouble()}
    assert {issue["check_name"] for issue in data} <= known
    assert not any(".." in issue["location"]["path"].split("/")
                   for issue in data)


CHECKS = [check_junit, check_tap, check_gradescope, check_classroom50,
          check_classroom, check_autolab, check_annotations, check_summary,
          check_code_quality]
SCORE_CHECKS = {check_gradescope, check_classroom50, check_autolab}


def strings_of(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings_of(inner)


def check_harmless(report):
    """Neither as it stands nor when its reader has decoded it."""
    for path in report.folder.iterdir():
        if OWN.fullmatch(path.name):
            continue
        assert path.name in FILES, f"what is {path.name}?"
        text = path.read_text(encoding="utf-8")
        decoded = [text]
        if path.suffix == ".json":
            decoded += strings_of(json.loads(text))
        elif path.name == "classroom.txt":
            decoded += strings_of(json.loads(base64.b64decode(text)))
        for one in decoded:
            found = HARMFUL.search(one)
            assert not found, f"{path.name}: {found[0]!r} at {found.start()}"


def check_report(folder):
    report = Report(folder)
    graded = report.data["graded"]
    for name in FILES:
        there = (report.folder / name).exists()
        assert there == (graded or name not in SCORED), \
            f"{name} is {'' if there else 'not '}there"
    for check in CHECKS:
        if graded or check not in SCORE_CHECKS:
            check(report)
    check_harmless(report)
    return report


# ---- What is read ----

class Maker:
    def __init__(self, options, work):
        self.options, self.work = options, work

    def grade(self, name, step, files, *more, folder=b"submission"):
        """Returns the report folder and what was said."""
        base = self.work / name
        submission = os.path.join(os.fsencode(base), folder)
        os.makedirs(submission)
        for file, text in files.items():
            with open(os.path.join(submission, os.fsencode(file)), "wb") as out:
                out.write(text)
        done = subprocess.run(
            [self.options.grade, "--interposer", self.options.interposer,
             "--submission", submission,
             "--report", base / "report", "--step", step, "--valgrind", "no",
             *more], capture_output=True, stdin=subprocess.DEVNULL,
            check=False)
        said = (done.stdout + done.stderr).decode(errors="replace")
        assert done.returncode == 1, f"status {done.returncode}: {said}"
        return base / "report", said

    def rewrite(self, name, data):
        """The formats of a report that is given; returns their folder."""
        folder = self.work / name
        folder.mkdir()
        (folder / "report.json").write_text(
            json.dumps(data, ensure_ascii=False), encoding="utf-8")
        done = subprocess.run(
            [self.options.grade, "--from", folder / "report.json", "--report",
             folder], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        return folder


def mutant(step, name):
    return (HERE / "mutants" / step / f"{name}.c").read_bytes()


WRONG = ("client", {"client.c": mutant("client", "ignores_short_write")})


def wrong_program(maker):
    return maker.grade("wrong", *WRONG)[0]


def does_not_compile(maker):
    text = b"#error \"" + NASTY_TEXT.replace(b"\n", b" ").replace(
        b"\0", b"").replace(b"\r", b"") + b"\"\nint main(void) { x }\n"
    folder, _ = maker.grade("broken", "client forked", {
        "client.c": text, "forked.c": b"#include \"no\033such.h\"\n"})
    issues = json.loads((folder / "gl-code-quality-report.json").read_text())
    same([i["location"]["lines"]["begin"] for i in issues], [1, 1], "lines")
    return folder


def nasty_program(maker):
    text = ",".join(str(b) for b in NASTY_TEXT)
    folder, said = maker.grade(
        "nasty", "sequential",
        {"sequential.c": NASTY_SERVER.replace("TEXT", text).encode()},
        folder=NASTY_FOLDER)
    assert "add-mask" in said, said
    check_terminal(said)
    return folder


def nasty_document(maker):
    """Each text in each place of a report."""
    folder, _ = maker.grade("base", *WRONG)
    data = json.loads((folder / "report.json").read_text())
    rows = data["steps"][0]["cases"]
    assert len(rows) >= len(NASTY)
    for row, text in zip(rows, NASTY):
        row.update(status="fail", message=text, why=text, hint=text,
                   faults=text, replay=text, score=0,
                   where={"file": text, "line": 3, "function": text,
                          "from": text})
    rows[-1].update(status="skip", message="\n# TODO \\\n".join(NASTY), score=0)
    rows[-2].update(status="fail", injected=121, survived=118, score=0.25,
                    harm=NASTY, where={"file": "a.c", "line": 0,
                                       "function": "", "from": ""})
    data["submission"] = NASTY[3]
    data["score"] = data["steps"][0]["score"] = sum(r["score"] for r in rows)
    return maker.rewrite("document", data)


def not_graded(maker):
    folder, _ = maker.grade("error", *WRONG)
    data = json.loads((folder / "report.json").read_text())
    data["graded"] = False
    data["steps"][0]["cases"][2].update(status="error", score=0,
                                        message="not graded: no memory")
    data["score"] = data["steps"][0]["score"] = sum(
        row["score"] for row in data["steps"][0]["cases"])
    return maker.rewrite("not_graded", data)


def check_terminal(said):
    """GitHub's runner obeys a line that begins so, behind blanks, too."""
    assert not re.search(r"^\s*::|##\[", said, re.M), said
    assert not HARMFUL.search(said), said


def hidden_cases(maker):
    course = maker.work / "course"
    secrets = ["short_writes_cost_nothing", "short_reads_cost_nothing",
               "survives_every_transparent_failure"]
    course.write_text(f"points client/{secrets[0]} 2\n"
                      f"hide client/{secrets[0]}\n"
                      f"hide client/{secrets[1]} until published\n"
                      f"hide client/{secrets[2]}\n"
                      "points client/connects 0.75\n"
                      "sum client 17\ntotal 102\n")
    folder, said = maker.grade("hidden", *WRONG, "--course", course,
                               "--verbose")
    data = json.loads((folder / "report.json").read_text())
    lost = {row["name"]: row["max_score"] - row["score"]
            for row in data["steps"][0]["cases"]}
    assert lost[secrets[0]] == 2, lost
    assert data["max_score"] - data["score"] == sum(lost.values()), lost
    assert "hidden cases failed" in said, said
    for path in [folder / name for name in FILES if name != "gradescope.json"]:
        said += path.read_text()
    for secret in secrets:
        assert secret not in said, f"{secret} is told"
    return folder


REPORTS = [wrong_program, does_not_compile, nasty_program, nasty_document,
           not_graded, hidden_cases]


def refuses(maker):
    """A report that is none gets one clear line."""
    for text, words in [("{", b":1:"), ("[]", b"is no report"),
                        ('{"steps": "\\u0000"}', b"u0000"),
                        ('{"steps": 1}', b"is no report")]:
        path = maker.work / "none.json"
        path.write_text(text)
        done = subprocess.run([maker.options.grade, "--from", path, "--report",
                               maker.work / "none"], capture_output=True,
                              check=False)
        assert done.returncode == 2 and words in done.stderr, done
        assert done.stderr.count(b"\n") == 1, done.stderr
        assert not list((maker.work / "none").iterdir())


def attempt(name, act):
    try:
        result = act()
    except Exception:  # pylint: disable=broad-except
        print(f"not ok {name}")
        traceback.print_exc(file=sys.stdout)
        return False
    told = f" ({len(result.cases())} cases)" if result else ""
    print(f"ok {name}{told}")
    return True


def main():
    build = HERE.parent / "build"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grade", type=pathlib.Path, default=build / "grade")
    parser.add_argument("--interposer", type=pathlib.Path,
                        default=build / "interposer.so")
    parser.add_argument("reports", type=pathlib.Path, nargs="*")
    options = parser.parse_args()
    for name in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR"):
        os.environ.pop(name, None)
    work = pathlib.Path(tempfile.mkdtemp(prefix="formats-"))
    maker = Maker(options, work)
    acts = [(f"{path.name}_is_read", lambda p=path: check_report(p))
            for path in options.reports]
    acts += [(f"{make.__name__}_is_read",
              lambda m=make: check_report(m(maker))) for make in REPORTS]
    acts += [("refuses_what_is_no_report", lambda: refuses(maker))]
    try:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            done = list(pool.map(lambda act: attempt(*act), acts))
    finally:
        shutil.rmtree(work)
    print(f"formats: {sum(done)} of {len(done)} reports are read by all")
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
