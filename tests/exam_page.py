"""exam_page.py - the exam as one page of HTML, from the data of exam.json.

It stands alone (no script, no other file) and says everything in letters;
colours only repeat it.
"""
import html

HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Faultline: the kit's own exam</title>
<style>
:root { color-scheme: light dark; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto;
       max-width: 84rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: 0.5rem 0 2rem; }
caption { text-align: left; font-weight: bold; padding: 0.3rem 0; }
th, td { border: 1px solid #8888; padding: 0.1rem 0.4rem; }
th { text-align: left; font-weight: normal; }
thead th { font-weight: bold; vertical-align: bottom; }
thead th.rule { writing-mode: vertical-rl; transform: rotate(180deg);
                padding: 0.4rem 0.1rem; }
td { text-align: center; }
td.number, td.words { font-variant-numeric: tabular-nums; }
td.number { text-align: right; }
td.words { text-align: left; }
.wide { overflow-x: auto; }
.F { background: #2a84; }
.a { background: #2a82; }
.M, .X { background: #d336; font-weight: bold; }
.figures td { font-size: 1.3rem; font-weight: bold; }
</style>
</head>
<body>
"""

LEGEND = """<dl>
<dt><b>F</b></dt><dd>must fail, and fails</dd>
<dt><b>M</b></dt><dd>must fail, and does not: missed</dd>
<dt><b>a</b></dt><dd>fails too, by the nature of its bug</dd>
<dt><b>X</b></dt><dd>fails wrongly: blamed for what it keeps</dd>
</dl>
"""


def percent(part, whole):
    return f" ({100 * part / whole:.1f} %)" if whole else ""


def escape(text):
    return html.escape(str(text))


def cell(text, kind="", title=""):
    kind = f' class="{kind}"' if kind else ""
    title = f' title="{escape(title)}"' if title else ""
    return f"<td{kind}{title}>{escape(text)}</td>"


def heads(names, kind=""):
    kind = f' class="{kind}"' if kind else ""
    return "".join(f'<th scope="col"{kind}>{escape(n)}</th>' for n in names)


def table(caption, head, rows):
    return (f'<div class="wide"><table>\n<caption>{escape(caption)}</caption>\n'
            f"<thead><tr>{head}</tr></thead>\n<tbody>\n" +
            "\n".join(f"<tr>{row}</tr>" for row in rows) +
            "\n</tbody></table></div>\n")


def figures(data):
    total = data["figures"]
    rows = [
        ("Mutation score: wrong programs caught for the right reason",
         f"{total['caught']} of {total['mutants']}"
         f"{percent(total['caught'], total['mutants'])}"),
        ("False alarms: right programs that lost a point",
         f"{total['false_alarms']} of {total['right_programs']}"),
        ("Line score: the wrong line is the one named",
         f"{total['line_named']} of {total['with_line']}"
         f"{percent(total['line_named'], total['with_line'])}"),
        (f"The same, or one within {total['near_lines']} lines of it",
         f"{total['line_near']} of {total['with_line']}"
         f"{percent(total['line_near'], total['with_line'])}"),
        ("Solutions, stubs", f"{total['solutions_score']:g} points, "
         f"{total['stubs_score']:g} points"),
        ("Programs whose verdict ever differed",
         f"{total['differs']} in {total['turns']} gradings"),
    ]
    body = [f'<th scope="row">{escape(name)}</th>{cell(value)}'
            for name, value in rows]
    about = (f"{data['date']}; {data['machine']}; isolation: "
             f"{data['isolation']}; {data['jobs']} at a time, "
             f"{data['load']} busy processes beside them; "
             f"repeated: {data['repeat']}; took {data['took_s']:.0f} s")
    return table("Figures", heads(["", "measured"]), body) \
        .replace("<table>", '<table class="figures">') + \
        f"<p>{escape(about)}</p>\n"


def mark(program, rule):
    """The letter of a cell of the matrix, and the cases behind it."""
    cases = ", ".join(program["failed"].get(rule, []))
    if rule == program["fails"]:
        return ("F", cases) if cases else ("M", "nothing failed here")
    if not cases:
        return "", ""
    return ("a" if rule in program["also"] else "X"), cases


def line_words(program):
    if program["line"] is None:
        return "an absence"
    if program["line_is_named"]:
        return f"{program['line']} named"
    named = sorted({lines[0] for lines in program["named"]})
    return f"{program['line']} missed: {', '.join(named) or 'none'}"


def matrix(data, step):
    rows = []
    for program in data["programs"]:
        if program["kind"] != "mutants" or program["step"] != step:
            continue
        marks = [mark(program, rule) for rule in data["obligations"]]
        rows.append(f'<th scope="row">{escape(program["name"])}</th>' +
                    "".join(cell(m, m, t) for m, t in marks) +
                    cell(line_words(program), "words") +
                    cell(f"{program['score']:g}/{program['max_score']:g}") +
                    cell(f"{program['longest_s']:.1f}", "number") +
                    cell(program["trouble"] or "caught", "words"))
    head = heads(["wrong program"]) + heads(data["obligations"], "rule") + \
        heads(["line", "points", "s", "verdict"])
    return table(f"{step}: wrong programs", head, rows) if rows else ""


def right_programs(data, kind, caption, fine):
    rows = [f'<th scope="row">{escape(p["step"])}/{escape(p["name"])}</th>' +
            cell(f"{p['score']:g}/{p['max_score']:g}") +
            cell(p["cases"], "number") +
            cell(f"{p['longest_s']:.1f}", "number") +
            cell(p["trouble"] or fine, "words")
            for p in data["programs"] if p["kind"] == kind]
    head = heads(["program", "points", "cases", "s", "verdict"])
    return table(caption, head, rows) if rows else ""


def repetitions(data):
    rows = []
    for program in data["programs"]:
        for case, counts in program["differs"].items():
            came = ", ".join(f"{s} {n} times" for s, n in counts.items())
            rows.append(f'<th scope="row">{escape(program["kind"])}/'
                        f'{escape(program["step"])}/'
                        f'{escape(program["name"])}</th>' +
                        cell(case, "words") + cell(came, "words"))
    if not rows:
        return "<p>No verdict ever differed.</p>\n"
    return table("Verdicts that differed", heads(["program", "case", "came"]),
                 rows)


def generated(data):
    """Wrong programs made of the solutions: the scores, the survivors."""
    if "generated" not in data:
        return "<p>Not examined: <code>make generated</code>.</p>\n"
    rows, survivors = [], []
    for step, row in data["generated"]["scores"].items():
        wrong = row["mutants"] - row["equivalent"]
        rows.append(f'<th scope="row">{escape(step)}</th>' +
                    cell(f"{row['caught']} of {wrong}"
                         f"{percent(row['caught'], wrong)}") +
                    cell(row["by_valgrind"], "number") +
                    cell(row["equivalent"], "number"))
    for one in data["generated"]["survivors"]:
        survivors.append(
            f'<th scope="row">{escape(one["step"])}: '
            f'{escape(one["file"])}:{one["line"]} '
            f'{escape(one["function"])}()</th>' +
            cell(f"{one['operator']}: {one['old']} \u2192 "
                 f"{one['new'] or '(nothing)'}", "words") +
            cell(one["equivalent"] or "unexplained",
                 "words" if one["equivalent"] else "X"))
    return table("Scores", heads(["step", "wrong programs caught",
                                  "by valgrind", "edits left right"]), rows) \
        + (table("Edits that leave a program right",
                 heads(["where", "edit", "why it is right"]), survivors)
           if survivors else "")


def page(data):
    """The whole page, as text."""
    parts = [HEAD, "<h1>Faultline: the kit's own exam</h1>\n", figures(data),
             "<h2>Certainty</h2>\n", repetitions(data),
             "<h2>Wrong programs by obligations</h2>\n", LEGEND]
    parts += [matrix(data, step) for step in data["steps"]]
    parts += ["<h2>Wrong programs made of the solutions</h2>\n",
              generated(data), "<h2>Right programs</h2>\n",
              right_programs(data, "variants", "Variants", "full marks"),
              right_programs(data, "solutions", "Solutions", "full marks"),
              "<h2>Stubs</h2>\n",
              right_programs(data, "stubs", "Stubs", "not started"),
              "</body>\n</html>\n"]
    return "".join(parts)
