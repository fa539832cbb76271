#!/usr/bin/env python3
"""class_list.py - the submissions of a class, made ready for grading.

    class_list.py SUBMISSIONS FOLDER

Each folder in SUBMISSIONS is a submission; where it holds no program but a
folder exercises/ (as the handout does), or one folder that does (the handout,
unpacked), that is taken. What the contract
names, as far as it is a regular file, is copied to FOLDER/submissions/ID/, so
that what is graded is what was listed, under a name that no shell, address or
program stumbles over. FOLDER/list.json says who is who. FOLDER/jobs gets a
line ID DIGEST for each that is new or changed: lines are only ever added, for
GNU parallel counts them to know what is done. Exit status 2: bad input.
"""
import hashlib
import json
import os
import pathlib
import shutil
import stat
import sys

KIT = pathlib.Path(__file__).resolve().parent.parent
NAMES = sorted(p.name for p in (KIT / "exercises").glob("*.[ch]"))
BYTES_AT_MOST = 1 << 20  # of a source file
ID_AT_MOST = 120         # a file name may have 255 bytes


def give_up(text):
    print(f"class: {text}", file=sys.stderr)
    sys.exit(2)


def identity(name):
    """A file name for any name: two names never share one."""
    text = "".join(chr(b) if chr(b).isalnum() and b < 128 or
                   (chr(b) in "._-" and i) else f"+{b:02X}"
                   for i, b in enumerate(name))
    if len(text) > ID_AT_MOST:
        text = f"{text[:80]}++{hashlib.sha256(name).hexdigest()[:16]}"
    return text


def printable(name):
    """The name as people read it, on one line: odd bytes and signs as \\…."""
    text = name.replace(b"\\", b"\\\\").decode(errors="backslashreplace")
    return "".join(c if c.isprintable() else
                   c.encode("unicode_escape").decode() for c in text)


def source(folder, name):
    """The bytes to grade; None where there is no such regular file."""
    path = os.path.join(folder, name.encode())
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return None
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(file, "rb") as stream:
            text = stream.read(BYTES_AT_MOST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"#error {name} was not read: {error.strerror}\n".encode()
    if len(text) > BYTES_AT_MOST:
        return f"#error {name} was not read: larger than 1 MiB\n".encode()
    return text


def sources(folder):
    found = {name: source(folder, name) for name in NAMES}
    return {name: text for name, text in found.items() if text is not None}


def folders(folder):
    with os.scandir(folder) as entries:
        return sorted(e.name for e in entries
                      if e.is_dir(follow_symlinks=False) and
                      not e.name.startswith(b"."))


def with_exercises(folder):
    """The folders exercises/ in it, or in the folders that it holds."""
    try:
        inner = folders(folder)
        if b"exercises" in inner:
            return [os.path.join(folder, b"exercises")]
        return [os.path.join(folder, name, b"exercises") for name in inner
                if b"exercises" in folders(os.path.join(folder, name))]
    except OSError:  # what may not be read holds nothing
        return []


def programs(folder):
    """The sources, where they are: in the folder or further in."""
    found = sources(folder)
    exercises = [] if found else with_exercises(folder)
    return sources(exercises[0]) if len(exercises) == 1 else found


def stage(folder, ready):
    """Copies a submission to `ready`. Returns its digest."""
    found = programs(folder)
    digest = hashlib.sha256(
        repr(sorted(found.items())).encode()).hexdigest()[:16]
    shutil.rmtree(ready, ignore_errors=True)
    ready.mkdir(parents=True)
    for name, text in found.items():
        (ready / name).write_bytes(text)
    (ready / ".digest").write_text(digest)
    return digest


def last_jobs(path):
    """ID -> the digest of its last line."""
    lines = path.read_text().splitlines() if path.exists() else []
    return dict(line.split(" ") for line in lines)


def submitted(submissions):
    try:
        return folders(os.fsencode(submissions))
    except OSError as error:
        give_up(f"SUBMISSIONS={submissions}: {error.strerror}")


def main(submissions, out):
    names = submitted(submissions)
    if not names:
        give_up(f"SUBMISSIONS={submissions} holds no folder; each student's "
                "files are expected in one of their own")
    done, new, entries = last_jobs(out / "jobs"), [], []
    for name in names:
        key = identity(name)
        digest = stage(os.path.join(os.fsencode(submissions), name),
                       out / "submissions" / key)
        (out / "submissions" / key / ".name").write_text(
            printable(name), encoding="utf-8")
        entries.append({"id": key, "name": printable(name), "digest": digest})
        if done.get(key) != digest:
            new.append(f"{key} {digest}\n")
    for ready in (out / "submissions").iterdir():
        if ready.name not in {entry["id"] for entry in entries}:
            shutil.rmtree(ready)
    with open(out / "jobs", "a", encoding="ascii") as jobs:
        jobs.writelines(new)
    (out / "list.json").write_text(json.dumps(entries))


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
