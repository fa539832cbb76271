#!/usr/bin/env python3
"""mutate.py - wrong programs made of right ones, by one edit each.

Reads the syntax tree that clang prints of a source, and yields an edit for
each place that an operator fits:

  call     a statement that is a call goes (checked or not, with its check)
  close    a close(), free() and the like goes
  assign   an assignment goes
  negate   a condition, or an operand of && and ||, turns into its opposite
  errno    a case of errno is no longer seen: == X is never true, != X always
  length   a read or write gets the length of one above it, a write one less
  once     a loop makes a single pass
  jump     a return, continue, break or goto behind a condition goes
"""
import collections
import json
import pathlib
import re
import subprocess
import sys

READS = {"read": 2, "recv": 2}
WRITES = {"write": 2, "send": 2, "write_all": 2, "send_back": 2}
RELEASES = {"close", "free", "freeaddrinfo", "shutdown"}
LOOPS = ("WhileStmt", "DoStmt", "ForStmt")
JUMPS = ("ReturnStmt", "ContinueStmt", "BreakStmt", "GotoStmt")
TRANSPARENT = ("ImplicitCastExpr", "CStyleCastExpr", "ParenExpr",
               "ConstantExpr")
ERRNO = re.compile(r"(?!EOF$|EXIT_)E[A-Z][A-Z0-9_]+$")


class Edit:
    """source[begin:end] becomes `new`."""

    def __init__(self, operator, function, source, span, new):
        self.operator, self.function, self.source = operator, function, source
        self.begin, self.end = span
        self.new = new
        self.line = source.text.count("\n", 0, self.begin) + 1
        self.old = " ".join(source.text[self.begin:self.end].split())
        self.nth = 1  # of those in its function that look alike

    def __str__(self):
        return f"{self.function}: {self.operator}: {self.old} -> " \
            f"{' '.join(self.new.split()) or '(nothing)'}"

    def result(self):
        text = self.source.text
        return text[:self.begin] + self.new + text[self.end:]


class Source:
    """A C file, its functions' syntax trees and what they call."""

    def __init__(self, path):
        self.path = path
        # Offsets count bytes: latin-1 has one for each character.
        self.text = path.read_text("latin-1")
        run = subprocess.run(
            ["clang", "-std=gnu17", "-fsyntax-only", "-Xclang",
             "-ast-dump=json", path], stdout=subprocess.PIPE, check=True)
        tree = json.loads(run.stdout)
        note_files(tree, [None])
        self.functions = {
            node["name"]: node for node in tree["inner"]
            if node["kind"] == "FunctionDecl"
            and node["loc"].get("in") == str(path)
            and any(part["kind"] == "CompoundStmt"
                    for part in node.get("inner", []))}

    def calls(self, name):
        return {node["referencedDecl"]["name"]
                for node in walk(self.functions[name])
                if node["kind"] == "DeclRefExpr"}

    def place(self, location, last):
        """Offset of a token; of the one behind it if `last`."""
        if "expansionLoc" in location:
            spelled, expanded = (location["spellingLoc"],
                                 location["expansionLoc"])
            in_argument = expanded.get("isMacroArgExpansion") and \
                spelled["in"] == str(self.path)
            location = spelled if in_argument else expanded
            if not in_argument and last:
                return self.behind_macro(location)
        return location["offset"] + (location["tokLen"] if last else 0)

    def behind_macro(self, location):
        """A macro that looks like a call ends with its arguments."""
        at = location["offset"] + location["tokLen"]
        if not self.text[at:].lstrip().startswith("("):
            return at
        depth = 0
        while True:
            depth += {"(": 1, ")": -1}.get(self.text[at], 0)
            at += 1
            if depth == 0 and self.text[at - 1] == ")":
                return at

    def span(self, node):
        return (self.place(node["range"]["begin"], False),
                self.place(node["range"]["end"], True))

    def of(self, node):
        begin, end = self.span(node)
        return self.text[begin:end]

    def is_macro(self, node):
        """Is all of it what one macro became?"""
        begin, end = node["range"]["begin"], node["range"]["end"]
        return "expansionLoc" in begin and "expansionLoc" in end and \
            begin["expansionLoc"]["offset"] == end["expansionLoc"]["offset"] \
            and not begin["expansionLoc"].get("isMacroArgExpansion")


