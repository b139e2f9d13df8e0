"""What must not appear, and where: clocks, chance and threads in the core; a library outside the layer that owns it.

The core must give the same result for the same events, or the simulator could not replay a failure: time and
randomness are arguments, and nothing is walked in the order of a hash.
"""

import re
from typing import NamedTuple

import lint

LOOKUP_ONLY = "// lint: unordered lookup only"
PURE = r"(core|proto|models)/"  # the layers that the simulator runs, and what they are made of


class Rule(NamedTuple):
    pattern: str
    where: str    # paths that the rule is about
    allowed: str  # paths that are excepted; "" for none
    message: str


def header(names):
    return rf'#\s*include\s*[<"]({names})'


RULES = [
    Rule(r"\b(system|steady|high_resolution|utc|tai|gps|file)_clock\b|\b(gettimeofday|clock_gettime|timespec_get)\b"
         r"|(?<![.>])\btime\s*\(\s*(nullptr|NULL|0|&)", PURE, "", "a real clock; take the time as an argument (Clock, Millis)"),
    Rule(r"'now'", PURE, "", "SQLite's clock; bind the time as an argument"),
    Rule(r"\brandom_device\b|\b(s?rand|rand_r|[de]rand48|getrandom|getentropy|RAND_bytes|randomblob)\s*\(", PURE, "",
         "chance; take a Prng or the random bytes as an argument"),
    Rule(header(r"(thread|mutex|shared_mutex|atomic|future|condition_variable|stop_token|semaphore|latch|barrier)>"),
         PURE, "", "threads; the core is one state machine without them, they belong into net/"),
    Rule(header(r"spdlog|fmt/"), PURE, "", "logging; return an event or an Error, net/ writes the log"),
    Rule(header(r"asio"), "", r"(net|apps|tests|bench)/", "Asio; it belongs into net/ and apps/"),
    Rule(header(r"capnp|kj/|proto/sync\.capnp"), "", r"proto/[^/]*\.cpp|(tests|bench)/",
         "Cap'n Proto; only proto/*.cpp sees it, use proto/codec.h"),
    Rule(header(r"openssl|asio/ssl"), "", r"net/|core/base/sha256\.cpp|(tests|bench)/",
         "OpenSSL; only net/ and core/base/sha256.cpp see it"),
    Rule(header(r"sqlite3|SQLiteCpp"), "", r"core/(store|replica)/|(apps|tests|bench)/",
         "SQLite; only core/store and core/replica see it"),
    Rule(r"\bstd::unordered_\w+", r"core/", "",
         f"the order of a hash differs between machines; use std::map or a sorted vector, or end the line with "
         f"`{LOOKUP_ONLY}` if nothing ever walks it"),
    Rule(r"\[\s*=\s*[\],]", "", "", "[=] hides what a lambda keeps alive; name each capture"),
]


def check(path, text):
    if not path.endswith(lint.CPP):
        return
    # Strings are read as well: an include and a statement of SQL hide in them.
    lines, written = lint.code(text, keep_strings=True).split("\n"), text.split("\n")
    rules = [rule for rule in RULES
             if re.match(rule.where, path) and not (rule.allowed and re.match(rule.allowed, path))]
    for number, line in enumerate(lines, start=1):
        for rule in rules:
            if re.search(rule.pattern, line) and LOOKUP_ONLY not in written[number - 1]:
                yield number, rule.message


BAD = [
    ("core/replica/a.cpp", "auto t = std::chrono::steady_clock::now();"),
    ("core/base/a.cpp", "seed = time(nullptr);"),
    ("core/store/a.cpp", "db.exec(\"UPDATE t SET at = datetime('now')\");"),
    ("core/base/a.cpp", "std::random_device device;"),
    ("core/base/a.cpp", "int n = rand();"),
    ("proto/a.h", "#include <mutex>"),
    ("core/store/a.h", "#include <atomic>"),
    ("core/store/a.cpp", "#include <spdlog/spdlog.h>"),
    ("core/replica/a.cpp", "#include <asio/awaitable.hpp>"),
    ("proto/a.h", "#include <capnp/message.h>"),
    ("net/a.cpp", '#include "proto/sync.capnp.h"'),
    ("core/base/ids.cpp", "#include <openssl/evp.h>"),
    ("core/causal/a.cpp", "#include <SQLiteCpp/SQLiteCpp.h>"),
    ("net/a.cpp", "#include <sqlite3.h>"),
    ("core/causal/a.h", "std::unordered_map<Key, int> rows;"),
    ("apps/daemon/a.cpp", "run([=] { go(); });"),
    ("net/a.cpp", "run([=, this] { go(); });"),
]
GOOD = [
    ("core/base/a.cpp", "// never std::random_device\nHlc time() const;\nauto n = operand(1); auto t = x.time(0);"),
    ("core/base/sha256.cpp", "#include <openssl/evp.h>"),
    ("core/causal/a.h", f"std::unordered_map<Key, int> places;  {LOOKUP_ONLY}"),
    ("proto/codec.cpp", '#include <capnp/message.h>\n#include "proto/sync.capnp.h"'),
    ("net/a.cpp", "#include <asio.hpp>\n#include <openssl/evp.h>\n#include <thread>\nauto t = steady_clock::now();"),
    ("core/base/a.h", "Id& operator[](int); bool operator==(const Id&) const; a[i] = 1;"),
]

if __name__ == "__main__":
    lint.run(check, BAD, GOOD)
