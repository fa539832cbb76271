#!/usr/bin/env python3
"""play_by_hand.py BUILD - `make play` as a student uses it: the program in
the foreground, its calls as they happen, libfiu's tools, Ctrl-C.
"""
import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading

BUILD = pathlib.Path(sys.argv[1]).resolve()
LONGEST_S = 60  # the net below; nothing is decided by it


class Play:
    """play_by_hand at work; what it said so far is `said`."""

    def __init__(self, step, port, *options, submission="solutions"):
        self.folder = tempfile.TemporaryDirectory(prefix="by-hand-")
        self.process = subprocess.Popen(
            [BUILD / "play_by_hand", "--step", step, "--port", str(port),
             "--submission", submission, "--interposer",
             BUILD / "interposer.so", "--build", self.folder.name, *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        self.net = threading.Timer(LONGEST_S, self.process.kill)
        self.net.start()
        self.said = ""

    def until(self, pattern):
        """Reads on until a line says that; returns the match."""
        for line in self.process.stdout:
            self.said += line
            match = re.search(pattern, line)
            if match:
                return match
        raise AssertionError(f"it never said {pattern}:\n{self.said}")

    def end(self, interrupt=False):
        if interrupt:
            self.process.send_signal(signal.SIGINT)
        self.process.stdin.close()
        self.said += self.process.stdout.read()
        self.net.cancel()
        return self.process.wait()


def free_port():
    """Below those that the kernel gives to clients."""
    for port in range(20000 + os.getpid() % 8000, 32768):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("0.0.0.0", port))
            return port
    raise AssertionError("no port is free")


def converse(port, text):
    """What comes back, to the end of file or the reset."""
    back = b""
    with socket.create_connection(("127.0.0.1", port)) as peer:
        try:
            peer.sendall(text)
            peer.shutdown(socket.SHUT_WR)
            while part := peer.recv(4096):
                back += part
        except OSError:
            pass  # broken: by a reset, or not connected any more
    return back


def expect(holds, play):
    assert holds, play.said


def shows_calls_and_ends_with_its_program():
    port = free_port()
    play = Play("forked", port, "--fault", "write@conn2#1=short:2")
    play.until(r"listen\(\d+\) = 0  net\.c:\d+")
    expect(converse(port, b"hello\n") == b"hello\n", play)
    expect(converse(port, b"hello\n") == b"hello\n", play)
    play.until(r"process 3   ! write\(connection 2, 6\) = 2  net\.c:\d+")
    expect(play.end(interrupt=True) == 0, play)
    expect("-- it was killed by SIGINT" in play.said, play)


def threaded_ends_in_order():
    port = free_port()
    play = Play("threaded", port)
    play.until(r"listen\(")
    expect(converse(port, b"hello\n") == b"hello\n", play)
    play.until(r"close\(connection 1\)")
    expect(play.end(interrupt=True) == 0, play)
    expect("served 1 connections, 6 bytes" in play.said, play)
    expect("-- it exited with 0" in play.said, play)


def client_is_typed_to():
    with socket.create_server(("127.0.0.1", 0)) as server:
        play = Play("client", server.getsockname()[1])
        play.process.stdin.write("hello\n")
        play.process.stdin.close()
        with server.accept()[0] as peer:
            while part := peer.recv(4096):
                peer.sendall(part)
        play.until(r"connect\(connection 1\)")
        expect(play.end() == 0, play)
    expect("hello\n" in play.said and "-- it exited with 0" in play.said, play)


def obeys_libfiu_as_it_says():
    port = free_port()
    play = Play("forked", port)
    on = play.until(r"(fiu-ctrl -c 'enable name=posix/proc/fork.*)")[1]
    off = play.until(r"(fiu-ctrl -c 'disable .*)")[1]
    pid = on.rpartition(" ")[2]
    play.until(r"listen\(")
    subprocess.run(on, shell=True, check=True)
    expect(converse(port, b"hello\n") == b"", play)
    play.until(r"! fork\(\) = EAGAIN")
    subprocess.run(off, shell=True, check=True)
    for point in ("read", "write"):
        subprocess.run(["fiu-ctrl", "-c", "enable name="
                        f"posix/io/rw/{point}/reduce,failinfo=2", pid],
                       check=True)
    expect(converse(port, b"hello\n") == b"hello\n", play)
    play.until(r"! read\(connection 2, \d+\) = 2")
    expect(play.end(interrupt=True) == 0, play)
    left = list(pathlib.Path(os.environ.get("TMPDIR") or "/tmp").glob(f"fiu-ctrl-{pid}.*"))
    expect(not left, play)


def bad_input_gets_one_line():
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        for line, play in (
                ("STEP=fork: name one of the steps: client", Play("fork", 7)),
                ("a port is a number", Play("forked", "http")),
                (f"port {port} is taken", Play("forked", port)),
                ("FAULT=flies=EINTR: it names a call that",
                 Play("forked", free_port(), "--fault", "flies=EINTR")),
                ("nobody would",
                 Play("forked", free_port(), "--fault", "read#1=hold")),
                ("there is no file forked.c",
                 Play("forked", free_port(), submission="tests"))):
            expect(play.end() == 2, play)
            expect(line in play.said and play.said.count("\n") == 1, play)


failed = 0
for claim in (shows_calls_and_ends_with_its_program, threaded_ends_in_order,
              client_is_typed_to, obeys_libfiu_as_it_says,
              bad_input_gets_one_line):
    try:
        claim()
        print("ok", claim.__name__)
    except (AssertionError, subprocess.CalledProcessError) as trouble:
        failed += 1
        print("not ok", claim.__name__, trouble)
sys.exit(failed > 0)
