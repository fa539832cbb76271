#!/usr/bin/env python3
"""class_page.py - the results of a class, from its reports.

    class_page.py FOLDER

Writes class.csv (a row a submission), class.json (all of it) and class.html
(one page: the scores, what failed how often, a link to each report). It reads
FOLDER/list.json and FOLDER/reports/ID/report.json.
"""
import csv
import html
import io
import json
import pathlib
import statistics
import sys

HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Faultline: a class</title>
<style>
:root { color-scheme: light dark; --bar: #4a7fb5; --faint: #8884; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2.5rem auto;
       max-width: 66rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 2.5rem 0 0.3rem; }
p { margin: 0.3rem 0 0.8rem; max-width: 46rem; }
.figures { display: flex; flex-wrap: wrap; gap: 0.5rem 3rem;
           margin: 1.2rem 0; padding: 0; }
.figures div { display: flex; flex-direction: column-reverse; }
.figures dd { font-size: 1.6rem; margin: 0; }
.figures dt, small, thead th { opacity: 0.75; font-size: 0.85rem; }
svg { width: 100%; max-width: 44rem; height: auto; }
svg rect { fill: var(--bar); }
svg text { fill: currentColor; font-size: 12px; text-anchor: middle; }
svg line { stroke: currentColor; opacity: 0.5; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--faint); padding: 0.3rem 0.9rem 0.3rem 0;
         text-align: left; vertical-align: top; font-weight: normal; }
thead th { white-space: nowrap; }
td.number, th.number { text-align: right; white-space: nowrap;
                       font-variant-numeric: tabular-nums; }
code { font-size: 0.9rem; }
.share { min-width: 8rem; }
.share i { display: block; height: 0.7rem; margin-top: 0.45rem;
           background: var(--bar); }
