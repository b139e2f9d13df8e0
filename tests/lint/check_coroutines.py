"""Shapes of coroutines that GCC 12 compiles into a crash, without a warning, and one that nobody gets right.

  A  co_await in a condition: the frame of the coroutine is laid out wrongly
  B  a lambda that captures by value in a statement with co_await: what it captured is destroyed twice
  C  a braced value, {} included, in a statement with co_await: destroyed twice as well
  D  a coroutine that takes references or views: they dangle once it is spawned

Each has a plain way out: name the condition, the lambda or the value on a line of its own, and give parameters by
value. clang compiles A to C rightly, which is why the preset clang exists.
"""

import re

import lint

NAME_FIRST = "name it on the line before, and pass it by std::move (GCC 12 destroys it twice)"


def is_capture(text, group):
    """Whether [ ] introduces a lambda, rather than an index, a structured binding or an attribute."""
    before = text[max(0, group.open - 40) : group.open].rstrip()
    if text[group.open + 1] == "[" or before.endswith("["):
        return False
    if re.search(r"\b(return|co_return|co_await|co_yield)$", before):
        return True
    return not re.search(r"[\w\])\"]$|\bauto\s*&{0,2}$", before)


def captures_by_value(text, group):
    names = [name.strip() for name in text[group.open + 1 : group.close].split(",")]
    return any(name and not name.startswith("&") and name != "this" for name in names)


def in_condition(text, group):
    return group.kind == "(" and re.search(r"\b(if|while|for|switch)\s*(constexpr\s*)?$", text[max(0, group.open - 40) : group.open])


def statement(text, all_groups, block_index, at):
    """Start and end of the statement around `at`, whose innermost body is block_index (None: no body)."""
    first, last = 0, len(text)
    if block_index is not None:
        first, last = all_groups[block_index].open, all_groups[block_index].close
    children = [group for group in all_groups if group.parent == block_index]
    breaks = [first + match.start() for match in re.finditer(";", text[first:last])]
    breaks = [place for place in breaks if not any(child.open < place < child.close for child in children)]
    breaks += [child.close for child in children  # a body ends a statement, unless it is a lambda that is called
               if child.kind == "body" and child.close < at and not re.match(r"\s*\(", text[child.close + 1 :])]
    start = max([place for place in breaks if place < at], default=first)
    end = min([place for place in breaks if place > at], default=last)
    return start, end


def co_awaits(text, all_groups):
    """Findings A, B and C for every co_await."""
    for match in re.finditer(r"\bco_await\b", text):
        at = match.start()
        block_index = None
        for index, group in reversed(list(enumerate(all_groups))):
            if not group.open < at < group.close:
                continue
            if group.kind in ("body", "scope"):
                block_index = index
                break
            if in_condition(text, group):
                yield at, "A: co_await in a condition; put its result into a named variable before (GCC 12 crashes)"
        start, end = statement(text, all_groups, block_index, at)
        for group in all_groups:
            if not start < group.open < end or hidden(all_groups, group, block_index):
                continue
            if group.kind == "[" and is_capture(text, group) and captures_by_value(text, group):
                yield group.open, f"B: a capturing lambda in a statement with co_await; {NAME_FIRST}"
            if group.kind == "init":
                yield group.open, f"C: a braced value in a statement with co_await; {NAME_FIRST}"


def hidden(all_groups, group, block_index):
    """Whether a group stands in a nested body, that is in other statements."""
    parent = group.parent
    while parent is not None and parent != block_index:
        if all_groups[parent].kind in ("body", "scope"):
            return True
        parent = all_groups[parent].parent
    return parent != block_index


def after_angles(text, at):
    """The place behind the <…> that opens at `at`."""
    depth = 0
    for place in range(at, len(text)):
        depth += {"<": 1, ">": -1}.get(text[place], 0)
        if depth == 0:
            return place + 1
    return len(text)