def note_files(node, last):
    """clang names a location's file only where the last one had another."""
    if isinstance(node, list):
        for part in node:
            note_files(part, last)
        return
    last[0] = node.get("file", last[0])
    if "offset" in node:
        node["in"] = last[0]
    for key, part in node.items():
        if isinstance(part, (dict, list)) and key != "includedFrom":
            note_files(part, last)


def walk(node):
    yield node
    for part in parts(node):
        yield from walk(part)


def parts(node):
    return [part for part in node.get("inner", []) if "kind" in part]


def bare(node):
    """Without casts and parentheses."""
    while node["kind"] in TRANSPARENT:
        node = parts(node)[-1]
    return node


def called(node):
    """The name of the function that this calls, or None."""
    node = bare(node)
    if node["kind"] != "CallExpr":
        return None
    callee = bare(parts(node)[0])
    return callee.get("referencedDecl", {}).get("name")


def is_operator(node, *codes):
    return node["kind"] == "BinaryOperator" and node["opcode"] in codes


def is_assignment(node):
    return node["kind"] == "CompoundAssignOperator" or is_operator(node, "=")


def statements(node):
    """The statements that this one holds."""
    kind, inner = node["kind"], parts(node)
    if kind == "CompoundStmt":
        return inner
    if kind == "IfStmt":
        return inner[1:]
    if kind == "DoStmt":
        return inner[:1]
    if kind in ("WhileStmt", "ForStmt", "SwitchStmt", "CaseStmt",
                "DefaultStmt", "LabelStmt"):
        return inner[-1:]
    return []


def condition(node):
    """What decides here, or None."""
    kind, inner = node["kind"], node.get("inner", [])
    if kind in ("IfStmt", "WhileStmt", "ConditionalOperator"):
        return inner[0]
    if kind == "DoStmt":
        return inner[1]
    if kind == "ForStmt" and "kind" in inner[2]:
        return inner[2]
    return None


def tested_call(node):
    """The call of an `if (call(...) == X) ...` without else."""
    if node["kind"] != "IfStmt" or node.get("hasElse"):
        return None
    test = bare(parts(node)[0])
    if is_operator(test, "==", "!=", "<", ">"):
        test = parts(test)[0]
    return called(test)


