"""The installed headers can live in anybody's program.

Each compiles alone, with strict warnings and nothing of ours on the include path but the installed folder; none shows
a library that we use, or brings a macro along; and each include of ours names a header that is installed.
"""

import os
import re
import sys

import outside

STRICT = "-std=c++20 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c++".split()
HIDDEN = re.compile(r"\b(asio|openssl|capnp|kj|spdlog|fmt|SQLiteCpp|zstd)\b", re.I)


def wrong_in(text, include):
    """What must not stand in a header."""
    code = re.sub(r"//[^\n]*", "", text)
    for name in HIDDEN.findall(code):
        yield f"mentions {name}"
    for macro in re.findall(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", code, re.M):
        yield f"defines the macro {macro}"
    for quote, target in re.findall(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)', code, re.M):
        if quote == '"' and not os.path.isfile(os.path.join(include, target)):
            yield f'"{target}" is not installed'
        if quote == '"' and not target.startswith("starling/"):
            yield f'"{target}" does not stand below starling/'


def main(prefix):
    include = os.path.join(prefix, "include")
    for bad in ("#include <asio.hpp>", "#define X 1", '#include "core/base/ids.h"', '#include "starling/none.h"'):
        if not list(wrong_in(bad, include)):
            outside.fail(f"this test is broken, it accepts {bad}")
    headers = sorted(os.path.relpath(os.path.join(folder, name), include)
                     for folder, _, names in os.walk(include) for name in names)
    for must in ("starling/starling.h", "starling/net/node.h", "starling/models/tag.h"):
        if must not in headers:
            outside.fail(f"{must} is not installed")
    for header in headers:
        for wrong in wrong_in(outside.text_of(include, header), include):
            outside.fail(f"{header}: {wrong}")
        outside.run(os.environ.get("CXX", "g++"), *STRICT, f"-I{include}", "-",
                    input=f"#include <{header}>\n#include <{header}>\n")
    print(f"{len(headers)} headers are fit for others")


if __name__ == "__main__":
    main(sys.argv[1])