.all { opacity: 0.45; }
summary { cursor: pointer; }
</style>
</head>
<body>
"""


def escape(text):
    return html.escape(str(text))


def read(folder, entry):
    """One submission, from its report."""
    place = folder / "reports" / entry["id"]
    who = {"name": entry["name"], "id": entry["id"], "graded": False,
           "score": None, "max_score": None, "steps": [],
           "report": f"reports/{entry['id']}/report.txt"
                     if (place / "report.txt").is_file() else None}
    try:
        if (place / "graded").read_text().strip() != entry["digest"]:
            return who, []
        report = json.loads((place / "report.json").read_text())
    except (OSError, ValueError):
        return who, []
    who["graded"] = True
    who["score"], who["max_score"] = report["score"], report["max_score"]
    for step in report["steps"]:
        who["steps"].append({
            "name": step["name"], "score": step["score"],
            "max_score": step["max_score"], "note": step["note"],
            "failed": [c["name"] for c in step["cases"]
                       if c["status"] == "fail"]})
    return who, report["steps"]


def count_cases(reports):
    """Each case that failed somewhere: how often, of how many that played it,
    and whose it was; the most frequent first."""
    cases = {}
    for who, steps in reports:
        for step in steps:
            for case in step["cases"]:
                row = cases.setdefault((step["name"], case["name"]), {
                    "step": step["name"], "case": case["name"],
                    "obligation": case["obligation"], "why": case["why"],
                    "failed": 0, "played": 0, "who": []})
                row["played"] += case["status"] in ("pass", "fail")
                if case["status"] == "fail":
                    row["failed"] += 1
                    row["who"].append(who["id"])
    return sorted((row for row in cases.values() if row["failed"]),
                  key=lambda row: -row["failed"])


def gather(folder):
    entries = json.loads((folder / "list.json").read_text())
    reports = [read(folder, entry) for entry in entries]
    submissions = [who for who, _ in reports]
    shares = [10 * who["score"] / who["max_score"] for who in submissions
              if who["graded"] and who["max_score"]]
    return {"kit": "faultline", "submissions": submissions,
            "graded": sum(who["graded"] for who in submissions),
            "histogram": [sum(int(share) == n for share in shares)
                          for n in range(11)],
            "cases": count_cases(reports)}


# ---- class.csv

def cell(value):
    """A spreadsheet takes what begins so for a formula."""
    text = "" if value is None else str(value)
    return "'" + text if text[:1] in ("=", "+", "-", "@") else text


def as_csv(data):
    steps = step_names(data)
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["name", "score", "max_score"] + steps + ["report"])
    for who in data["submissions"]:
        scores = {step["name"]: step["score"] for step in who["steps"]}
        table.writerow([cell(who["name"]), cell(who["score"]),
                        cell(who["max_score"])] +
                       [cell(scores.get(step)) for step in steps] +
                       [who["report"]])
    return text.getvalue()


# ---- class.html

def step_names(data):
    names = {}
    for who in data["submissions"]:
        names.update((step["name"], None) for step in who["steps"])
    return list(names)


def figures(data):
    scores = [who["score"] for who in data["submissions"] if who["graded"]]
    full = sum(who["graded"] and who["score"] == who["max_score"]
               for who in data["submissions"])
    most = max((who["max_score"] for who in data["submissions"]
                if who["graded"]), default=0)
    rows = [("submissions", len(data["submissions"])),
            (f"median, of {most:g} points", f"{statistics.median(scores):g}" if scores else "–"),
            ("mean", f"{statistics.mean(scores):.1f}" if scores else "–"),
            ("full marks", full),
            ("not graded", len(data["submissions"]) - data["graded"])]
    return '<dl class="figures">' + "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in rows) + "</dl>\n"


def histogram(counts):
    """Columns of a tenth of the points each; full marks have their own."""
    most = max(counts) or 1
    words = "; ".join(
        f"{10 * n} to {10 * n + 9} %: {count}" if n < 10 else
        f"100 %: {count}" for n, count in enumerate(counts))
    parts = ['<svg viewBox="0 0 704 200" role="img" '
             f'aria-label="{escape(words)}">']
    for n, count in enumerate(counts):
        high = round(140 * count / most, 1)
        middle = 64 * n + 32
        if count:
            parts.append(f'<rect x="{64 * n + 3}" y="{160 - high}" '
                         f'width="58" height="{high}"/><text x="{middle}" '
                         f'y="{152 - high}">{count}</text>')
        label = "100 %" if n == 10 else f"{10 * n}–{10 * n + 9}"
        parts.append(f'<text x="{middle}" y="180">{label}</text>')
    parts.append('<line x1="0" y1="160.5" x2="704" y2="160.5"/></svg>\n')
    return "".join(parts)


def link(who):
    if not who["report"]:
        return escape(who["name"])
    return f'<a href="{escape(who["report"])}">{escape(who["name"])}</a>'


def heads(*names):
    return "<thead><tr>" + "".join(
        f'<th scope="col"{" class=number" if number else ""}>{escape(name)}'
        "</th>" for name, number in names) + "</tr></thead>\n"


def table(head, rows):
    return (f'<div class="wide"><table>{head}<tbody>\n' + "\n".join(
        f"<tr>{row}</tr>" for row in rows) + "\n</tbody></table></div>\n")


def share(part, whole):
    return (f'<td class="share"><i style="width:'
            f'{100 * part / whole if whole else 0:.1f}%"></i></td>')


def case_rows(data):
    people = {who["id"]: who for who in data["submissions"]}
    for row in data["cases"]:
        names = ", ".join(link(people[key]) for key in row["who"])
        yield (f'<td class="number">{row["failed"]} of {row["played"]}</td>' +
               share(row["failed"], row["played"]) +
               f"<td>{escape(row['step'])}</td>"
               f"<td><details><summary><code>{escape(row['case'])}</code>"
               f"</summary><small>{names}</small></details></td>"
               f"<td>{escape(row['why'])}</td>")


def step_cell(step):
    if step is None:
        return "<td></td>"
    kind = "number all" if step["score"] == step["max_score"] else "number"
    note = f' title="{escape(step["note"])}"' if step["note"] else ""
    return f'<td class="{kind}"{note}>{step["score"]:g}</td>'


def submission_rows(data, names):
    for who in data["submissions"]:
        if not who["graded"]:
            yield (f'<th scope="row">{link(who)}</th>'
                   f'<td colspan="{len(names) + 2}">not graded</td>')
            continue
        steps = {step["name"]: step for step in who["steps"]}
        yield (f'<th scope="row">{link(who)}</th>'
               f'<td class="number">{who["score"]:g}</td>' +
               share(who["score"], who["max_score"]) +
               "".join(step_cell(steps.get(name)) for name in names))


def as_html(data):
    names = step_names(data)
    parts = [HEAD, "<h1>A class</h1>\n", figures(data),
             "<h2>Scores</h2>\n<p>Submissions by their share of the points, "
             "in %.</p>\n", histogram(data["histogram"]),
             "<h2>What to explain</h2>\n"]
    if data["cases"]:
        parts += ["<p>The cases that failed, the most frequent first, of those "
                  "submissions that came to play them. A case opens to show "
                  "whose it was.</p>\n",
                  table(heads(("failed", True), ("", False), ("step", False),
                              ("case", False), ("why it is a rule", False)),
                        case_rows(data))]
    else:
        parts.append("<p>No case failed.</p>\n")
    parts += ["<h2>Submissions</h2>\n",
              table(heads(("name", False), ("points", True), ("", False),
                          *((name, True) for name in names)),
                    submission_rows(data, names)),
              "</body>\n</html>\n"]
    return "".join(parts)


def write(path, text):
    beside = path.with_name(path.name + ".new")
    beside.write_text(text, encoding="utf-8", newline="")
    beside.rename(path)


def main(folder):
    data = gather(folder)
    write(folder / "class.csv", as_csv(data))
    write(folder / "class.json",
          json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    write(folder / "class.html", as_html(data))
    print(f"class: {data['graded']} of {len(data['submissions'])} graded; "
          f"see {folder.resolve() / 'class.html'}")


if __name__ == "__main__":
    try:
        main(pathlib.Path(sys.argv[1]))
    except OSError as trouble:
        sys.exit(f"class: {trouble}")
