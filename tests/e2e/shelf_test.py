"""Two windows of the example apps/examples/shelf, without a screen: each shows what the other one's user does.

    shelf_test.py STARLING-SHELF

One puts a few files on the shelf, the other joins. Then both tag, colour one tag while they do not see each other, and
what the windows show is compared. Everything goes through the widgets (drive.h), as a user's hands would.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

MOST = 30  # seconds to wait for anything


class Shelf:
    """One running window."""

    def __init__(self, program, folder, *options):
        words = [program, str(folder), "--drive", *options]
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n")

    def do(self, *lines):
        for line in lines:
            answer = self.ask(line)
            assert answer == "ok", f"{line}: {answer}"

    def shown(self):
        return json.loads(self.ask("dump"))

    def wait(self, what, condition):
        end = time.monotonic() + MOST
        while not condition(self.shown()):
            assert time.monotonic() < end, f"not within {MOST} s: {what}\n{json.dumps(self.shown(), indent=1)}"
            time.sleep(0.02)

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(MOST) == 0, f"ended with {self.process.returncode}"


def device_id(program, folder):
    return subprocess.run([program, str(folder), "--id"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def tagged(entry, tags):
    return lambda shown: [entry, tags] in [row[:2] for row in shown["entries"]]


def live(shown):
    return [row[5] for row in shown["peers"]] == ["live"]


def conflict(lost, now):
    return lambda shown: [lost, now] in [[row[2], row[5]] for row in shown["conflicts"]]


def run(program, temp):
    files = temp / "files"
    files.mkdir()
    for name in ("invoice.pdf", "letter.txt", "picture.png"):
        (files / name).write_text(name)
    id_of_a, id_of_b = device_id(program, temp / "a"), device_id(program, temp / "b")

    a = Shelf(program, temp / "a", "--create", "--name", "desk", "--listen", "127.0.0.1:0", "--peer", f"laptop={id_of_b}",
              "--index", str(files))
    a.wait("its own files", lambda shown: len(shown["entries"]) == 3)
    a.do("select entries invoice.pdf", "type tag to pay", "click put")
    a.wait("its own tag", tagged("invoice.pdf", "to pay"))
    port = re.search(r"port (\d+)", a.shown()["self"]).group(1)

    b = Shelf(program, temp / "b", "--join", f"desk={id_of_a}@127.0.0.1:{port}", "--name", "laptop")
    b.wait("the files of A and their tag", tagged("invoice.pdf", "to pay"))
    b.wait("the end of the first sync", lambda shown: live(shown) and shown["progress"] == "")
    assert [row[2] for row in b.shown()["entries"]] == ["desk"] * 3

    b.do("select entries letter.txt", "type tag urgent", "click put")
    a.wait("the tag that B put on", tagged("letter.txt", "urgent"))
    a.do("select entries letter.txt", "type tag urgent", "click take")
    b.wait("the tag that A took off", tagged("letter.txt", ""))

    for shelf, color in ((a, "d9485f"), (b, "3f7fca")):  # B's is the later one
        shelf.do("click offline", "select tags to pay", f"click color-{color}")
        time.sleep(0.2)
    a.do("click offline")
    b.do("click offline")
    a.wait("the conflict", conflict("#d9485f", "#3f7fca"))
    b.wait("the conflict", conflict("#d9485f", "#3f7fca"))

    for shelf in (a, b):
        assert len(shelf.shown()["entries"]) == 1, "the chosen tag filters the entries"
        shelf.do("select tags All")
        shelf.wait("all entries again", lambda shown: len(shown["entries"]) == 3)
    a.do("select entries letter.txt", "type tag " + "x" * 2000, "click put")
    a.wait("a refused edit is told", lambda shown: "bytes" in shown["message"])
    a.wait("a live peer", live)
    shown = [shelf.shown() for shelf in (a, b)]
    assert shown[0]["entries"] == shown[1]["entries"], shown
    assert shown[0]["tags"] == shown[1]["tags"], shown

    b.close()
    a.wait("the peer is gone", lambda shown: not live(shown))
    a.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="starling-shelf-") as folder:
        run(sys.argv[1], pathlib.Path(folder))
