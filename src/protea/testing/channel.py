"""A channel to a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from protea.domain.errors import UsageError
from protea.ports.channel import Incoming


class MemoryChannel:
    """`Channel` into which a test writes by `write`; `sent` keeps what was said."""

    def __init__(self) -> None:
        self._coming: asyncio.Queue[Incoming | None] = asyncio.Queue()
        self._count = 0
        self.sent: list[tuple[str, str]] = []

    def write(self, conversation: str, text: str, sender: str = "someone") -> None:
        self._count += 1
        at = "2026-11-21T04:05:06.000Z"
        self._coming.put_nowait(
            Incoming(id=f"m_{self._count}", conversation=conversation, sender=sender, text=text, at=at)
        )

    async def open(self) -> None:
        """Nothing is to be opened."""

    async def incoming(self) -> AsyncIterator[Incoming]:
        while (message := await self._coming.get()) is not None:
            yield message

    async def send(self, conversation: str, text: str) -> None:
        if not conversation or "/" in conversation:
            raise UsageError(f"there is no conversation {conversation!r}")
        self.sent.append((conversation, text))

    async def aclose(self) -> None:
        self._coming.put_nowait(None)
