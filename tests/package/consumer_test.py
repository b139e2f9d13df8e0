"""A stranger's project finds the installed library, builds with it, and two of its nodes hold the same."""

import os
import sys

import outside


def main(prefix):
    with outside.home() as home:
        build = os.path.join(home, "build")
        outside.build(os.path.join(outside.HERE, "consumer"), build, prefix)
        said = outside.run(os.path.join(build, "notes"), os.path.join(home, "data"))
        print(said, end="")
        if said != "the laptop has: Buy stars\n":
            outside.fail("this is not what it should say")


if __name__ == "__main__":
    main(sys.argv[1])
