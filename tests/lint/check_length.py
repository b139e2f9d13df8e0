"""A file has at most 600 lines, a function at most 70: it fits on a screen and in a head."""

import ast
import re

import lint

FILE_LINES = 600
FUNCTION_LINES = 70
SHELL = ("dev", ".ci/run")


def cpp_functions(text):
    """(first line, last line) of each function, told by brackets alone: a body inside nothing but scopes."""
    directives = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.M)  # a macro's braces need not match
    plain = directives.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), lint.code(text))
    line_of, all_groups = lint.Lines(text), lint.groups(plain)
    for group in all_groups:
        parents, parent = [], group.parent
        while parent is not None:
            parents.append(all_groups[parent].kind)
            parent = all_groups[parent].parent
        if group.kind == "body" and all(kind == "scope" for kind in parents) and group.close >= 0:
            head = plain[max(plain.rfind(mark, 0, group.open) for mark in ";{}") + 1 : group.open]
            head = re.sub(r"^\s*(public|private|protected)\s*:", "", head).lstrip()
            yield line_of(group.open - len(head)), line_of(group.close)


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno


def shell_functions(text):
    line_of = lint.Lines(text)
    for match in re.finditer(r"^\w+\(\) \{\n.*?^\}", text, re.M | re.S):
        yield line_of(match.start()), line_of(match.end())


def check(path, text):
    if path.endswith(lint.CPP):
        functions = cpp_functions(text)
    elif path.endswith(".py"):
        functions = python_functions(text)
    elif path in SHELL:
        functions = shell_functions(text)
    else:
        return
    lines = len(text.splitlines())
    if lines > FILE_LINES:
        yield lines, f"{lines} lines; split the file, {FILE_LINES} are the most"
    for first, last in functions:
        if last - first + 1 > FUNCTION_LINES:
            yield first, f"a function of {last - first + 1} lines; split it, {FUNCTION_LINES} are the most"


LONG = "  f(1);\n" * 70
BAD = [
    ("core/base/a.cpp", "// a line\n" * 601),
    ("core/base/a.cpp", "namespace a {\nint f(int x) {\n" + LONG + "}\n}\n"),
    ("core/base/a.h", "class A final : public B {\n public:\n  void f(Options o = {}) const override {\n" + LONG + "}\n};\n"),
    ("core/base/a.cpp", "A::A() : a_{1}, b_{2} {\n" + LONG + "}\n"),
    ("core/base/a.cpp", "auto f() -> std::vector<int> {\n" + LONG + "}\n"),
    ("tests/sim/a.cpp", 'TEST_CASE("} a {") {\n' + LONG + "}\n"),
    ("tests/a.py", "def f():\n" + "    g()\n" * 70),
    ("dev", "test() {\n" + LONG + "}\n"),
]
GOOD = [
    ("core/base/a.cpp", "int f() {\n" + "  f(1);\n" * 68 + "}\n" + "int g() {\n" + "  f('{');\n" * 68 + "}\n"),
    ("core/base/a.cpp", "const int table[] = {\n" + "  1'000,\n" * 100 + "};\n"),
    ("core/base/a.h", "struct A {\n" + "  int a = 1;\n" * 100 + "};\nenum class E : int {\n" + "  a,\n" * 100 + "};\n"),
    ("core/base/a.cpp", 'const char* sql = R"(\n' + "{ (\n" * 100 + ')";\nint f() { return 1; }\n'),
    ("docs/a.md", "line\n" * 1000),
]

if __name__ == "__main__":
    lint.run(check, BAD, GOOD)
