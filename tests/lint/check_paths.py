"""No file names a folder of somebody's machine: the tree must work wherever it is cloned."""

import re

import lint

# Put together from parts, so that this file does not match itself.
FOLDERS = [f"/{name}/" for name in ("work", "farm", "root")] + ["../" + "shared"]
PATTERN = re.compile(r"(?<![\w.\-/])(?:" + "|".join(map(re.escape, FOLDERS)) + ")")


def check(path, text):
    for number, line in enumerate(text.split("\n"), start=1):
        for found in PATTERN.findall(line):
            yield number, f"{found} exists on one machine only; use a path inside the tree, or a temporary folder"


BAD = [("docs/a.md", "line\nsee " + folder + "notes.md\n") for folder in FOLDERS]
GOOD = [("docs/a.md", "net" + FOLDERS[0] + "x, https://example.org" + FOLDERS[2] + "x and /tmp/x\n")]

if __name__ == "__main__":
    lint.run(check, BAD, GOOD)
