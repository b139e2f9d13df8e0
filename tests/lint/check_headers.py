"""Headers can be read on their own.

A header of the library opens with #pragma once and a comment of at least three lines that says what the thing is for
(in either order). A .cpp includes its own header first, which proves that the header compiles alone; CMake compiles the
headers without a .cpp.
"""

import os
import re

import lint

LIBRARY = ("core/", "proto/", "net/", "models/")
COMMENT_LINES = 3


def opening(text):
    """Whether #pragma once stands at the top, and how many lines of comment do."""
    pragma, comment = False, 0
    for line in text.split("\n"):
        if line.strip() == "#pragma once":
            pragma = True
        elif line.startswith("//"):
            comment += 1
        elif line.strip():
            break
    return pragma, comment


def check_cpp(path, text):
    own = os.path.splitext(path)[0] + ".h"
    first = re.search(r'^#include [<"]([^>"]+)', text, re.M)
    if first and first.group(1) != own and f'#include "{own}"' in text:
        line = text[: first.start()].count("\n") + 1
        yield line, f'the first include must be "{own}", which proves that it compiles alone'


def check(path, text):
    if not path.startswith(LIBRARY):
        return
    if path.endswith(".cpp"):
        yield from check_cpp(path, text)
    if path.endswith(".h"):
        pragma, comment = opening(text)
        if not pragma:
            yield 1, "no #pragma once at the top; add it before or after the opening comment"
        if comment < COMMENT_LINES:
            yield 1, f"{comment} lines of comment at the top; say in at least {COMMENT_LINES} what the header is for"


ABOUT = "// What it is.\n//\n// Its rules.\n"
BAD = [
    ("core/base/a.h", ABOUT + "#include <vector>\n#pragma once\n"),
    ("core/base/a.h", "#pragma once\n// Short.\n#include <vector>\n"),
    ("net/a.h", "#pragma once\n#include <vector>\n" + ABOUT),
    ("core/base/a.cpp", '#include <vector>\n\n#include "core/base/a.h"\n'),
]
GOOD = [
    ("core/base/a.h", ABOUT + "#pragma once\n#include <vector>\n"),
    ("core/base/a.h", "#pragma once\n\n" + ABOUT + "namespace a {}\n"),
    ("core/base/a.cpp", '// A comment.\n#include "core/base/a.h"\n\n#include <vector>\n'),
    ("tests/a.h", "#pragma once\n"),
]

if __name__ == "__main__":
    lint.run(check, BAD, GOOD)
