"""Connections that have not been let in: there may only be so many, whatever knocks.

Each is a file that this process has open, and a process may have few (256 on some machines). Those who belong here are
let in within milliseconds; so where there are too many, the one that has waited longest goes.
"""

from __future__ import annotations

import asyncio
from typing import Any

from websockets.asyncio.server import ServerConnection

MOST_STRANGERS = 64
"""Connections at once that have not said the token: pages and files on their way, all who say nothing or nonsense."""


class Strangers:
    """Those who wait at the door, in the order they came."""

    def __init__(self, most: int = MOST_STRANGERS) -> None:
        self._most = most
        self._waiting: dict[ServerConnection, None] = {}

    def come(self, connection: ServerConnection) -> None:
        self._waiting[connection] = None
        if len(self._waiting) > self._most:
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            oldest.transport.abort()

    def forget(self, connection: ServerConnection) -> None:
        """It was let in, or it has gone."""
        self._waiting.pop(connection, None)

    def connection(self) -> type[ServerConnection]:
        """What the server is to make of whoever connects."""
        strangers = self

        class Counted(ServerConnection):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                super().connection_made(transport)
                strangers.come(self)

            def connection_lost(self, exc: Exception | None) -> None:
                strangers.forget(self)
                super().connection_lost(exc)

        return Counted


def quietly(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An exception handler for the loop: that nobody more can be let in is no news for the person at the shell, a
    hundred times a second least of all. The loop tries again by itself."""
    if not (isinstance(context.get("exception"), OSError) and "accept" in context.get("message", "")):
        loop.default_exception_handler(context)
