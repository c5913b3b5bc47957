"""Tasks, locks, threads and waiting."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.architecture.source import Tree, calls, functions, own_nodes, rule

_LOCK = re.compile(r"lock|mutex|semaphore|condition", re.IGNORECASE)


@rule(
    {"application/a.py": "async def f(self):\n    with self._lock:\n        await g()"},
    {"adapters/x/a.py": "async def f(lock, xs):\n    with lock:\n        async for x in xs: ..."},
    {"adapters/x/a.py": "async def f(self):\n    async with self._lock:\n        await self.fetch()"},
    {"adapters/x/a.py": "async def f(self):\n    await self._lock.acquire()"},
    {"adapters/x/a.py": "def f(self):\n    with self.lock:\n        yield 1"},
    fine={
        "application/a.py": "async def f(self):\n    with self._lock:\n        self.n += 1\n    await g()",
        "adapters/x/a.py": "def f(self):\n    with self._lock:\n        return 1\nasync def g(clock):\n    async with clock.x: await h()",
    },
)
def no_lock_is_held_across_a_wait(tree: Tree) -> Iterator[str]:
    """Whoever waits with a lock in hand lets everyone wait, and an interrupt finds it held.

    An asyncio lock exists only to be held across a wait, so there is none: state that is changed between two waits
    needs no lock, and what must happen in order goes through one task or a chain of futures.
    """
    for module in tree.modules:
        for node in ast.walk(module.ast):
            if isinstance(node, ast.With | ast.AsyncWith):
                held = [ast.unparse(item.context_expr) for item in node.items]
                # The last word is what is held: `self._clock.lock` is a lock, `clock.x` is not.
                names = [name for name in held if _LOCK.search(name.rpartition(".")[2].replace("clock", ""))]
                waits = (ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Yield, ast.YieldFrom)
                if names and any(isinstance(each, waits) for each in own_nodes(node)):
                    yield module.at(node, f"{names[0]} is held across a wait")
            if isinstance(node, ast.Await) and re.search(r"lock\.acquire\(\)$", ast.unparse(node)):
                yield module.at(node, f"{ast.unparse(node)} holds across a wait")


@rule(
    {"application/a.py": "import asyncio\ndef f():\n    asyncio.create_task(g())"},
    {"application/a.py": "import asyncio\ndef f():\n    asyncio.ensure_future(g())"},
    {"application/a.py": "def f(loop):\n    _ = loop.create_task(g())"},
    fine={
        "application/a.py": "import asyncio\ndef f(self):\n    self.task = asyncio.create_task(g())",
        "adapters/x/a.py": "async def f(group):\n    group.create_task(g())",
    },
)
def every_task_has_an_owner(tree: Tree) -> Iterator[str]:
    """asyncio keeps only a weak reference: a task nobody holds may vanish halfway, and its error with it."""
    for module in tree.modules:
        for node in ast.walk(module.ast):
            dropped = isinstance(node, ast.Expr) or (
                isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["_"]
            )
            if not dropped or not isinstance(getattr(node, "value", None), ast.Call):
                continue
            name = ast.unparse(node.value.func)  # type: ignore[attr-defined]  # narrowed by the line above
            if re.search(r"(^|\.)(create_task|ensure_future|run_coroutine_threadsafe)$", name) and "group" not in name:
                yield module.at(node, f"the task of {name}() has no owner")


MAY_SLEEP = {
    "protea.adapters.storage._lock": "milliseconds, while a session's lock is held by someone who only looks",
}


@rule(
    {"adapters/x/a.py": "import time\ndef f():\n    time.sleep(1)"},
    {"adapters/x/a.py": "from time import sleep\ndef f():\n    sleep(1)"},
    fine={"adapters/x/a.py": "async def f(clock):\n    await clock.sleep(1)"},
)
def nothing_sleeps_but_the_clock(tree: Tree) -> Iterator[str]:
    for module in tree.modules:
        for call, name in calls(module.ast):
            if name in ("time.sleep", "sleep") and module.name not in MAY_SLEEP:
                yield module.at(call, f"{name}() stops everything else")


@rule(
    {"adapters/x/a.py": "import subprocess\nasync def f():\n    subprocess.run(['x'])"},
    {"adapters/x/a.py": "import urllib.request\nasync def f():\n    urllib.request.urlopen('x')"},
    {"adapters/x/a.py": "async def f(thread):\n    thread.join()"},
    fine={
        "adapters/x/a.py": "import asyncio, subprocess\nasync def f(sep):\n    await asyncio.to_thread(subprocess.run, ['x'])\n    sep.join('x')",
        "adapters/x/b.py": "import subprocess\ndef f():\n    subprocess.run(['x'])",
    },
)
def nothing_async_blocks(tree: Tree) -> Iterator[str]:
    blocking = re.compile(
        r"^(subprocess\.(run|call|check_call|check_output|getoutput)|urllib\.request\.urlopen|os\.waitpid|"
        r"socket\.create_connection|socket\.getaddrinfo)$"
    )
    for module in tree.modules:
        for function in functions(module.ast):
            if not isinstance(function, ast.AsyncFunctionDef):
                continue
            for node in own_nodes(function):
                if isinstance(node, ast.Call):
                    name = ast.unparse(node.func)
                    joins = re.search(r"(thread|process)\.(join|wait)$", name) and not node.args
                    if (blocking.match(name) or joins) and "WNOHANG" not in ast.unparse(node):
                        if any(isinstance(up, ast.Await) and up.value is node for up in own_nodes(function)):
                            continue
                        yield module.at(node, f"{name}() blocks the loop")


@rule(
    {"application/a.py": "def f():\n    try:\n        g()\n    except Exception:\n        pass"},
    {"adapters/x/a.py": "def f():\n    try:\n        g()\n    except:\n        ..."},
    {"adapters/x/a.py": "import contextlib\ndef f():\n    with contextlib.suppress(Exception):\n        g()"},
    {
        "adapters/x/a.py": "def f():\n    for x in y:\n        try:\n            g()\n        except (ValueError, BaseException):\n            continue"
    },
    fine={
        "application/a.py": "def f():\n    try:\n        g()\n    except OSError:\n        pass",
        "adapters/x/a.py": "def f():\n    try:\n        g()\n    except Exception as error:\n        return str(error)",
    },
)
def no_error_is_swallowed_unseen(tree: Tree) -> Iterator[str]:
    for module in tree.modules:
        for node in ast.walk(module.ast):
            if isinstance(node, ast.ExceptHandler):
                kinds = ast.unparse(node.type) if node.type else "BaseException"
                silent = all(
                    isinstance(each, ast.Pass | ast.Continue)
                    or (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
                    for each in node.body
                )
                if silent and re.search(r"\b(Base)?Exception\b", kinds):
                    yield module.at(node, f"except {kinds} says nothing")
    for module in tree.modules:
        for call, name in calls(module.ast):
            kinds = " ".join(ast.unparse(argument) for argument in call.args)
            if name in ("suppress", "contextlib.suppress") and re.search(r"\b(Base)?Exception\b", kinds):
                yield module.at(call, f"suppress({kinds}) says nothing")


@rule(
    {
        "application/a.py": "import asyncio\nasync def f():\n    try:\n        await g()\n    except asyncio.CancelledError:\n        pass"
    },
    {"adapters/x/a.py": "async def f():\n    try:\n        await g()\n    except BaseException:\n        log()"},
    fine={
        "application/a.py": "import asyncio\nasync def f():\n    try:\n        await g()\n    except asyncio.CancelledError:\n        h()\n        raise",
        "adapters/x/a.py": "async def f():\n    try:\n        await g()\n    except OSError:\n        pass",
    },
)
def a_cancellation_is_passed_on(tree: Tree) -> Iterator[str]:
    """Unless it ends in a value that says `interrupted`: a `return` of something is such an end."""
    for module in tree.modules:
        for function in functions(module.ast):
            for node in own_nodes(function):
                if not isinstance(node, ast.ExceptHandler):
                    continue
                kinds = ast.unparse(node.type) if node.type else "BaseException"
                if not re.search(r"CancelledError|BaseException", kinds):
                    continue
                passes = any(isinstance(each, ast.Raise) for each in own_nodes(node))
                answers = any(isinstance(each, ast.Return) and each.value is not None for each in own_nodes(node))
                owner = re.search(r"\.cancel\(", ast.unparse(function)) is not None  # it waits for what it cancelled
                if isinstance(function, ast.AsyncFunctionDef) and not (passes or answers or owner):
                    yield module.at(node, f"except {kinds} ends a cancellation")


@rule(
    {"application/a.py": "import asyncio\ndef f():\n    asyncio.run(g())"},
    {"adapters/x/a.py": "import asyncio\ndef f():\n    return asyncio.get_event_loop()"},
    {"adapters/x/a.py": "import asyncio\ndef f():\n    asyncio.new_event_loop()"},
    fine={
        "cli.py": "import asyncio\ndef main():\n    asyncio.run(g())",
        "adapters/x/a.py": "import asyncio\nasync def f():\n    asyncio.get_running_loop()",
    },
)
def nobody_inside_starts_a_loop(tree: Tree) -> Iterator[str]:
    """`testing` may: its provider also runs in a thread or process of its own, beside what is tested."""
    for module in tree.under("domain", "ports", "application", "adapters"):
        for call, name in calls(module.ast):
            if name in ("asyncio.run", "asyncio.get_event_loop", "asyncio.new_event_loop", "asyncio.set_event_loop"):
                yield module.at(call, f"{name}(): the process entry owns the loop")
