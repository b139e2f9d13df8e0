"""The Debian packages hold what they should, name what they need, and work where they are unpacked."""

import os
import re
import shutil
import sys

import outside

PACKAGES = {
    "starling": {
        "needs": ["libc6", "libstdc++6", "libsqlite3-0", "libssl3", "libzstd1", "libspdlog"],
        "holds": ["bin/starlingd", "bin/starling", "lib/systemd/user/starlingd.service", "share/doc/starling/copyright",
                  "share/doc/starling/README.md", "share/doc/starling/docs/control.md",
                  "share/doc/starling/examples/starlingd.sample.toml", "share/man/man1/starling.1",
                  "share/man/man8/starlingd.8", "share/bash-completion/completions/starling",
                  "share/fish/vendor_completions.d/starling.fish", "share/zsh/vendor-completions/_starling"],
        "lacks": r"include/|\.a$|\.cmake$",
    },
    "libstarling-dev": {
        "needs": ["libsqlite3-dev", "libsqlitecpp-dev", "libcapnp-dev", "libzstd-dev", "libssl-dev"],
        "holds": ["include/starling/starling.h", "include/starling/net/node.h", "include/starling/models/tag.h",
                  "lib/cmake/starling/starlingConfig.cmake", "lib/cmake/starling/starlingConfigVersion.cmake",
                  "lib/libstarling_net.a", "share/doc/libstarling-dev/copyright"],
        "lacks": r"/bin/.",
    },
}


def check(name, file):
    wanted = PACKAGES[name]
    if outside.run("dpkg-deb", "-f", file, "Package").strip() != name:
        outside.fail(f"{file} is not {name}")
    depends = outside.run("dpkg-deb", "-f", file, "Depends")
    for need in wanted["needs"]:
        if not re.search(rf"(^|, ){re.escape(need)}", depends):
            outside.fail(f"{name} does not depend on {need}: {depends}")
    listed = outside.run("dpkg-deb", "-c", file).splitlines()
    paths = [line.split()[5] for line in listed]
    for path in wanted["holds"]:
        if f"./usr/{path}" not in paths:
            outside.fail(f"{name} lacks {path}", *paths)
    for line, path in zip(listed, paths):
        if re.search(wanted["lacks"], path):
            outside.fail(f"{name} should not hold {path}")
        if not re.match(r"(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x) root/root ", line):
            outside.fail(f"{name}: the owner or the mode of this is not as Debian wants it: {line}")
    print(f"{name}: {len(paths)} paths, {os.path.getsize(file) // 1024} KiB, depends on {depends}", end="")


def unpack(file, root):
    """Installs the package into a scratch root; who is not root only unpacks it there."""
    if os.geteuid() != 0:
        outside.run("dpkg-deb", "-x", file, root)
        return
    database = os.path.join(root, "var", "lib", "dpkg")
    for folder in ("info", "updates"):
        os.makedirs(os.path.join(database, folder), exist_ok=True)
    with open(os.path.join(database, "status"), "a", encoding="utf-8"):
        pass
    outside.run("dpkg", f"--root={root}", "--log=/dev/null", "--force-depends", "--install", file)


def main(build):
    with outside.home() as home:
        packages, root = os.path.join(home, "packages"), os.path.join(home, "root")
        outside.run("cpack", "--config", os.path.join(build, "CPackConfig.cmake"), "-B", packages)
        files = {name.split("_")[0]: os.path.join(packages, name) for name in os.listdir(packages) if name.endswith(".deb")}
        if sorted(files) != sorted(PACKAGES):
            outside.fail(f"the packages are {sorted(files)}")
        for name, file in sorted(files.items()):
            check(name, file)
            unpack(file, root)
        for program in ("starling", "starlingd"):
            for option in ("--version", "--help"):
                said = outside.run(os.path.join(root, "usr", "bin", program), option)
                if program not in said:
                    outside.fail(f"{program} {option} says", said)
        outside.build(os.path.join(outside.HERE, "consumer"), os.path.join(home, "build"), os.path.join(root, "usr"))
        said = outside.run(os.path.join(home, "build", "notes"), os.path.join(home, "data"))
        if "Buy stars" not in said:
            outside.fail("a program built with the unpacked library says", said)
        shutil.rmtree(os.path.join(packages, "_CPack_Packages"), ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
