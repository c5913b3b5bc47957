"""Runs contract suites without a test runner: what a port promises, tried on an adapter as it is really set up.

    for verdict in run_suite("memory", make, folder): ...

`protea doctor --port memory` does this; whoever writes an adapter can do it in any test runner, or in none.
"""

from __future__ import annotations

import asyncio
import inspect
import linecache
import os
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from types import TracebackType
from typing import Any, Literal

import msgspec

PATIENCE = 120.0
"""Seconds that one test may take."""

Make = Callable[..., Any]
"""(folder, clock=…) → a new adapter, whose home is `home/` in `folder` and its project `project/`; what is given by
name stands in for other ports."""


class Verdict(msgspec.Struct, frozen=True):
    """What became of one promise."""

    promise: str
    """The name of its test, as words."""
    outcome: Literal["kept", "broken", "left out"]
    """`left out`: it needs something only its own tests can have, as a key that is known."""
    why: str = ""


def has_suite(port: str) -> bool:
    """Whether a suite of that port can be run on a live adapter."""
    return port not in _NOT_LIVE


def run_suite(port: str, make: Make, folder: str, *, idle: bool = False) -> Iterator[Verdict]:
    """Every test of the port's suite, each with an adapter and a new folder of its own below `folder`.

    `idle` says that it is a null adapter, of which nothing is kept or run. Must not be called inside an event loop.
    """
    kind = suite(port)
    for number, name in enumerate(sorted(each for each in dir(kind) if each.startswith("test_"))):
        below = os.path.join(folder, f"{number}")
        os.makedirs(below)
        bench = kind(partial(make, below), below, idle=idle)
        yield _tried(bench, name)


def suite(port: str) -> type[Bench]:
    """The port's contract with a bench below it: `port` is what the adapter is got by."""
    module = import_module(f"protea.testing.contracts.{port}")
    contract = getattr(module, "".join(word.capitalize() for word in port.split("_")) + "Contract")
    return type(f"Live{contract.__name__}", (_BENCHES.get(port, Bench), contract), {"port": port, **_factory(port)})


class Bench:
    """How a suite gets what it is run on."""

    port = ""

    def __init__(self, make: Callable[..., Any], below: str, *, idle: bool) -> None:
        self.make = make
        self.below = below
        self.idle = idle
        self._one: Any = None

    def made(self) -> Any:
        """The adapter: the same one within one test."""
        if self._one is None:
            self._one = self.make()
        return self._one


class _Kept(Bench):
    """Of ports that keep things: another view of the same place each time, and nothing where it is idle."""

    def made(self) -> Any:
        return self.make()

    def keeps(self) -> bool:
        return not self.idle

    def runs(self) -> bool:
        return not self.idle


class _Rules(Bench):
    def saved(self) -> None:
        """What later sessions are given is not looked at: only its own tests know where that is."""


class _Audit(_Kept):
    def lines(self) -> None:
        """What was written is not looked at, for the same reason."""


class _Placed(Bench):
    """Of ports that look at a folder: the project's."""

    def folder(self) -> str:
        path = os.path.join(self.below, "project")
        os.makedirs(path, exist_ok=True)
        return path

    def directory(self) -> str:
        return self.folder()


class _Sandbox(_Placed):
    @property
    def sees_pids(self) -> bool:
        return "processes" not in self.made().walls


_BENCHES: dict[str, type[Bench]] = {
    "audit": _Audit,
    "diagnostics": _Placed,
    "file_list": _Placed,
    "instructions": _Placed,
    "ledger": _Kept,
    "memory": _Kept,
    "rule_store": _Rules,
    "sandbox": _Sandbox,
    "scheduler": _Kept,
    "task_runner": _Kept,
}
_NAMES = {"session_store": "store"}
_NEEDS_MORE = {"secrets": "its tests know the key that is to be found"}
_NOT_LIVE = {
    "gateway": "it is what all of them together make",
    "model": "each of its tests asks the provider, and is paid for",
    "model_source": "it is a part of composition",
}


def _factory(port: str) -> dict[str, Any]:
    """The method by which a contract gets its adapter. It has the port's name."""
    if port in _NEEDS_MORE:
        return {}

    def get(self: Bench) -> Any:
        return self.made()

    def get_at(self: Bench, clock: Any) -> Any:
        return self.make(clock=clock)

    return {_NAMES.get(port, port): get_at if port == "scheduler" else get}


def _tried(bench: Bench, name: str) -> Verdict:
    promise = name.removeprefix("test_").replace("_", " ")
    try:
        test = getattr(bench, name)
        if inspect.iscoroutinefunction(test):
            asyncio.run(_within(test))
        else:
            test()
    except NotImplementedError:
        return Verdict(promise, "left out", "it needs something that only tests of its own can have")
    except Exception as error:  # what an adapter of anybody's raises is what was to be found out
        return Verdict(promise, "broken", _told(error, error.__traceback__))
    return Verdict(promise, "kept")


async def _within(test: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE):
        await test()


def _told(error: Exception, trace: TracebackType | None) -> str:
    """The error in a line; of an assertion without words, what was asserted."""
    text = " ".join(str(error).split())
    frames = traceback.extract_tb(trace)
    if isinstance(error, AssertionError) and not text and frames:
        last = frames[-1]
        text = linecache.getline(last.filename, last.lineno or 0).strip().removeprefix("assert ")
        return f"not so: {text} ({os.path.basename(last.filename)}:{last.lineno})"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