class Mutator:
    """Yields the edits of one function."""

    def __init__(self, source, name):
        self.source, self.name = source, name
        self.body = source.functions[name]

    def edit(self, operator, node, new):
        return Edit(operator, self.name, self.source, self.source.span(node),
                    new)

    def gone(self, operator, node):
        """A statement that goes leaves its semicolon, or empty braces."""
        return self.edit(operator, node,
                         "{}" if self.source.of(node)[-1] == "}" else "")

    def edits(self):
        for node in walk(self.body):
            if self.source.is_macro(node):
                continue  # what is within has no place of its own
            for statement in statements(node):
                yield from self.of_statement(statement)
            yield from self.of_guarded(node)
            yield from self.of_condition(node)
            yield from self.of_errno(node)
            if node["kind"] in LOOPS:
                yield self.single_pass(node)
        yield from self.of_releases()
        yield from self.of_lengths()

    def of_statement(self, node):
        what = bare(node)
        name = called(node) or tested_call(node)
        if name in RELEASES:
            yield self.gone("close", node)
        elif name or self.source.is_macro(node):
            yield self.gone("call", node)
        elif is_assignment(what):
            yield self.gone("assign", node)

    def of_guarded(self, node):
        """Behind an if; in a switch, but for what its end does anyway."""
        if node["kind"] not in ("IfStmt", "SwitchStmt"):
            return
        for statement in statements(node):
            inner = parts(statement) if statement["kind"] == "CompoundStmt" \
                else [statement]
            for jump in inner[:-1] if node["kind"] == "SwitchStmt" else inner:
                if jump["kind"] in JUMPS:
                    yield self.edit("jump", jump, "")

    def of_condition(self, node):
        decided = [condition(node)]
        if is_operator(node, "&&", "||"):
            decided = [part for part in parts(node)
                       if not is_operator(part, node["opcode"])]
        for test in decided:
            if test:
                yield self.edit("negate", test, f"!({self.source.of(test)})")

    def of_errno(self, node):
        if is_operator(node, "==", "!=") and \
                any(ERRNO.match(self.source.of(part))
                    for part in parts(node)):
            yield self.edit("errno", node,
                            "0" if node["opcode"] == "==" else "1")

    def single_pass(self, node):
        inner, kind = node["inner"], node["kind"]
        body = self.source.of(parts(node)[0 if kind == "DoStmt" else -1])
        if not body.endswith("}"):
            body += ";"
        once = f"do {body} while (0)"
        test = condition(node)
        if test and kind != "DoStmt":
            once = f"if ({self.source.of(test)}) {once}"
        if kind == "ForStmt" and "kind" in inner[0]:
            first = self.source.of(inner[0]).rstrip(";")
            once = f"{{ {first}; {once}; }}"
        elif self.source.of(node).endswith("}"):
            once += ";"
        return self.edit("once", node, once)

    def of_releases(self):
        """Those whose result is used; the others are statements."""
        standing = {id(bare(s)) for node in walk(self.body)
                    for s in statements(node)}
        tested = {id(c) for node in walk(self.body)
                  if tested_call(node) in RELEASES
                  for c in walk(parts(node)[0])}
        for node in walk(self.body):
            if node["kind"] == "CallExpr" and called(node) in RELEASES \
                    and id(node) not in standing | tested:
                yield self.edit("close", node, "0")

    def of_lengths(self):
        found = []
        for node in walk(self.body):
            which = READS | WRITES
            name = called(node) if node["kind"] == "CallExpr" else None
            if name in which:
                found.append((name, parts(node)[which[name] + 1]))
        texts = []  # of those above: what is set below says nothing yet
        for name, length in found:
            text = self.source.of(length)
            for other in texts:
                if other != text:
                    yield self.edit("length", length, other)
            if name in WRITES:
                yield self.edit("length", length, f"({text}) - 1")
            texts.append(text)


def mutations(source, function):
    """Each edit once, in the order of the source."""
    unique = {(e.begin, e.end, e.new): e
              for e in Mutator(source, function).edits()}
    edits = sorted(unique.values(), key=lambda e: (e.begin, e.end, e.new))
    alike = collections.Counter()
    for edit in edits:
        alike[edit.operator, edit.old, edit.new] += 1
        edit.nth = alike[edit.operator, edit.old, edit.new]
    return edits


def reachable(name, sources):
    """(source, function) of all that `name` of the first source calls."""
    found, new = [], [(sources[0], name)]
    while new:
        pair = new.pop(0)
        if pair in found:
            continue
        found.append(pair)
        source = pair[0]
        for called_name in sorted(source.calls(pair[1])):
            new += [(s, called_name) for s in [source] + sources
                    if called_name in s.functions][:1]
    return found


def main():
    """Lists the mutants of a program: mutate.py solutions/forked.c net.c"""
    sources = [Source(pathlib.Path(path)) for path in sys.argv[1:]]
    for source, function in reachable("main", sources):
        for edit in mutations(source, function):
            print(f"{source.path}:{edit.line}: {edit}")


if __name__ == "__main__":
    main()
