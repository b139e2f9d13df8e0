"""What the tests of the package share: a scratch folder that is a home, and commands run in it.

Nothing of the caller's home is seen or touched. A command that fails ends the test with all that it said.
"""

import contextlib
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))


@contextlib.contextmanager
def home():
    """A new folder as HOME, with the caller's compiler cache; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="starling-package-") as folder:
        os.environ.setdefault("CCACHE_DIR", os.path.expanduser("~/.cache/ccache"))
        os.environ["HOME"] = folder
        for name in [name for name in os.environ if name.startswith(("XDG_", "STARLING_"))]:
            del os.environ[name]
        yield folder


def fail(what, *details):
    print(what, *details, sep="\n")
    sys.exit(1)


def run(*words, **options):
    """Standard output and errors of a command; it must succeed."""
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
    if done.returncode != 0:
        fail(f"failed with {done.returncode}: {' '.join(words)}", done.stdout)
    return done.stdout


def build(source, target, prefix):
    """Configures and builds a project that finds Starling in `prefix`, with strict warnings."""
    run("cmake", "-S", source, "-B", target, f"-DCMAKE_PREFIX_PATH={prefix}",
        "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Werror")
    run("cmake", "--build", target)


def text_of(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()
