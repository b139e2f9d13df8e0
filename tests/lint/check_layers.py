"""Includes go left: core/base <- core/causal <- proto <- core/store <- core/replica <- net; models see core/base only.

Applications, tests and benchmarks may include everything. Our own files are included in quotes, by their path from the
root of the tree.
"""

import re

import lint

ORDER = ["core/base", "core/causal", "proto", "core/store", "core/replica", "net"]
MAY_INCLUDE = {layer: ORDER[: place + 1] for place, layer in enumerate(ORDER)}
MAY_INCLUDE["models"] = ["core/base", "models"]
FREE = ["apps", "tests", "bench"]


def folder_of(path):
    for folder in [*MAY_INCLUDE, *FREE]:
        if path.startswith(folder + "/"):
            return folder
    return None


def check(path, text):
    if not path.endswith(lint.CPP):
        return
    here, line_of = folder_of(path), lint.Lines(text)
    if here is None:
        yield 1, "this folder is no layer; move the file into one, or add the layer to check_layers.py and CMake"
        return
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)', lint.code(text, keep_strings=True), re.M):
        quote, target = match.groups()
        there, line = folder_of(target), line_of(match.start())
        if there is None and quote == '"':
            yield line, f'"{target}" is not a path from the root; write "core/…/x.h", or <…> for a library'
        elif there is not None and quote == "<":
            yield line, f"<{target}> is ours; include it in quotes"
        elif there is not None and here not in FREE and there not in MAY_INCLUDE[here]:
            yield line, f"{here} must not include {there}; it may see {', '.join(MAY_INCLUDE[here])} only"


BAD = [
    ("core/base/a.h", '#include "core/causal/hlc.h"\n'),
    ("core/store/a.cpp", '#include "net/node.h"\n'),
    ("models/a.h", '#include "core/store/store.h"\n'),
    ("net/a.cpp", '#include "apps/common/x.h"\n'),
    ("core/base/a.cpp", '#include "a.h"\n'),
    ("core/base/a.cpp", "#include <core/base/ids.h>\n"),
    ("core/misc/a.h", "\n"),
]
GOOD = [
    ("core/replica/a.cpp", '#include "core/base/ids.h"\n#include "proto/codec.h"\n#include <vector>\n'),
    ("core/base/a.h", '// #include "net/node.h"\n'),
    ("tests/net/a.cpp", '#include "models/tag.h"\n#include "net/node.h"\n#include "tests/net/pair.h"\n'),
]

if __name__ == "__main__":
    lint.run(check, BAD, GOOD)
