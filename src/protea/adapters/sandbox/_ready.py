"""What walls need before their first command, and what of it grows old. Called by `bubblewrap` and `docker`."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")

FRESH = 10.0
"""Seconds after which the workspace is looked through again, beside the commands that run."""


class Ready(Generic[T]):
    """Prepared once, before the first command; where that failed, again before the next."""

    def __init__(self, prepare: Callable[[], Awaitable[T]], renew: Callable[[], Awaitable[None]]) -> None:
        """`prepare` ends with a `renew`, which is done again once what it found is no longer fresh."""
        self._prepare, self._renew = prepare, renew
        self._preparing: asyncio.Task[T] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._since = 0.0

    async def wait(self) -> T:
        """What `prepare` gave. Raises what it raises."""
        task = self._preparing
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = self._preparing = asyncio.create_task(self._prepared())
        found = await asyncio.shield(task)
        if time.monotonic() - self._since > FRESH and (self._renewing is None or self._renewing.done()):
            self._renewing = asyncio.create_task(self._renewed())
        return found

    async def _prepared(self) -> T:
        self._since = time.monotonic()
        return await self._prepare()

    async def _renewed(self) -> None:
        self._since = time.monotonic()
        await self._renew()

    async def aclose(self) -> None:
        tasks: list[asyncio.Task[Any] | None] = [self._renewing, self._preparing]
        for task in tasks:
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, OSError):
                    await task
