"""`Beside` for tests of tools: what they set going is run here, what they tell is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from protea.domain.delegation import Errand, Outcome
from protea.domain.errors import ProteaError
from protea.domain.tools import ToolResult

WITHIN = 30


class RecordedBeside:
    """An agent that is sent does `errand`; work that is begun runs until it ends or is stopped."""

    def __init__(self, errand: Callable[[Errand], Awaitable[str]] | None = None) -> None:
        self._errand = errand
        self.sent: list[Errand] = []
        self.told: list[str] = []
        """What the model was told."""
        self.progress: list[str] = []
        self.ends: dict[str, str] = {}
        """Task → how it ended."""
        self._running: dict[str, asyncio.Task[None]] = {}
        self._news = asyncio.Event()

    async def delegate(
        self,
        errand: Errand,
        after: Callable[[], Awaitable[str]] | None = None,
        ended: Callable[[Outcome], None] | None = None,
    ) -> ToolResult:
        self.sent.append(errand)
        assert self._errand is not None
        try:
            said = await self._errand(errand)
        finally:
            note = await after() if after is not None else ""
        if ended is not None:
            ended(Outcome(session=f"child-{len(self.sent)}", outcome="finished"))
        return ToolResult(f"{said}\n{note}".rstrip())

    async def begin(
        self,
        kind: str,
        title: str,
        work: Callable[[Callable[[str], None]], Awaitable[str]],
        *,
        log: str = "",
        ended: str = "",
    ) -> str:
        id = f"k{len(self._running) + 1}"

        async def run() -> None:
            try:
                self.ends[id] = f"done: {await work(self.progress.append)}"
            except ProteaError as error:
                self.ends[id] = f"failed: {error}"
            finally:
                self._news.set()

        self._running[id] = asyncio.create_task(run())
        return id

    def news(self, text: str) -> None:
        self.told.append(text)
        self._news.set()

    async def stop(self, id: str) -> str | None:
        if id not in self._running:
            return None
        self._running[id].cancel()
        await asyncio.wait([self._running[id]])
        self.ends.setdefault(id, "stopped")
        return "stopped"

    async def agreed(self, plan: str, *, edited: bool) -> ToolResult:
        return ToolResult("agreed")

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for news until it holds."""
        async with asyncio.timeout(WITHIN):
            while not condition():
                self._news.clear()
                await self._news.wait()
