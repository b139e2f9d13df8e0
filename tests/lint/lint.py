"""What the lints share: the files of the tree, C++ without comments and strings, its brackets, and the way to run.

A lint is a script check_<name>.py with a function check(path, text) that yields (line, message), a list of bad samples
and a list of good ones. run() first proves on the samples that the lint can fail and does not cry wolf, then reads the
whole tree. A message says what is wrong and what to do about it.
"""

import bisect
import os
import re
import subprocess
import sys
from typing import NamedTuple, Optional

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
NOT_OURS = {".git", ".cache", "build", "__pycache__"}
CPP = (".h", ".cpp")

COMMENT_OR_STRING = re.compile(
    r"""//(?:\\\n|[^\n])* | /\*.*?\*/                          # comments
      | (?P<raw>\b(?:u8|[uUL])?R"(?P<mark>[^\s()\\]*)\(.*?\)(?P=mark)")
      | (?P<string>"(?:\\.|[^"\\\n])*")
      | (?<![0-9A-Za-z_])(?P<char>(?:u8|[uUL])?'(?:\\.|[^'\\\n])*')   # not the ' of 1'000
    """, re.VERBOSE | re.DOTALL)


def code(text, keep_strings=False):
    """The text with comments blanked, and what strings hold; length and lines stay as they are."""
    def blank(match):
        found = match.group()
        spaces = re.sub(r"[^\n]", " ", found)
        if match.group("raw") or match.group("string") or match.group("char"):
            return found if keep_strings else '"' + spaces[1:-1] + '"'
        return spaces
    return COMMENT_OR_STRING.sub(blank, text)


class Lines:
    """Line numbers of positions in a text."""

    def __init__(self, text):
        self.ends = [match.start() for match in re.finditer("\n", text)]

    def __call__(self, position):
        return bisect.bisect_left(self.ends, position) + 1


class Group(NamedTuple):
    """A pair of brackets. kind: '(', '[', 'init' (a braced value), 'scope' (namespace, class), 'body' (statements)."""
    kind: str
    open: int
    close: int
    parent: Optional[int]  # index in the list of groups


LAMBDA_OR_FUNCTION_TYPE = r"[\])]\s*(?:mutable\s*|noexcept\s*|const\s*)*->\s*[\w:]+\s*(?:<[^;{}]*>)?[\s&*]*$"


def brace_kind(before):
    """What a `{` opens, told from the code before it."""
    before = before[-400:].rstrip()
    if re.search(r'\b(namespace|class|struct|union|enum)\b[^;{}()=]*$|\bextern\s*""$', before):
        return "scope"
    if re.search(r"^$|[;{}:)]$|\b(else|do|try|const|noexcept|override|final|mutable)$", before):
        return "body"
    if re.search(LAMBDA_OR_FUNCTION_TYPE, before) or re.search(r"(?<![\w\])])\s*\[[^\[\]]*\]$", before):
        return "body"
    return "init"


def groups(text):
    """All pairs of brackets in code(), in the order in which they open; close is -1 where the partner is missing."""
    found, stack, pairs = [], [], {"(": ")", "[": "]", "{": "}"}
    for match in re.finditer(r"[()\[\]{}]", text):
        at, bracket = match.start(), match.group()
        if bracket in pairs:
            kind = brace_kind(text[max(0, at - 400):at]) if bracket == "{" else bracket
            found.append(Group(kind, at, -1, stack[-1] if stack else None))
            stack.append(len(found) - 1)
        elif stack and pairs[text[found[stack[-1]].open]] == bracket:
            index = stack.pop()
            found[index] = found[index]._replace(close=at)
    return found


def paths():
    """The project's files, below the root: as git knows them, or all there are where git does not help."""
    git = ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        return subprocess.run(git, check=True, capture_output=True, text=True).stdout.split("\0")[:-1]
    except (OSError, subprocess.CalledProcessError):
        found = []
        for folder, folders, names in os.walk(ROOT):
            folders[:] = set(folders) - NOT_OURS
            found += [os.path.relpath(os.path.join(folder, name), ROOT) for name in names if name not in NOT_OURS]
        return found


def files():
    """(path below the root, text) of every text file of the project."""
    for path in sorted(paths()):
        try:
            with open(os.path.join(ROOT, path), encoding="utf-8") as file:
                yield path, file.read()
        except (UnicodeDecodeError, OSError):
            continue  # not text, or gone since


def prove(check, bad, good):
    """Stops unless every bad sample is found and no good one is."""
    for path, text in bad:
        if not list(check(path, text)):
            sys.exit(f"this lint is broken: it does not find what is wrong with its sample {path}:\n{text}")
    for path, text in good:
        for line, message in check(path, text):
            sys.exit(f"this lint is broken: it reports its good sample {path}:{line}: {message}\n{text}")


def run(check, bad, good=()):
    """Proves the lint on its samples, then reads the tree; exits with 1 if it found anything."""
    prove(check, bad, good)
    found = [f"{path}:{line}: {message}" for path, text in files() for line, message in check(path, text)]
    print("\n".join(found) if found else f"clean ({len(bad)} bad samples were caught)")
    sys.exit(1 if found else 0)
