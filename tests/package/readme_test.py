"""Every block of code in README.md works as it stands.

In a home of its own, in the order of the page:
  cmake, cpp, text  the project that the page has its reader write (the first of each), and what it prints
  cpp               a fragment, named by the comment <!-- fragment: name --> before it: has a place in fragments/main.cpp
  sh                is run line by line; `./dev …` must be a command of ./dev, starlingd stays in the background, and
                    the build folder and the port are the test's
A block that is none of these fails, and so does a place in fragments/main.cpp without a block, or a link to nowhere.
"""

import os
import re
import shlex
import signal
import subprocess
import sys

import outside

BLOCK = re.compile(r"^(?:<!-- fragment: (?P<name>\w+) -->\n)?```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
SLOT = re.compile(r"^[ \t]*// README: (\w+)\n", re.M)


def place_fragments(program, fragments):
    """The program with each fragment in its place."""
    places = SLOT.findall(program)
    if sorted(places) != sorted(fragments):
        outside.fail("README.md and tests/package/fragments/main.cpp name different fragments:",
                     f"  README.md: {sorted(fragments)}", f"  main.cpp:  {sorted(places)}")
    return SLOT.sub(lambda match: fragments[match.group(1)], program)


class Page:
    """The reader who types what the page shows."""

    def __init__(self, home, build):
        self.home, self.build = home, build
        self.prefix, self.project = os.path.join(home, ".local"), os.path.join(home, "project")
        self.fragments, self.said, self.daemons = {}, "", []
        os.makedirs(self.project)
        os.makedirs(os.path.join(home, "Pictures"))
        self.write(os.path.join(home, "Pictures", "fjord.jpg"), "*")
        self.commands = re.findall(r"^\./dev (\w+)", outside.run("./dev", "help", cwd=outside.ROOT), re.M)
        os.environ["PATH"] = os.path.join(build, "apps") + os.pathsep + os.environ["PATH"]

    @staticmethod
    def write(path, text):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def shell(self, line):
        words = shlex.split(line, comments=True)
        if not words:
            return
        if words[0] == "./dev":
            if words[1] not in self.commands:
                outside.fail(f"./dev help does not know: {line}")
            return
        line = line.replace("build/release", self.build).replace("*:7734", "127.0.0.1:0")
        if words[0] == "starlingd":
            daemon = subprocess.Popen(["bash", "-c", f"exec {line}"], cwd=self.project, stdout=subprocess.PIPE, text=True)
            self.daemons.append(daemon)
            self.said = daemon.stdout.readline()  # it says that it is ready
            if not self.said:
                outside.fail(f"did not start: {line}")
            return
        self.said = outside.run("bash", "-euc", line, cwd=self.project)

    def block(self, kind, name, text):
        if kind == "sh":
            for line in text.splitlines():
                self.shell(line)
        elif kind == "text":
            if self.said != text:
                outside.fail("README.md shows", text, "but it was", self.said)
        elif kind == "cmake":
            self.write(os.path.join(self.project, "CMakeLists.txt"), text)
        elif kind == "cpp" and name:
            self.fragments[name] = text
        elif kind == "cpp" and "int main(" in text:
            self.write(os.path.join(self.project, "main.cpp"), text)
        else:
            outside.fail(f"a block of {kind or 'nothing'} that no test runs; name it, or give it a kind:", text)

    def run_fragments(self):
        source, build = os.path.join(self.home, "fragments"), os.path.join(self.home, "fragments-build")
        os.makedirs(source)
        self.write(os.path.join(source, "CMakeLists.txt"), outside.text_of(outside.HERE, "fragments", "CMakeLists.txt"))
        program = outside.text_of(outside.HERE, "fragments", "main.cpp")
        self.write(os.path.join(source, "main.cpp"), place_fragments(program, self.fragments))
        outside.build(source, build, self.prefix)
        print(outside.run(os.path.join(build, "fragments"), os.path.join(self.home, "fragments-data")), end="")

    def end_daemons(self):
        for daemon in self.daemons:
            daemon.send_signal(signal.SIGTERM)
            if daemon.wait(timeout=30) != 0:
                outside.fail(f"starlingd ended with {daemon.returncode}")


def main(build):
    text = outside.text_of(outside.ROOT, "README.md")
    blocks = list(BLOCK.finditer(text))
    if 2 * len(blocks) != len(re.findall("^```", text, re.M)):
        outside.fail("a block of README.md does not begin or end as blocks do")
    for link in re.findall(r"\]\(([\w./-]+)\)", text):
        if not os.path.exists(os.path.join(outside.ROOT, link)):
            outside.fail(f"a link of README.md leads nowhere: {link}")
    with outside.home() as home:
        page = Page(home, build)
        try:
            for block in blocks:
                page.block(block["kind"], block["name"], block["text"])
        finally:
            page.end_daemons()
        page.run_fragments()
    print(f"{len(blocks)} blocks of README.md do what they say")


if __name__ == "__main__":
    main(sys.argv[1])
