"""A gateway whose sessions may be looked at before they are open.

Opening a long session reads all of it; its end can be shown at once. What needs the open session waits for it here, so
that nobody else has to know.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from protea.domain.commands import AnyCommand, Swap
from protea.domain.events import AnyEvent, LastingEvent
from protea.domain.session import SessionSummary
from protea.domain.swap import SwapPreview
from protea.ports.gateway import Gateway, OpenSession, Topic


class Later:
    """`Gateway` over another one. `promise` a session, `keep` the promise once its end is on the screen."""

    def __init__(self, inner: Gateway) -> None:
        self._inner = inner
        self._promised: dict[str, tuple[OpenSession, asyncio.Future[None]]] = {}

    def promise(self, session: str, spec: OpenSession) -> None:
        """It will be opened as `spec` says."""
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._promised[session] = (spec, opened)

    async def keep(self, session: str) -> None:
        """Open what was promised. What goes wrong is raised where the session is followed."""
        promised = self._promised.get(session)
        if promised is None or promised[1].done():
            return
        spec, opened = promised
        try:
            await self._inner.open(spec)
        except Exception as error:
            opened.set_exception(error)
        else:
            opened.set_result(None)

    async def _opened(self, session: str | None) -> None:
        if session is not None and session in self._promised:
            await asyncio.shield(self._promised[session][1])

    async def open(self, spec: OpenSession) -> str:
        return await self._inner.open(spec)

    async def submit(self, session: str, command: AnyCommand) -> str | None:
        await self._opened(session)
        return await self._inner.submit(session, command)

    async def events(self, session: str, after: int = 0) -> AsyncIterator[AnyEvent]:
        await self._opened(session)
        async for event in self._inner.events(session, after):
            yield event

    async def sessions(self, cwd: str | None = None) -> Sequence[SessionSummary]:
        return await self._inner.sessions(cwd)

    async def history(self, session: str, after: int = 0, limit: int | None = None) -> Sequence[LastingEvent]:
        return await self._inner.history(session, after, limit)

    async def search(self, text: str, limit: int = 50) -> Sequence[tuple[SessionSummary, int, str]]:
        return await self._inner.search(text, limit)

    async def delete(self, session: str) -> None:
        await self._inner.delete(session)

    async def describe(self, topic: Topic, session: str | None = None) -> Any:
        await self._opened(session)
        return await self._inner.describe(topic, session)

    async def read(self, session: str, path: str, size: int, *, last: bool = False) -> bytes:
        await self._opened(session)
        return await self._inner.read(session, path, size, last=last)

    async def preview(self, session: str, swap: Swap) -> SwapPreview:
        await self._opened(session)
        return await self._inner.preview(session, swap)

    async def close(self) -> None:
        await self._inner.close()
