"""Listens to what a command writes: which lines fit a pattern, however many come and whatever the pattern is.

Lines wait until there is time for them, so that a flood leaves room for everything else. Python's engine backtracks,
and nothing can stop it: what may keep it busy is matched in a worker that can be ended,

    python -I -c "…; from protea.adapters.tools import _ear; _ear.main(sys.argv[1])" PATTERN
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from protea.adapters.tools._search import pattern_for
from protea.domain.plain import plain

LONGEST = 64_000
"""Characters of a line that are looked at."""
SHORT = 1_000
"""The same where a pattern may keep the engine busy and no worker can be had."""
AT_ONCE = 1_000
"""Lines that are looked at without a pause."""
WAITING = 10_000
"""Lines that may wait before whoever writes them has to."""
SECONDS = 10.0
"""A worker is given for as many lines, its start included."""


class Ear:
    def __init__(self, pattern: str, python: str | None, hit: Callable[[str], None]) -> None:
        """Raises `ValueError` where the pattern is none. `python` is the program workers are run by, `hit` is told each
        line that fits."""
        known = pattern_for(pattern, ignore_case=False, multiline=False)
        self._search = known.text.search
        self._far = Worker(python, pattern) if known.repeats and python is not None else None
        self._longest = SHORT if known.repeats and self._far is None else LONGEST
        self._hit = hit
        self._rest = b""
        self._waiting: deque[str] = deque()
        self._come = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._listening: asyncio.Task[None] | None = None
        self._over = False
        self.missed = 0
        """Lines that were not looked at."""
        self.trouble = ""
        """Why it listens no more."""

    def hear(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-LONGEST:]  # what never ends a line is no line
        if not lines:
            return
        if self.trouble:
            self.missed += len(lines)
            return
        text = plain(b"\n".join(lines).decode("utf-8", "backslashreplace"))
        self._waiting += text.split("\n")
        if len(self._waiting) > WAITING:
            self._room.clear()
        self._come.set()
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen(), name="monitor")

    async def room(self) -> None:
        """Until more may come; others have their turn meanwhile."""
        await asyncio.sleep(0)
        await self._room.wait()

    async def finish(self) -> None:
        """All has been heard that waits; the last line needs no end."""
        if self._rest:
            self.hear(b"\n")
        self._over = True
        self._come.set()
        try:
            if self._listening is not None:
                await asyncio.shield(self._listening)
        finally:
            await self.close()

    async def close(self) -> None:
        """Nothing is looked at any more."""
        if self._listening is not None:
            self._listening.cancel()
        self._room.set()
        if self._far is not None:
            await self._far.close()

    async def _listen(self) -> None:
        while not self.trouble:
            await self._come.wait()
            while self._waiting and not self.trouble:
                lines = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
                for at in await self._fitting([line[: self._longest] for line in lines]):
                    self._hit(lines[at])
                await asyncio.sleep(0)
            self._room.set()
            if self._over:
                break
            self._come.clear()
        self.missed += len(self._waiting)
        self._waiting.clear()
        self._room.set()

    async def _fitting(self, lines: Sequence[str]) -> Sequence[int]:
        if self._far is None:
            return [at for at, line in enumerate(lines) if self._search(line)]
        try:
            return await self._far.fitting(lines)
        except TimeoutError:
            self.trouble = "the pattern keeps the engine busy for too long on what it wrote: make it simpler"
        except (OSError, EOFError, msgspec.DecodeError):
            self.trouble = "what looks at the lines has ended"
        self.missed += len(lines)
        await self._far.close()
        return ()


class Worker:
    """The process that matches for one ear; begun with the first lines."""

    def __init__(self, python: str, pattern: str) -> None:
        package = __file__.removesuffix("/protea/adapters/tools/_ear.py")
        code = f"import sys; sys.path.insert(0, {package!r}); from protea.adapters.tools import _ear"
        self._argv = (python, "-I", "-c", f"{code}; _ear.main(sys.argv[1])", pattern)
        self._process: asyncio.subprocess.Process | None = None

    async def fitting(self, lines: Sequence[str]) -> Sequence[int]:
        """Raises `TimeoutError` where that takes too long, and what else can go wrong with a process."""
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                *self._argv,
                cwd="/",
                env={},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=1 << 20,
            )
        into, out = self._process.stdin, self._process.stdout
        assert into is not None
        assert out is not None
        async with asyncio.timeout(SECONDS):
            into.write(msgspec.json.encode(lines) + b"\n")
            await into.drain()
            answer = await out.readline()
        if not answer:
            raise EOFError
        return msgspec.json.decode(answer, type=list[int])

    async def close(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


def main(pattern: str) -> None:
    """In the worker: for each line of JSON texts the numbers of those that fit."""
    search = pattern_for(pattern, ignore_case=False, multiline=False).text.search
    with open(0, "rb") as given:
        for batch in given:
            lines = msgspec.json.decode(batch, type=list[str])
            fitting = [at for at, line in enumerate(lines) if search(line)]
            os.write(1, msgspec.json.encode(fitting) + b"\n")  # less than a pipe holds