def parameters(text, all_groups):
    """The parameter lists of all functions and lambdas that return an awaitable."""
    by_open = {group.open: group for group in all_groups if group.kind == "("}
    by_close = {group.close: group for group in all_groups if group.kind == "("}
    for match in re.finditer(r"\bawaitable\s*<", text):
        name = re.compile(r"\s*[\w:~]+\s*(?=\()").match(text, after_angles(text, match.end() - 1))
        if name and name.end() in by_open:
            yield by_open[name.end()]
        before = text[max(0, match.start() - 80) : match.start()]
        arrow = re.search(r"\)\s*(?:mutable\s*|noexcept\s*|const\s*)*->\s*[\w:]*$", before)
        close = match.start() - len(before) + arrow.start() if arrow else None
        if close in by_close:
            yield by_close[close]


def dangling(text, all_groups):
    """Finding D."""
    for group in parameters(text, all_groups):
        types, count = text[group.open + 1 : group.close], 1
        while count:  # what stands in <…> and (…) belongs to a type that may well be a value: std::function<void(X&)>
            types, count = re.subn(r"<[^<>]*>|\([^()]*\)", " ", types)
        if re.search(r"&|\b\w*(string_view|span|View)\b", types):
            yield group.open, "D: a coroutine takes a reference or a view, which may be gone when it runs; take a value"


def check(path, text):
    if not path.endswith(lint.CPP) or not re.search(r"co_await|awaitable", text):
        return
    plain, line_of = lint.code(text), lint.Lines(text)
    all_groups = lint.groups(plain)
    found = [*co_awaits(plain, all_groups), *dangling(plain, all_groups)]
    for line, message in sorted({(line_of(at), message) for at, message in found}):
        yield line, message


def in_coroutine(*statements):
    return [("net/a.cpp", "awaitable<void> f(int n) {\n  " + one + "\n}\n") for one in statements]


BAD = in_coroutine(
    "if (co_await ok()) go();",
    "while (!co_await ok()) { go(); }",
    "for (int i = 0; i < co_await count(); ++i) go();",
    "if (auto x = co_await get(); x) go();",
    "switch (co_await get()) { default: break; }",
    "co_await f([self] { self->go(); });",
    "co_await co_spawn(ex, [self]() -> awaitable<void> { co_return; }, use_awaitable);",
    "co_spawn(co_await this_coro::executor, [this, self] { go(); }, detached);",
    "co_await [t]() -> awaitable<void> { co_return; }();",
    "auto n = co_await async_initiate<X>([t](auto h) { h(t); }, token);",
    "co_await f(Request{1, 2});",
    "co_await f({.a = 1});",
    "co_await f(Request{});",
    "Request r{co_await g(), 2};",
    "list.push_back({co_await g()});",
    "if (n) { co_return co_await f(std::vector<int>{n}); }",
    "const int sum = [n] { return n; }() + co_await g();",
) + [
    ("net/a.h", "awaitable<void> send(const Frame& frame);"),
    ("net/a.h", "class A { asio::awaitable<std::map<int, int>> send(std::string_view text); };"),
    ("net/a.h", "awaitable<void> send(BytesView bytes, int n);"),
    ("net/a.cpp", "auto f = [](Frame& frame) -> asio::awaitable<void> { co_return; };"),
]
GOOD = in_coroutine(
    "const bool ok = co_await check(); if (ok) go();",
    "auto [error, size] = co_await async_read(socket, buffer, as_tuple(use_awaitable));",
    "co_await f([&] { go(); }); co_await g([this] { go(); }); co_await h([] { go(); });",
    "auto task = [self]() -> awaitable<void> { co_await self->go(); }; co_await co_spawn(ex, std::move(task), use);",
    "Request r{1, 2}; co_await f(std::move(r));",
    "if (n == 1) { co_await g(); } else { co_await h(n); } int x[] = {1, 2};",
    "for (;;) { co_await f(list[n], (n)); }",
    "for (int x : {1, 2}) { go(x); } co_await f();",
    "try { co_await f(); } catch (const std::exception& e) { log(e); }",
    "co_spawn(ex, [self] { return self->run(); }, detached); co_await g();",
) + [("net/a.h", "awaitable<void> send(Frame frame, std::function<void(const Frame&)> done, int* n);")]

if __name__ == "__main__":
    lint.run(check, BAD, GOOD)
